"""What is nearest, against all distances counted; and who is told what of it."""

import pytest

from layers.core.audience import Audience, Role
from layers.core.db import Database, connect
from layers.query.resources import nearest, unknown_unit
from tests import toy

ROOM, DISPATCHER = Audience(Role.ROOM), Audience(Role.DISPATCHER)
HERE = (10.031, 50.021)
AT = toy.FIRST
DEVICE = "34020000001320000001"


@pytest.fixture
def many(own_toy):
    """Three thousand resources in rows that are no squares: a degree of longitude is shorter than one of latitude."""
    with connect(own_toy.url) as connection:
        connection.execute(
            """with made as (
              insert into onemap.resource (code, source) select 'R' || n, 'toy' from generate_series(1, 3000) n
              returning resource_id, code
            ) insert into onemap.resource_version (resource_id, valid, kind, unit, geom, run_id)
            select resource_id, case when n %% 5 = 0 then tstzrange(null, %(at)s) else tstzrange(null, null) end,
              case when n %% 50 = 1 then 'team' else 'centre' end, case when n %% 50 = 1 then 'unit ' || n end,
              ST_SetSRID(ST_MakePoint(10 + (n * 37 %% 1000) / 10000.0, 50 + (n * 61 %% 600) / 10000.0), 4326),
              (select min(run_id) from onemap.run)
            from (select *, substr(code, 2)::int as n from made) numbered""",
            {"at": AT},
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("analyze onemap.resource_version")
    return own_toy


@pytest.mark.parametrize("kind", [None, "team"])
async def test_the_nearest_are_those_of_all_counted_and_none_that_has_ended(many, kind):
    counted = """select code, ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography) as far
    from onemap.resource_version join onemap.resource using (resource_id)
    where valid @> %s::timestamptz and kind = coalesce(%s, kind) order by far limit 7"""
    with connect(many.url) as connection:
        expected = connection.execute(counted, [*HERE, AT, kind]).fetchall()
    async with Database(many.url, pool_size=1) as db:
        found = await db.rows(ROOM, nearest(*HERE, AT, ROOM, 7, kind))
    assert [row["distance_m"] for row in found] == [row["far"] for row in expected]
    assert {row["kind"] for row in found} <= {kind or row["kind"] for row in found}


@pytest.mark.parametrize("kind", [None, "team"])
def test_the_index_gives_them_in_order_without_a_look_at_all(many, kind):
    asked = nearest(*HERE, AT, ROOM, 5, kind)
    with connect(many.url) as connection:
        plan = connection.execute(f"explain (format text) {asked.sql}".encode(), asked.params).fetchall()
    told = "\n".join(next(iter(row.values())) for row in plan)
    assert "Index Scan using resource_version_near" in told
    assert "Order By" in told


async def test_a_device_and_its_link_are_for_those_who_dispatch_alone(own_toy):
    with connect(own_toy.url) as connection:
        toy.station(connection, "C1", *HERE, kind="camera", device_id=DEVICE)
    async with Database(own_toy.url, pool_size=1) as db:
        for audience, told in ((ROOM, None), (Audience(Role.PLANNER), None), (DISPATCHER, DEVICE)):
            (found,) = await db.rows(audience, nearest(*HERE, AT, audience, 5))
            assert found["device_id"] == told
            assert (found["link"] is None) == (told is None)
        with pytest.raises(Exception, match="permission denied"):
            await db.rows(ROOM, nearest(*HERE, AT, DISPATCHER, 5))
        with pytest.raises(Exception, match="permission denied"):
            await db.rows(Audience(), nearest(*HERE, AT, ROOM, 5))


async def test_a_unit_is_unknown_only_where_the_city_says_which_there_are(own_toy):
    async with Database(own_toy.url, pool_size=1) as db:
        assert await db.value(DISPATCHER, unknown_unit("anyone", AT)) is False
        with connect(own_toy.url) as connection:
            toy.station(connection, "T1", *HERE, unit="team one")
            toy.station(connection, "T2", *HERE, unit="gone", valid="(,2024-01-01)")
        told = [await db.value(DISPATCHER, unknown_unit(unit, AT)) for unit in ("team one", "anyone", "gone")]
    assert told == [False, True, True]
