"""The ledger (台账): a chain of rows in which each one's hash covers the hash before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb

from layers.core.statement import Statement


class Kind(StrEnum):
    """What a row tells of."""

    REGISTERED = "registered"
    MOVED = "moved"
    DEADLINE = "deadline"
    REMINDED = "reminded"
    EXPORTED = "exported"


@dataclass(frozen=True)
class Entry:
    """What is written down about one subject, like `case:12`."""

    subject: str
    payload: dict[str, Any]


def write(kind: Kind, entries: Sequence[Entry], at: datetime) -> Statement:
    """Add rows at the end of the chain, in order; one value, the number of the last row.

    The chain is locked until the transaction ends: let this be the last thing in it.
    """
    return Statement(
        "select onemap.write_ledger(%(at)s, %(kind)s, %(subjects)s, %(payloads)s)",
        {
            "at": at,
            "kind": kind.value,
            "subjects": [entry.subject for entry in entries],
            "payloads": [Jsonb(entry.payload) for entry in entries],
        },
    )


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
