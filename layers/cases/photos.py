"""Photos of reports: one a case, until a dispatcher removes it or its case has ended some time ago."""

from datetime import datetime

from layers.core.statement import Statement

BATCH = 200
"""Photos that are forgotten in one transaction: it holds the ledger."""


def keep(source_key: str, jpeg: bytes, at: datetime, most_an_hour: int) -> Statement:
    """Keep the photo of the report of that key: one value, false where the last hour brought so many already."""
    return Statement(
        "select onemap.keep_photo(%(key)s, %(jpeg)s, %(at)s, %(most)s)",
        {"key": source_key, "jpeg": jpeg, "at": at, "most": most_an_hour},
    )


def there(case_id: int) -> Statement:
    """One value: whether a case has a photo, for those who may see it."""
    return Statement(
        "select exists (select from onemap.case_photo where case_id = %(case_id)s)", {"case_id": case_id}
    )


def read(case_id: int) -> Statement:
    """The photo of a case: one value, the bytes of a JPEG; none where there is none, or none for whoever asks."""
    return Statement("select jpeg from onemap.case_photo where case_id = %(case_id)s", {"case_id": case_id})


def remove(case_id: int, at: datetime) -> Statement:
    """Remove the photo of a case: one value, false where there is none, or none for whoever asks."""
    return Statement("select onemap.remove_photo(%(case_id)s, %(at)s)", {"case_id": case_id, "at": at})


def outlived(before: datetime) -> Statement:
    """One value: whether a photo is there whose case ended before that moment."""
    return Statement(
        "select exists (select from onemap.outlived_photos(%(before)s)) as waiting", {"before": before}
    )


def forget(before: datetime, at: datetime, most: int = BATCH) -> Statement:
    """Remove at most so many photos whose cases ended before that moment: one value, how many.

    Each is a row of the ledger: let this be the last thing in its transaction.
    """
    return Statement(
        "select onemap.forget_photos(%(before)s, %(at)s, %(most)s) as gone",
        {"before": before, "at": at, "most": most},
    )
