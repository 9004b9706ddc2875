"""The worker that `onemap up` keeps."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from layers.core.audience import Role
from layers.core.cluster import Cluster
from layers.core.db import connect
from layers.core.settings import Settings
from tests.mapserver.conftest import bearer, token
from tests.mapserver.process import gone, served
from tests.workshop import AREAS, INCIDENTS, Workshop, area, call


@pytest.fixture
def env(home, tmp_path, toy_settings, dist):
    city = tmp_path / "cities" / "toy"
    shutil.copytree(toy_settings.city_folder, city)
    return {
        "ONEMAP_HOME": str(home),
        "ONEMAP_CITIES": str(city.parent),
        "ONEMAP_CITY": "toy",
        "ONEMAP_SCREENS": str(dist),
    }


def worker_of(server):
    """Its worker's process, a child of the keeper."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError):  # one of them ends meanwhile
            for keeper in server.children():
                for pid in children(keeper):
                    if b"work" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                        return pid
        time.sleep(0.05)
    raise AssertionError("there is no worker")


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_is_there_and_one_that_is_killed_is_followed_by_another(env, tmp_path):
    with served("up", env=env, log=tmp_path / "log") as server:
        first = worker_of(server)
        os.kill(first, signal.SIGKILL)
        assert gone([first], 5)
        second = worker_of(server)
        assert second != first
        assert server.stop(signal.SIGINT) < 10
        assert gone([second], 0.1)


def test_a_worker_does_not_outlive_its_parent(env, tmp_path):
    with served("up", env=env, log=tmp_path / "log") as server:
        worker = worker_of(server)
        time.sleep(1)  # it has said by now with whom it ends
        server.stop(signal.SIGKILL)
        assert gone([worker], 5)


def test_a_file_that_is_dropped_into_the_folder_is_loaded(env, home, tmp_path):
    shop = Workshop(tmp_path / "cities" / "toy")
    shop.source(AREAS, watch=True)
    with served("up", env=env, log=tmp_path / "log") as server:
        shop.geojson("tree.geojson", [area("district", "D", None, (10.0, 50.0, 10.1, 50.06))])
        deadline = time.monotonic() + 40
        names = []
        while not names and time.monotonic() < deadline:
            time.sleep(0.2)
            with connect(Cluster(home).url("onemap_toy")) as connection:
                names = connection.execute("select name_en from onemap.area").fetchall()
        assert names == [{"name_en": "D"}], (tmp_path / "log").read_text()
        server.stop()


def test_rows_that_are_pushed_land_and_their_job_says_so(env, home, tmp_path):
    Workshop(tmp_path / "cities" / "toy").source(INCIDENTS, id="desk", format="push", file=None)
    with served("up", env=env, log=tmp_path / "log") as server:
        text = token(Settings(home=home), Cluster(home).url("onemap_toy"), Role.DISPATCHER)
        with httpx.Client(base_url=server.url, headers=bearer(text)) as client:
            deadline = time.monotonic() + 40
            rows = [call(1), call(2), call(3, kind="nonsense")]
            while (answer := client.post("/ingest/desk", json=rows, headers={"Idempotency-Key": "k"})).is_error:
                assert (answer.status_code, time.monotonic() < deadline) == (404, True), answer.text
                time.sleep(0.2)
            job = {"state": "queued"}
            while job["state"] in ("queued", "running") and time.monotonic() < deadline:
                time.sleep(0.2)
                job = client.get(answer.headers["location"]).json()
            assert (job["state"], job["message"]) == ("done", None)
            assert (job["account"]["inserted"], job["account"]["quarantined"]) == (2, 1)
            long = client.post(
                "/ingest/desk",
                content=b" " * 10_000_001,
                headers={"Idempotency-Key": "l", "Content-Type": "application/json"},
            )
            assert long.status_code == 413
        server.stop()
