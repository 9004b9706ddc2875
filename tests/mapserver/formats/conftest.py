"""The toy city with a row in every layer, and who may read all of it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from layers.cases.sla import Policies
from layers.cases.worktime import WorkTime
from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import LimitSettings, Settings
from tests import toy
from tests.conftest import _clone, _drop
from tests.layers.cases.desk import Desk, report
from tests.mapserver.conftest import asking, bearer, running, token

_FURTHER = (
    """insert into onemap.road (source, source_key, class, name_zh, oneway, layer, geom, content_hash, run_id)
    select 'toy', 'r1', '=cmd|calc', '中山路 "北"', 'no', -1,
      ST_GeomFromText('MULTILINESTRING((10 50, 10.01 50.02))', 4326), '', max(run_id) from onemap.run""",
    """insert into onemap.place (source, source_key, kind, name_zh, geom, content_hash, run_id)
    select 'toy', 'p1', 'library', E'图书馆,\\n"二"', ST_SetSRID(ST_MakePoint(10.02, 50.02), 4326), '', max(run_id)
    from onemap.run""",
    """insert into onemap.finding (run_id, at, kind, changed, row_number, message, amount, place)
    select max(run_id), '2025-03-01T12:00:00.25Z', kind, kind = 'gap', 9007199254740993, '-1', amount, place
    from onemap.run, (values ('gap', 0.1::float8, ST_MakeEnvelope(10.01, 50.01, 10.02, 50.02, 4326)),
      ('spike', null, ST_SetSRID(ST_MakePoint(10.03, 50.03), 4326))) found (kind, amount, place)
    group by kind, amount, place""",
    """update onemap.incident set attributes = '{"deep": {"list": [1, null, "是"]}, "note": "a\\u0009b"}'
    where source_key = 'k1'""",
)


@pytest.fixture(scope="module")
def town(cluster, toy_template) -> Iterator[str]:
    """URL of its database."""
    name = _clone(cluster, toy_template)
    url = cluster.url(name)
    with connect(url) as connection:
        for sql in _FURTHER:
            connection.execute(sql)
        toy.station(connection, "C1", 10.03, 50.02, kind="camera", device_id="34020000001320000001")
        Desk(connection, Policies((), WorkTime.of(toy.CITY))).register(report())
    yield url
    _drop(cluster, name)


@pytest.fixture(scope="module")
async def client(town, toy_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its app, nobody in particular."""
    limits = LimitSettings(token_burst=1e6, public_burst=1e6)
    async with running(toy_settings.model_copy(update={"limits": limits}), town) as app, asking(app) as made:
        yield made


@pytest.fixture(scope="module")
def dispatcher(town, toy_settings: Settings) -> dict[str, str]:
    """Headers of one who may read everything."""
    return bearer(token(toy_settings, town, Role.DISPATCHER))


@pytest.fixture(scope="module")
def room(town, toy_settings: Settings) -> dict[str, str]:
    """Headers of the command room."""
    return bearer(token(toy_settings, town, Role.ROOM))
