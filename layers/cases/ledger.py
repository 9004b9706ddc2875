"""The ledger (台账): a chain of rows in which each one's hash covers the hash before it.

The database writes it, in the transaction of what it tells of: onemap.write_ledger. What people wrote stands
beside the chain, which has its salted hash: it can be forgotten, which is a row too, and nothing else of the chain
changes.
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
            when text is null and payload ? 'reason' and seq not in (
              select jsonb_array_elements(payload -> 'rows')::bigint from onemap.ledger where kind = 'forgotten'
            ) then 'its reason is missing, and no row says that it was forgotten'
            when onemap.text_hash(salt, text) <> coalesce(payload ->> 'reason', '') then 'its reason was changed'
          end as why
          from onemap.ledger left join onemap.ledger_text using (seq) window chain as (order by seq)
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

    salt (hex) and text are those of the reason whose hash is in the payload, none once it is forgotten. One row
    more tells that a page follows.
    """
    return Statement(
        """select seq, at, kind, subject, payload, encode(previous, 'hex') as previous, encode(hash, 'hex') as
        hash,
          encode(salt, 'hex') as salt, text
        from onemap.ledger left join onemap.ledger_text using (seq)
        where seq > %(after)s
        and (%(subject)s::text is null or subject = %(subject)s) and (%(kind)s::text is null or kind = %(kind)s)
        and (%(start)s::timestamptz is null or at >= %(start)s) and (%(end)s::timestamptz is null or at < %(end)s)
        order by seq limit %(most)s""",
        vars(wanted) | {"after": after, "most": limit + 1},
    )


def forget(subject: str, at: datetime) -> Statement:
    """Forget what people wrote of a subject, like case:12: one value, how many texts that were."""
    return Statement(
        """select onemap.forget_texts(array(
          select seq from onemap.ledger_text join onemap.ledger using (seq) where subject = %(subject)s
        ), %(at)s)""",
        {"subject": subject, "at": at},
    )


def forget_before(ended: datetime, at: datetime) -> Statement:
    """The same of all cases and measures that ended before `ended`; a merged case ends with its main one."""
    return Statement(
        """select onemap.forget_texts(array(
          select seq from onemap.ledger_text join onemap.case_step using (seq) join onemap.case_file file using
          (case_id) left join onemap.case_file main on main.case_id = file.merged_into where not
          coalesce(main.is_open, file.is_open) and coalesce(main.entered_at, file.entered_at) < %(ended)s union all
          select seq from onemap.ledger_text join onemap.ledger row using (seq) join onemap.measure on row.subject
          = 'measure:' || measure_id where row.kind = 'measure_closed' and closed_at < %(ended)s
        ), %(at)s)""",
        {"ended": ended, "at": at},
    )


def exported(at: datetime, payload: dict[str, Any]) -> Statement:
    """Write down that something was taken away: as what, by which role, how much; one value, the row's number.

    The row is of the `layer` that the payload names, else of the list of the supervision office.
    """
    return Statement("select onemap.note_export(%(at)s, %(payload)s)", {"at": at, "payload": Jsonb(payload)})
