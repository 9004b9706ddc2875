"""The chain, and that every way to tamper with it is found at its row."""

import hashlib
from datetime import UTC, datetime
from threading import Thread

import psycopg
import pytest
from psycopg.types.json import Jsonb

from layers.cases import ledger, store
from layers.core.db import connect
from layers.core.migrate import migrate
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


TEXTS = """select row.seq, payload ->> 'reason' as hash, salt, text from onemap.ledger row
left join onemap.ledger_text using (seq) where payload ? 'reason' order by seq"""


@pytest.fixture
def reasons(empty_url):
    """A ledger of four rows of which the first three have a reason, and a connection that no trigger stops."""
    with connect(empty_url) as connection:
        payloads = [Jsonb({"move": "pause", "reason": why}) for why in ("strike", "strike", "flood")]
        given = [AT, "moved", ["case:1", "case:2", "case:1", "case:3"], [*payloads, Jsonb({"move": "accept"})]]
        connection.execute("select onemap.write_ledger(%s, %s, %s, %s)", given)
        connection.commit()
        connection.execute("set session_replication_role = replica")
        yield connection


def test_the_chain_has_no_text_but_its_hash_under_a_salt_of_its_own(reasons):
    assert "strike" not in str(reasons.execute("select * from onemap.ledger").fetchall())
    rows = reasons.execute(TEXTS).fetchall()
    assert [row["text"] for row in rows] == ["strike", "strike", "flood"]
    for row in rows:
        assert row["hash"] == "sha256:" + hashlib.sha256(row["salt"] + row["text"].encode()).hexdigest()
    assert len({row["hash"] for row in rows}) == 3
    assert run(reasons, ledger.broken()) is None


@pytest.mark.parametrize(
    ("tampering", "seq", "why"),
    [
        ("update onemap.ledger_text set text = 'rain' where seq = 3", 3, "reason was changed"),
        ("update onemap.ledger_text set salt = '\\x00' where seq = 2", 2, "reason was changed"),
        ("delete from onemap.ledger_text where seq = 2", 2, "reason is missing"),
        ("insert into onemap.ledger_text values (4, '\\x00', 'put there')", 4, "reason was changed"),
        (
            """update onemap.ledger_text set text = 'rain', salt = '\\x00' where seq = 1;
            update onemap.ledger set payload = payload || jsonb_build_object('reason', onemap.text_hash('\\x00', 'rain'))
            where seq = 1""",
            1,
            "text was changed",
        ),
    ],
)
def test_tampering_with_a_reason_is_found_too(reasons, tampering, seq, why):
    reasons.execute(tampering)
    found = run(reasons, ledger.broken())
    assert (found["seq"], why in found["why"]) == (seq, True)


def test_what_is_forgotten_is_gone_with_its_salt_and_the_chain_holds_and_says_so(reasons):
    before = run(reasons, ledger.row(3))
    assert run(reasons, ledger.forget("case:1", AT)) == {"forget_texts": 2}
    assert run(reasons, ledger.forget("case:1", AT)) == {"forget_texts": 0}
    assert [(row["seq"], row["salt"] is None, row["text"]) for row in reasons.execute(TEXTS)] == [
        (1, True, None), (2, False, "strike"), (3, True, None),
    ]  # fmt: skip
    assert run(reasons, ledger.broken()) is None
    assert run(reasons, ledger.row(3)) == before
    told = reasons.execute("select subject, kind, payload from onemap.ledger where seq = 5").fetchone()
    assert told == {"subject": "case:1", "kind": "forgotten", "payload": {"rows": [1, 3]}}
    reasons.execute("delete from onemap.ledger_text where seq = 2")  # by hand, and no row says so
    assert run(reasons, ledger.broken())["seq"] == 2
    reasons.rollback()
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only added to"):
        reasons.execute("update onemap.ledger_text set text = 'x'")


BEFORE = """
create or replace function onemap.write_ledger(at timestamptz, kind text, subjects text[], payloads jsonb[])
returns bigint language plpgsql as $$
declare last bigint := 0; link bytea := '';
begin
  for place in 1 .. array_length(subjects, 1) loop
    insert into onemap.ledger values (place, at, kind, subjects[place], payloads[place], link,
      onemap.ledger_hash(place, at, kind, subjects[place], payloads[place], link)) returning hash into link;
  end loop;
  return last;
end $$;
drop table onemap.ledger_text;
alter table onemap.case_step drop column seq, add reason text;
alter table onemap.cap_alert drop constraint cap_alert_audience_check,
  add constraint cap_alert_audience_check check (audience in ('public', 'room'));
alter table onemap.subscription drop constraint subscription_of_single_events;
delete from onemap.migration where number = 15;
insert into onemap.category values ('theft', 0, 'x', 'x', 1, false);
insert into onemap.case_file (workflow, source, source_key, category, severity, origin, reported_at, cell, zones, spot,
  geom, state, is_open, version, entered_at, changed_at, bounces, paused, stills)
values ('closed_loop', 'made', '1', 'theft', 1, 'citizen', now(), 1, 0, 'srid=4326;point(1 1)', 'srid=4326;point(1 1)',
  'x', true, 2, now(), now(), 0, false, '{}');
insert into onemap.case_step (case_id, version, move, actor, at, state, reason)
select case_id, told.version, 'pause', 'dispatcher', now(), 'x', why from onemap.case_file,
  (values (1, 'strike'), (2, null)) told (version, why);
select onemap.write_ledger('2026-03-02', 'moved', array_agg('case:' || case_id order by step.version), array_agg(
  jsonb_strip_nulls(jsonb_build_object('version', step.version, 'reason', reason)) order by step.version
)) from onemap.case_step step"""


def test_a_chain_of_before_that_has_texts_is_written_anew_once_and_names_the_head_that_it_had(empty_url):
    with connect(empty_url) as connection:
        connection.execute(BEFORE)
        head = run(connection, ledger.head())
        assert "strike" in str(connection.execute("select * from onemap.ledger").fetchall())
        assert migrate(connection) == ["0015_privacy.sql"]
        assert run(connection, ledger.broken()) is None
        assert "strike" not in str(connection.execute("select * from onemap.ledger").fetchall())
        last = connection.execute("select kind, payload from onemap.ledger where seq = 3").fetchone()
        assert last == {"kind": "written_anew", "payload": {"head": f"2:{head['hash']}"}}
        steps = connection.execute(store.steps(1).sql.encode(), store.steps(1).params).fetchall()
        assert [(step["version"], step["reason"]) for step in steps] == [(1, "strike"), (2, None)]


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
