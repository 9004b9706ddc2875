"""A list for an office: headings in its language, and rows of texts, numbers and local times."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from mapserver.formats.batches import Batches
from mapserver.negotiate import csv_bytes


@dataclass(frozen=True)
class Sheet:
    """What a file must know before it has any row: its title, and the headings with the columns' widths.

    headings : texts.  widths : of the columns, in characters.
    """

    title: str
    headings: tuple[str, ...]
    widths: tuple[int, ...]


async def csv_lines(sheet: Sheet, batches: Batches) -> AsyncGenerator[bytes]:
    """The rows as CSV a batch at a time, the headings with the first of them."""
    header: tuple[str, ...] | None = sheet.headings
    async for rows in batches:
        yield csv_bytes(header, rows)
        header = None
    if header:
        yield csv_bytes(header, ())
