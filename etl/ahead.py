"""Work that goes ahead of its user: the next item is being made while the present one is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Each of `items` in its order, made one ahead in a thread of its own; an error comes where its item would."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(lambda: list(_first(items)))
        while found := coming.result():
            coming = pool.submit(lambda: list(_first(items)))
            yield found[0]


def _first(items: Iterator[T]) -> Iterator[T]:
    for item in items:
        yield item
        return
