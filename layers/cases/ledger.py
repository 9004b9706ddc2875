"""The ledger (台账): a chain of rows in which each one's hash covers the hash before it.

The database writes it, in the transaction of what it tells of: onemap.write_ledger.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from layers.core.statement import Statement


def broken() -> Statement:
    """The first row at which the chain breaks: `seq` and `why`; no row where it holds.

    A chain that was cut off at its end still holds: compare its `head` with one that was noted elsewhere.
    """
    return Statement(
        """select seq, why from (
          select seq, case
            when seq <> row_number() over chain then 'a row before it is missing'
            when previous <> coalesce(lag(hash) over chain, ''::bytea) then 'it does not follow the row before it'
            when hash <> onemap.ledger_hash(seq, at, kind, subject, payload, previous) then 'its text was changed'
          end as why
          from onemap.ledger window chain as (order by seq)
        ) links where why is not null order by seq limit 1"""
    )


def head() -> Statement:
    """Number and hash (hex) of the last row: `seq`, `hash`; no row in an empty ledger."""
    return Statement("select seq, encode(hash, 'hex') as hash from onemap.ledger order by seq desc limit 1")


def row(seq: int) -> Statement:
    """The same of one row; none where it is not there."""
    return Statement(
        "select seq, encode(hash, 'hex') as hash from onemap.ledger where seq = %(seq)s", {"seq": seq}
    )


@dataclass(frozen=True)
class Chain:
    """What of the chain is asked for; what is none does not restrict it. start, end : half-open."""

    subject: str | None = None
    kind: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def rows(wanted: Chain, after: int, limit: int) -> Statement:
    """Rows after the number `after`, oldest first: seq, at, kind, subject, payload, previous and hash (hex).

    One row more tells that a page follows.
    """
    return Statement(
        """select seq, at, kind, subject, payload, encode(previous, 'hex') as previous, encode(hash, 'hex') as hash
        from onemap.ledger
        where seq > %(after)s
        and (%(subject)s::text is null or subject = %(subject)s) and (%(kind)s::text is null or kind = %(kind)s)
        and (%(start)s::timestamptz is null or at >= %(start)s) and (%(end)s::timestamptz is null or at < %(end)s)
        order by seq limit %(most)s""",
        vars(wanted) | {"after": after, "most": limit + 1},
    )


def exported(at: datetime, payload: dict[str, Any]) -> Statement:
    """Write down that something was taken away: as what, by which role, how much; one value, the row's number.

    The row is of the `layer` that the payload names, else of the list of the supervision office.
    """
    return Statement("select onemap.note_export(%(at)s, %(payload)s)", {"at": at, "payload": Jsonb(payload)})
