"""The chain, and that every way to tamper with it is found at its row."""

from datetime import UTC, datetime
from threading import Thread

import psycopg
import pytest
from psycopg.types.json import Jsonb

from layers.cases import ledger
from layers.core.db import connect
from layers.core.statement import Statement

AT = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=UTC)


def run(connection, statement: Statement):
    return connection.execute(statement.sql.encode(), statement.params).fetchone()


def write(connection, *names: str) -> int:
    payloads = [Jsonb({"move": "accept", "原因": f"“{name}”", "n": 1.50}) for name in names]
    given = [AT, "moved", [f"case:{name}" for name in names], payloads]
    row = connection.execute("select onemap.write_ledger(%s, %s, %s, %s) as last", given).fetchone()
    return row["last"]


SHIFT = """alter table onemap.ledger drop constraint ledger_seq_check;
update onemap.ledger set seq = -seq where seq >= %d; update onemap.ledger set seq = 1 - seq where seq < 0"""
COPY = """insert into onemap.ledger
select 6, at, kind, subject, payload, previous, hash from onemap.ledger where seq = 5"""


@pytest.fixture
def chain(empty_url):
    """A ledger of nine rows, and a connection that no trigger stops."""
    with connect(empty_url) as connection:
        for number in range(3):
            assert write(connection, *(f"{number}{letter}" for letter in "abc")) == 3 * (number + 1)
        connection.commit()
        connection.execute("set session_replication_role = replica")
        yield connection


def test_a_chain_that_nobody_touched_holds_whatever_the_time_zone_of_who_asks(chain):
    assert run(chain, ledger.broken()) is None
    chain.execute("set timezone to 'Asia/Shanghai'")
    assert run(chain, ledger.broken()) is None
    assert run(chain, ledger.head())["seq"] == 9


@pytest.mark.parametrize(
    ("tampering", "seq", "why"),
    [
        ('update onemap.ledger set payload = payload || \'{"move": "close"}\' where seq = 5', 5, "changed"),
        ("update onemap.ledger set at = at + interval '1 microsecond' where seq = 4", 4, "changed"),
        ("update onemap.ledger set subject = 'case:1' where seq = 9", 9, "changed"),
        ("update onemap.ledger set kind = 'exported' where seq = 1", 1, "changed"),
        ("delete from onemap.ledger where seq = 6", 7, "missing"),
        ("delete from onemap.ledger where seq = 1", 2, "missing"),
        (
            """delete from onemap.ledger where seq = 6;
            update onemap.ledger set seq = seq - 1 where seq > 6""",
            6,
            "does not follow",
        ),
        (
            """update onemap.ledger set payload = '{}' where seq = 3; update onemap.ledger
            set hash = onemap.ledger_hash(seq, at, kind, subject, payload, previous) where seq = 3""",
            4,
            "does not follow",
        ),
        (  # put in between, and hashed as if it belonged there
            f"""{SHIFT % 6}; insert into onemap.ledger
            select 6, at, 'moved', 'case:forged', payload, hash,
              onemap.ledger_hash(6, at, 'moved', 'case:forged', payload, hash)
            from onemap.ledger where seq = 5""",
            7,
            "does not follow",
        ),
        (  # the same, and the row behind it made to follow
            f"""{SHIFT % 6}; insert into onemap.ledger
            select 6, at, 'moved', 'case:forged', payload, hash,
              onemap.ledger_hash(6, at, 'moved', 'case:forged', payload, hash)
            from onemap.ledger where seq = 5;
            update onemap.ledger set previous = (select hash from onemap.ledger where seq = 6) where seq = 7""",
            7,
            "changed",
        ),
        (f"{SHIFT % 6}; {COPY}", 6, "does not follow"),  # the row before it once more
        (  # what two rows say changes places
            """update onemap.ledger one set (at, kind, subject, payload) = (
              select at, kind, subject, payload from onemap.ledger other where other.seq = 7 - one.seq + 4
            ) where seq in (4, 7)""",
            4,
            "changed",
        ),
        (  # two rows change places whole
            """alter table onemap.ledger drop constraint ledger_seq_check;
            update onemap.ledger set seq = -seq where seq in (4, 7);
            update onemap.ledger set seq = 11 + seq where seq < 0""",
            4,
            "does not follow",
        ),
    ],
)
def test_tampering_is_found_at_the_row_where_it_begins_to_show(chain, tampering, seq, why):
    chain.execute(tampering)
    found = run(chain, ledger.broken())
    assert found is not None
    assert found["seq"] == seq
    assert why in found["why"]


def test_a_chain_that_is_cut_off_has_another_head(chain):
    before = run(chain, ledger.head())
    chain.execute("delete from onemap.ledger where seq > 7")
    assert run(chain, ledger.broken()) is None
    assert run(chain, ledger.head()) != before


@pytest.mark.parametrize(
    "change", ["update onemap.ledger set kind = 'x'", "delete from onemap.ledger", "truncate onemap.ledger"]
)
def test_the_ledger_is_only_added_to_even_by_its_owner(empty_url, change):
    with connect(empty_url) as connection:
        write(connection, "1")
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only added to"):
            connection.execute(change.encode())


def test_writers_at_once_make_one_chain_without_gaps(empty_url):
    def work(number: int) -> None:
        with connect(empty_url) as connection:
            for turn in range(25):
                write(connection, f"{number}-{turn}")
                if turn % 5 == 4:
                    connection.rollback()
                else:
                    connection.commit()

    threads = [Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with connect(empty_url) as connection:
        assert run(connection, ledger.broken()) is None
        assert run(connection, ledger.head())["seq"] == 4 * 20


def test_nothing_written_is_a_chain_too(empty_url):
    with connect(empty_url) as connection:
        assert write(connection) == 0
        assert run(connection, ledger.broken()) is None
        assert run(connection, ledger.head()) is None
