"""What is loaded of a feed at a time: some pages, and how far the feed is read once they have landed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from etl.feeds.page import Feed, Page, Record
from etl.feeds.walk import Step
from etl.feeds.wording import Wording
from etl.readers.base import RawFrame
from etl.spec import Source

LIMIT_ROWS = 20_000


@dataclass(frozen=True)
class Instalment:
    """Some rows of a feed.

    raw : the columns that the source takes, all as text, with row numbers within the instalment.
    sha256 : hash of the answers that it was read from, hex.
    watermark : where the next run reads on once this one has landed; empty is from the beginning.
    last : whether the feed has no more for now.
    crs : the coordinate reference system of the shapes, where there are any.
    """

    raw: RawFrame
    sha256: str
    watermark: str
    last: bool
    crs: str | None = None


def gather(steps: Iterator[Step], feed: Feed, source: Source) -> Iterator[Instalment]:
    """Pages in instalments of about LIMIT_ROWS; a snapshot is one instalment, since what it lacks is deleted.

    There is at least one, be it without rows.
    """
    limit = None if source.mode == "snapshot" else LIMIT_ROWS
    pages: list[Page] = []
    rows = 0
    mark: datetime | None = None
    for page, mark in steps:
        if limit is not None and rows and rows + len(page.records) > limit:
            yield _instalment(pages, mark, feed, source, last=False)
            pages, rows = [], 0
        pages.append(page)
        rows += len(page.records)
    yield _instalment(pages, mark, feed, source, last=True)


def _instalment(pages: list[Page], mark: datetime | None, feed: Feed, source: Source, *, last: bool) -> Instalment:
    digest = hashlib.sha256()
    for page in pages:
        digest.update(page.body)
    kept = _latest(pages, source.key, feed.wording)
    gone = sum(len(page.records) for page in pages) - len(kept)
    raw = replace(_frame(kept, feed, source.taken), superseded=gone)
    return Instalment(raw, digest.hexdigest(), mark.isoformat() if mark else "", last, feed.crs)


def _latest(pages: list[Page], key: list[str], wording: Wording) -> list[Record]:
    """The records in order; where later pages have another state of a key, an earlier one gives way.

    Two states in one answer are the feed's contradiction and both stay.
    """
    kept: list[list[Record]] = []
    later: set[tuple[object, ...]] = set()
    for page in reversed(pages):
        keys = [_key(record, key, wording) for record in page.records]
        kept.append([record for record, k in zip(page.records, keys, strict=True) if k is None or k not in later])
        later.update(k for k in keys if k is not None)
    return [record for records in reversed(kept) for record in records]


def _key(record: Record, key: list[str], wording: Wording) -> tuple[str, ...] | None:
    try:
        words = [wording.text(record.said, name) for name in key]
    except ValueError:
        return None
    return tuple(word for word in words if word is not None) if key and None not in words else None


def _values(record: Record, taken: list[str], wording: Wording) -> list[str | None]:
    if record.broken:
        raise ValueError(record.broken)
    return [wording.text(record.said, name) for name in taken]


def _frame(records: list[Record], feed: Feed, taken: list[str]) -> RawFrame:
    """The records as rows; one that cannot be read keeps its number and says why."""
    rows: list[tuple[int, Record, list[str | None]]] = []
    broken: list[tuple[int, str]] = []
    for number, record in enumerate(records, 1):
        try:
            rows.append((number, record, _values(record, taken, feed.wording)))
        except ValueError as exc:
            broken.append((number, str(exc)))
    columns = [pa.array([values[i] for _, _, values in rows], pa.string()) for i in range(len(taken))]
    return RawFrame(
        pa.table(columns, names=taken),
        np.array([number for number, _, _ in rows], np.int64),
        shapes=np.array([record.shape for _, record, _ in rows], np.object_) if feed.crs else None,
        broken=broken,
    )
