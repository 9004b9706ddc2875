"""The database as an audience sees it."""

import asyncio
import time
from contextlib import suppress

import psycopg
import pytest

from layers.catalog.incidents import INCIDENTS
from layers.core.audience import PUBLIC, Audience, Role
from layers.core.db import Database, connect
from layers.core.errors import BadValue, Unavailable
from layers.core.statement import Statement
from layers.geo.bbox import Bbox
from layers.query import features
from layers.query.selection import Selection
from tests import toy
from tests.hang import hanging

COUNT = Statement("select count(*) from onemap.incident")
ROOM = Audience(Role.ROOM)


async def test_the_room_counts_every_incident(toy_db):
    assert await toy_db.value(ROOM, COUNT) == 1500


async def test_the_public_cannot_read_incidents_even_by_hand_written_sql(toy_db):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await toy_db.value(PUBLIC, COUNT)


@pytest.mark.parametrize(
    ("role", "column"), [(Role.ROOM, "geom"), (Role.ROOM, "attributes"), (Role.ANALYST, "geom")]
)
async def test_a_column_beyond_the_role_is_refused_by_the_database_itself(toy_db, role, column):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await toy_db.value(Audience(role), Statement(f"select {column} from onemap.incident limit 1"))


async def test_no_role_reads_tokens_or_quarantine(toy_db):
    for table in ("token", "quarantine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await toy_db.value(Audience(Role.ADMIN), Statement(f"select count(*) from onemap.{table}"))


@pytest.mark.parametrize("column", ["source_key", "attributes", "geom", "state", "severity"])
async def test_of_what_was_known_before_no_role_reads_more_than_heat_counts(toy_db, column):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await toy_db.value(Audience(Role.ADMIN), Statement(f"select {column} from onemap.incident_history"))


async def test_a_scope_sees_its_own_area_and_all_below_it(toy_db, shared_toy):
    village = Audience(Role.ROOM, shared_toy.area_id("V1"))
    expected = sum(row.grid.startswith("V1") for row in shared_toy.rows)
    assert 0 < expected < 1500
    assert await toy_db.value(village, COUNT) == expected


async def test_a_transaction_without_a_scope_setting_sees_nothing(shared_toy):
    with connect(shared_toy.url) as connection:
        connection.execute("set local role onemap_room")
        assert connection.execute("select count(*) as n from onemap.incident").fetchone()["n"] == 0


async def test_the_audience_does_not_leak_into_the_next_transaction_of_the_same_connection(shared_toy):
    village = Audience(Role.ROOM, shared_toy.area_id("V1"))
    async with Database(shared_toy.url, pool_size=1) as db:
        inside = await db.value(village, COUNT)
        assert await db.value(ROOM, COUNT) == 1500 > inside
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await db.value(PUBLIC, COUNT)


@pytest.mark.parametrize("scoped", [False, True])
async def test_a_box_is_found_with_the_spatial_index_under_row_level_security(toy_db, shared_toy, scoped):
    audience = Audience(Role.ROOM, shared_toy.area_id("V1") if scoped else None)
    selection = Selection(INCIDENTS, audience, toy.FIRST, bbox=Bbox(10.02, 50.02, 10.021, 50.021))
    statement = features.page(selection, 10)
    async with toy_db.transaction(audience) as tx:
        plan = await tx.rows(Statement(f"explain {statement.sql}", statement.params))
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "incident_spot" in text
    assert "Index Cond: (spot &&" in text


async def test_a_hung_statement_ends_at_the_time_limit_of_this_side(shared_toy):
    async with Database(shared_toy.url, pool_size=1, timeout_s=0.3) as db:
        with pytest.raises(Unavailable):
            await db.value(ROOM, Statement("select pg_sleep(30)"))
        assert await db.value(ROOM, COUNT) == 1500


async def test_a_server_that_hangs_keeps_nobody_longer_than_the_limit_and_a_second(shared_toy):
    async with Database(shared_toy.url, pool_size=2, timeout_s=1) as db:
        assert await db.value(ROOM, COUNT) == 1500
        with hanging(shared_toy.url):
            for _ in range(3):  # the idle connections, and one that has to be made
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    await db.value(ROOM, COUNT)
                assert time.monotonic() - began < 2
        began = time.monotonic()
        while True:
            with suppress(Unavailable):
                assert await db.value(ROOM, COUNT) == 1500
                break
        assert time.monotonic() - began < 2


async def test_a_server_that_hangs_amid_a_statement_is_left_as_soon(shared_toy):
    async with Database(shared_toy.url, pool_size=1, timeout_s=1) as db:
        began = time.monotonic()
        with pytest.raises(Unavailable):  # noqa: PT012
            async with db.transaction(ROOM) as tx:
                with hanging(shared_toy.url):
                    await tx.value(COUNT)
        assert time.monotonic() - began < 2


async def test_a_connection_that_the_server_ended_while_it_was_idle_is_not_used(shared_toy):
    async with Database(shared_toy.url, pool_size=1) as db:
        backend = await db.value(ROOM, Statement("select pg_backend_pid()"))
        with connect(shared_toy.url) as connection:
            connection.execute("select pg_terminate_backend(%s, 5000)", [backend])
        assert await db.value(ROOM, COUNT) == 1500


async def test_a_read_is_one_exchange_with_the_server(shared_toy, tmp_path):
    async with Database(shared_toy.url, pool_size=1) as db:
        with (tmp_path / "trace").open("w") as trace:
            async with db._pool.connection() as connection:
                connection.pgconn.trace(trace.fileno())
            assert await db.value(ROOM, COUNT) == 1500
            async with db._pool.connection() as connection:
                connection.pgconn.untrace()
    told = (tmp_path / "trace").read_text()
    assert told.count("ReadyForQuery") == told.count("Sync") == 1
    assert told.count("CommandComplete") == 4  # begin, the audience, the question, commit


async def test_no_plan_is_kept_for_values_that_are_not_known(shared_toy):
    async with Database(shared_toy.url, pool_size=1) as db:
        for number in range(20):
            statement = Statement(
                "select count(*) from onemap.incident where incident_id > %(id)s", {"id": number}
            )
            assert await db.value(ROOM, statement) == 1500 - number
        plans = await db.row(
            ROOM,
            Statement(
                "select generic_plans, custom_plans from pg_prepared_statements where statement ~ 'incident_id >'"
            ),
        )
    assert plans["custom_plans"] > 10
    assert plans["generic_plans"] == 0


async def test_a_busy_pool_answers_unavailable_instead_of_waiting(shared_toy):
    async with Database(shared_toy.url, pool_size=1, timeout_s=2) as db:
        async with db.transaction(ROOM):
            began = time.monotonic()
            with pytest.raises(Unavailable):
                await db.value(ROOM, COUNT)
            assert time.monotonic() - began < 1.8
        assert await db.value(ROOM, COUNT) == 1500


def test_an_address_where_nothing_answers_is_unavailable():
    with pytest.raises(Unavailable, match="does not answer"):
        connect("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")


async def test_a_stream_gives_every_row_once_and_never_more_than_a_batch(toy_db):
    statement = Statement("select incident_id from onemap.incident order by incident_id")
    batches = [batch async for batch in toy_db.stream(ROOM, statement, 400)]
    assert [len(batch) for batch in batches] == [400, 400, 400, 300]
    streamed = [number for batch in batches for (number,) in batch]
    assert streamed == [row["incident_id"] for row in await toy_db.rows(ROOM, statement)]


async def test_a_stream_runs_as_its_audience(toy_db, shared_toy):
    statement = Statement("select 1 from onemap.incident")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await anext(toy_db.stream(PUBLIC, statement, 10))
    village = Audience(Role.ROOM, shared_toy.area_id("V1"))
    seen = sum([len(batch) async for batch in toy_db.stream(village, statement, 100)])
    assert seen == sum(row.grid.startswith("V1") for row in shared_toy.rows)


@pytest.mark.parametrize("when", ["between batches", "within a batch"])
async def test_a_stream_that_nobody_reads_on_ends_its_query_and_gives_its_connection_back(shared_toy, when):
    async with Database(shared_toy.url, pool_size=1) as db:
        slowly = Statement("select n, pg_sleep(case when n > 5 then 0.5 else 0 end) from generate_series(1, 99) n")
        stream = db.stream(ROOM, slowly, 5)
        assert len(await anext(stream)) == 5
        if when == "within a batch":
            reading = asyncio.create_task(anext(stream))
            await asyncio.sleep(0.2)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        await stream.aclose()
        began = time.monotonic()
        assert await db.value(ROOM, COUNT) == 1500
        assert time.monotonic() - began < 1
    with connect(shared_toy.url) as connection:
        running = connection.execute(
            "select query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchall()
    assert not [row for row in running if "generate_series" in row["query"]]


async def test_a_batch_that_takes_too_long_is_unavailable_however_quick_those_before_were(shared_toy):
    async with Database(shared_toy.url, pool_size=1, timeout_s=0.5) as db:
        slowly = Statement("select n, pg_sleep(case when n > 3 then 30 else 0.2 end) from generate_series(1, 9) n")
        stream = db.stream(ROOM, slowly, 1)
        assert [await anext(stream) for _ in range(3)]
        with pytest.raises(Unavailable):
            await anext(stream)
        assert await db.value(ROOM, COUNT) == 1500


async def test_streams_leave_half_of_the_connections_to_others(shared_toy):
    async with Database(shared_toy.url, pool_size=2, timeout_s=1) as db:
        first, second = (db.stream(ROOM, COUNT, 1) for _ in range(2))
        await anext(first)
        with pytest.raises(Unavailable):
            await anext(second)
        assert await db.value(ROOM, COUNT) == 1500
        await first.aclose()
        assert [rows async for rows in db.stream(ROOM, COUNT, 1)] == [[(1500,)]]


async def test_a_geometry_that_a_system_has_no_place_for_is_a_mistake_of_who_asks_for_that_system(toy_db):
    statement = Statement("select ST_AsText(ST_Transform(ST_SetSRID(ST_MakePoint(204, 0), 4326), 4547))")
    with pytest.raises(BadValue) as caught:
        await toy_db.value(PUBLIC, statement)
    with pytest.raises(BadValue):
        await anext(toy_db.stream(PUBLIC, statement, 1))
    assert caught.value.context == {"parameter": "crs"}
    with pytest.raises(psycopg.errors.InternalError_):
        await toy_db.value(PUBLIC, Statement("select ST_GeomFromText('nonsense')"))


async def test_times_are_utc_whatever_zone_the_database_is_set_to(empty_url):
    with connect(empty_url) as connection:
        connection.execute(
            "do $$ begin execute format('alter database %I set timezone = ''Asia/Shanghai''', current_database()); end $$"
        )
    async with Database(empty_url, pool_size=1) as db:
        said = await db.value(PUBLIC, Statement("select timestamptz '2025-03-01T00:00:00Z'::text"))
    assert said == "2025-03-01 00:00:00+00"
