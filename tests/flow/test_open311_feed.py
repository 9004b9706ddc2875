"""Our own feed reader at our own Open311: what one city reports, another loads, in one go and by what has changed."""

import shutil
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from etl import pipeline, vocabulary
from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import Settings
from tests import toy
from tests.mapserver.conftest import bearer, token
from tests.mapserver.process import ROOT, served
from tests.workshop import INCIDENTS, FixedClock, Workshop

FEED = {
    "watermark": "updated_datetime", "since_param": "updated_after", "until_param": "updated_before", "window": "30d",
    "overlap": "1d", "page_size": 7,
}  # fmt: skip
COLUMNS = {
    "category": "service_code", "occurred_at": "requested_datetime", "state": "status", "due_at": "expected_datetime",
    "lon": "long", "lat": "lat", "version": "updated_datetime",
}  # fmt: skip


@pytest.fixture
def other(own_toy, tmp_path):
    """The other city's server, and a way to ask it as its administrator."""
    home = tmp_path / "home"
    env = {
        "ONEMAP_HOME": str(home), "ONEMAP_CITIES": str(ROOT / "tests" / "cities"), "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": own_toy.url,
    }  # fmt: skip
    key = token(Settings(home=home), own_toy.url, Role.ADMIN)
    with served("serve", env=env, log=tmp_path / "log") as server, httpx.Client(base_url=server.url) as client:
        client.headers.update(bearer(key))
        yield client, key


def posted(client, number):
    form = {
        "service_code": ("noise", "theft")[number % 2],
        "long": 10.001 + number / 1000,
        "lat": 50.03,
        "description": f"number {number}",
    }
    answer = client.post("/open311/v2/requests.json", data=form)
    assert answer.status_code == 201, answer.text
    return answer.json()[0]["service_request_id"]


def test_what_is_reported_at_one_city_is_loaded_by_another_and_follows_it(other, empty_url, tmp_path, monkeypatch):
    client, key = other
    monkeypatch.setenv("THEIR_KEY", f"Bearer {key}")
    numbers = [posted(client, number) for number in range(20)]
    shutil.copytree(toy.CITY.folder, tmp_path / "town")
    town = Workshop(tmp_path / "town", empty_url)
    now = datetime.now(UTC)
    feed = FEED | {
        "url": f"{client.base_url}/open311/v2",
        "begin": f"{now - timedelta(days=40):%Y-%m-%d}",
        "headers_env": {"Authorization": "THEIR_KEY"},
    }
    changes = {"file": None, "attributes": {"text": "description"}, "constants": {"origin": "citizen"}}
    source = town.source(
        INCIDENTS | changes,
        format="open311",
        mode="changes",
        key=["service_request_id"],
        columns=COLUMNS,
        feed=feed,
    )
    assert load(town, source) == 20
    rows = town.rows(
        """select source_key, category, state, occurred_at, st_x(geom) as lon, st_y(geom) as lat, attributes ->> 'text' as text
        from onemap.incident"""
    )
    theirs = client.get("/open311/v2/requests.json").json()
    assert {row["source_key"]: tuple(row.values())[1:] for row in rows} == {
        each["service_request_id"]: (
            each["service_code"],
            each["status"],
            datetime.fromisoformat(each["requested_datetime"]),
            each["long"],
            each["lat"],
            each["description"],
        )
        for each in theirs
    }
    assert {row["source_key"] for row in rows} == set(numbers)

    move = {"move": "decline", "version": 0, "reason": "not ours"}
    assert client.post(f"/cases/{numbers[3]}/moves", json=move).status_code == 200
    numbers.append(posted(client, 20))
    assert load(town, source) == 2
    states = town.rows("select source_key, state from onemap.incident where state = 'closed'")
    assert states == [{"source_key": numbers[3], "state": "closed"}]
    assert load(town, source) == 0


def load(town, source):
    """How many rows a load has brought or changed."""
    with connect(town.url) as connection:
        vocabulary.write(connection, town.city)
    clock = FixedClock(datetime.now(UTC) + timedelta(seconds=5))
    found = pipeline.run(town.url, town.city, source, clock)
    return sum(result.account.inserted + result.account.updated for result in found)
