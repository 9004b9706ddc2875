"""What stores hear of the incidents, whatever loads do to them."""

from collections import Counter
from dataclasses import replace

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.audience import Audience, Role
from layers.core.db import connect
from layers.heat.follow.deltas import CHANNEL, changes, forget, state_of
from layers.heat.follow.moment import one_moment

FACTS = """select floor(extract(epoch from occurred_at))::bigint as t, cell, coalesce(area_id, 0) as area_id, category,
origin = 'patrol' as patrol, zones from onemap.incident"""

INSERT = """insert into onemap.incident (source, source_key, category, origin, occurred_at, severity, cell, area_id,
  zones, spot, geom, attributes, content_hash, run_id)
select {source}, n || '-' || gen_random_uuid(), category, origin, occurred_at + n * interval '0.4 seconds', severity, cell,
  area_id, zones, spot, geom, attributes, content_hash, run_id
from onemap.incident, generate_series(1, {count}) n where source = 'toy' and source_key = {key}"""

SET = {
    "category": "case category when 'noise' then 'theft' else 'noise' end",
    "origin": "case origin when 'patrol' then 'citizen' else 'patrol' end",
    "another origin": "'hotline'",
    "occurred_at": "occurred_at + interval '0.3 seconds'",
    "another occurred_at": "occurred_at + interval '1 minute'",
    "cell": "cell + 1",
    "area_id": "case when area_id is null then 1 end",
    "zones": "zones # 2",
    "severity": "severity + 1",
    "state": "'closed'",
}
DAYS = """insert into onemap.stale_day select generate_series('2024-12-01', '2025-06-30', interval '1 day')::date
on conflict do nothing"""
HEARD = {"category", "origin", "another occurred_at", "cell", "area_id", "zones"}

session = st.sampled_from(["one", "two"])
action = st.one_of(
    st.tuples(st.just("insert"), session, st.integers(0, 20)),
    st.tuples(st.just("copy"), session, st.integers(0, 20)),
    st.tuples(st.just("delete"), session, st.integers(1, 4)),
    st.tuples(st.just("update"), session, st.sampled_from(sorted(SET))),
    st.tuples(st.sampled_from(["commit", "rollback", "savepoint", "back", "look"]), session, st.none()),
)


class Session:
    """A loader with rows of its own, whose transactions end as the test has it."""

    def __init__(self, url, source):
        self.connection = connect(url)
        self.source = source
        self.saved = 0

    def do(self, what, given):
        getattr(self, what)(given)

    def insert(self, count):
        self._execute(INSERT.format(source=f"'{self.source}'", count=count, key="'k1'"))

    def copy(self, count):
        columns = "source, source_key, category, origin, occurred_at, severity, cell, zones, spot, geom, attributes, content_hash, run_id"
        rows = self._execute(
            f"select {columns} from onemap.incident where source = 'toy' limit {count}"
        ).fetchall()
        key = self._execute("select gen_random_uuid() as key").fetchone()["key"]
        with self.connection.cursor().copy(f"copy onemap.incident ({columns}) from stdin") as copy:
            for number, row in enumerate(rows):
                made = row | {
                    "source": self.source,
                    "source_key": f"{key}-{number}",
                    "attributes": "{}",
                    "content_hash": "\\x",
                }
                copy.write_row(list(made.values()))

    def update(self, fact):
        column = fact.removeprefix("another ")
        self._execute(
            f"update onemap.incident set {column} = {SET[fact]} where source = '{self.source}' and incident_id % 3 > 0"
        )

    def delete(self, every):
        self._execute(f"delete from onemap.incident where source = '{self.source}' and incident_id % {every} = 0")

    def savepoint(self, _):
        self.saved += 1
        self._execute(f"savepoint s{self.saved}")

    def back(self, _):
        if self.saved:
            self._execute(f"rollback to savepoint s{self.saved}")
            self.saved -= 1

    def commit(self, _=None):
        self.connection.commit()
        self.saved = 0

    def rollback(self, _=None):
        self.connection.rollback()
        self.saved = 0

    def _execute(self, sql):
        return self.connection.execute(sql.encode())


def now_at(url, before=None):
    with connect(url) as connection, one_moment(connection):
        return state_of(connection, before)


def facts(url):
    with connect(url) as connection:
        return Counter(tuple(row.values()) for row in connection.execute(FACTS))


def news(url, since):
    with connect(url) as connection, one_moment(connection):
        return changes(connection, since)


def as_counter(found):
    signed = Counter()
    columns = (found.t, found.cell, found.area, found.plane, found.zones, found.sign)
    for t, cell, area, plane, zones, sign in zip(*(column.tolist() for column in columns), strict=True):
        signed[t, cell, area, found.planes[plane].category, found.planes[plane].patrol, zones] += sign
    return signed


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(action, min_size=5, max_size=30))
def test_what_is_heard_is_what_has_come_and_gone_however_transactions_overlap_and_end(own_toy, actions):
    # Of two that mark the same new day, the second would wait for the first; here one thread does both.
    do(own_toy.url, DAYS)
    sessions = {name: Session(own_toy.url, name) for name in ("one", "two")}
    state, held = now_at(own_toy.url), facts(own_toy.url)
    first = held.copy()

    def look():
        nonlocal state
        found = news(own_toy.url, state)
        assert found is not None
        assert (found.state.seq > state.seq) == (len(found.changes) > 0)
        state = found.state
        held.update(as_counter(found.changes))
        assert +held == facts(own_toy.url)
        assert -held == Counter()

    for what, who, given_ in actions:
        if what == "look":
            look()
        else:
            sessions[who].do(what, given_)
    look()
    for one in sessions.values():
        one.commit()
    look()
    for one in sessions.values():
        one.do("delete", 1)
        one.commit()
        one.connection.close()
    look()
    assert held == first | Counter(dict.fromkeys(held, 0))


def do(url, *statements):
    with connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize("fact", SET)
def test_each_fact_alone_is_heard_of_and_no_other(own_toy, fact):
    since, before = now_at(own_toy.url), facts(own_toy.url)
    column = fact.removeprefix("another ")
    do(own_toy.url, f"update onemap.incident set {column} = {SET[fact]} where source_key in ('k1', 'k2')")
    found = news(own_toy.url, since).changes
    after = facts(own_toy.url)
    before.update(as_counter(found))
    assert +before == after
    assert len(found) == (4 if fact in HEARD else 0)


def test_a_store_hears_nothing_where_nothing_was_done(own_toy):
    since = now_at(own_toy.url)
    found = news(own_toy.url, since)
    assert (len(found.changes), found.state) == (0, since)


def test_an_update_that_changes_no_fact_of_heat_is_not_heard_of(own_toy):
    since = now_at(own_toy.url)
    with connect(own_toy.url) as connection:
        connection.autocommit = True
        connection.execute(f"listen {CHANNEL}".encode())
        do(
            own_toy.url,
            "update onemap.incident set occurred_at = date_trunc('second', occurred_at) + interval '0.2 seconds', state = 'x'",
        )
        assert list(connection.notifies(timeout=0.2)) == []
    assert len(news(own_toy.url, since).changes) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update onemap.incident set zones = 4",
        "delete from onemap.incident",
        INSERT.format(source="'new'", count=5, key="'k1'"),
        "truncate onemap.incident",
    ],
    ids=lambda s: s.split()[0],
)
def test_whoever_listens_is_woken_once_by_a_commit_and_never_before(own_toy, statement):
    with connect(own_toy.url) as connection, connect(own_toy.url) as writer:
        connection.autocommit = True
        connection.execute(f"listen {CHANNEL}".encode())
        writer.execute(statement.encode())
        assert list(connection.notifies(timeout=0.1)) == []
        writer.commit()
        assert len(list(connection.notifies(timeout=1, stop_after=1))) == 1
        assert list(connection.notifies(timeout=0.1)) == []


def test_a_table_that_became_another_one_is_to_be_read_anew_and_then_followed_again(own_toy):
    since = now_at(own_toy.url)
    do(own_toy.url, "truncate onemap.incident")
    assert news(own_toy.url, since) is None
    since = now_at(own_toy.url)
    assert len(news(own_toy.url, since).changes) == 0


def test_a_change_that_commits_late_is_heard_of_and_gives_a_later_version(own_toy):
    since = now_at(own_toy.url)
    with connect(own_toy.url) as slow:
        slow.execute("delete from onemap.incident where source_key = 'k1'")
        do(own_toy.url, "delete from onemap.incident where source_key = 'k2'")
        first = news(own_toy.url, since)
        forget_at(own_toy.url, first.state)
        slow.commit()
    second = news(own_toy.url, first.state)
    assert (len(first.changes), len(second.changes)) == (1, 1)
    assert since.seq < first.state.seq < second.state.seq


def forget_at(url, state):
    with connect(url) as connection:
        forget(connection, state)


def test_what_is_forgotten_was_heard_and_a_store_that_did_not_hear_it_is_built_anew(own_toy):
    old = now_at(own_toy.url)
    do(own_toy.url, "delete from onemap.incident where source_key = 'k1'")
    heard = news(own_toy.url, old).state
    do(own_toy.url, "delete from onemap.incident where source_key = 'k2'")
    forget_at(own_toy.url, heard)
    with connect(own_toy.url) as connection:
        assert connection.execute("select count(*) from onemap.heat_delta where sign < 0").fetchone()["count"] == 1
    assert len(news(own_toy.url, heard).changes) == 1
    assert news(own_toy.url, old) is None
    forget_at(own_toy.url, old)
    assert news(own_toy.url, old) is None, "the horizon does not come nearer again"


def test_a_store_that_saw_what_this_database_has_not_seen_yet_is_built_anew(own_toy):
    since = now_at(own_toy.url)
    assert news(own_toy.url, replace(since, snapshot="99999999:99999999:")) is None
    assert news(own_toy.url, replace(since, epoch="another")) is None


def test_tables_that_were_restored_are_not_those_that_were_followed(own_toy):
    since = now_at(own_toy.url)
    do(
        own_toy.url,
        "create table kept as select * from onemap.heat_delta",
        "alter table onemap.heat_delta rename to old",
        "create table onemap.heat_delta (like onemap.old including all)",
    )
    assert news(own_toy.url, since) is None


def test_so_many_changes_are_not_followed_one_by_one(own_toy, monkeypatch):
    monkeypatch.setattr("layers.heat.follow.deltas.MOST", 10)
    since = now_at(own_toy.url)
    do(
        own_toy.url,
        "delete from onemap.incident where source_key in ('k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9', 'k10')",
    )
    assert len(news(own_toy.url, since).changes) == 10
    do(own_toy.url, "delete from onemap.incident where source_key = 'k11'")
    assert news(own_toy.url, since) is None


@pytest.mark.parametrize("role", Role, ids=lambda role: role.slug)
@pytest.mark.parametrize("table", ["heat_delta", "heat_horizon"])
def test_no_audience_reads_what_stores_hear(shared_toy, role, table):
    with connect(shared_toy.url) as connection:
        connection.execute(f"set role {Audience(role).policy.db_role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select from onemap.{table}".encode())
