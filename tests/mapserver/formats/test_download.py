"""A hundred thousand features on their way out of the real server."""

import os
import re
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from layers.core.audience import Role
from layers.core.db import connect
from mapserver.formats.registry import FORMATS
from tests.conftest import _clone, _drop
from tests.mapserver.conftest import bearer, token
from tests.mapserver.process import alive, gone, served

ROWS = 100_500
GROWTH_MB = 12
PATH = "/collections/incidents/items"


@pytest.fixture(scope="module")
def crowd(cluster, toy_template):
    """The toy city with so many incidents."""
    name = _clone(cluster, toy_template)
    url = cluster.url(name)
    with connect(url) as connection:
        connection.execute(
            "set local session_replication_role = replica"
        )  # no triggers: only rows are wanted here
        found = connection.execute(
            """select column_name as name from information_schema.columns where table_schema = 'onemap'
            and table_name = 'incident' and is_generated = 'NEVER' and column_name not in ('incident_id', 'source_key')"""
        ).fetchall()
        columns = ", ".join(row["name"] for row in found)
        connection.execute(
            f"""insert into onemap.incident ({columns}, source_key)
            select {columns}, source_key || '-' || n from onemap.incident, generate_series(2, {ROWS // 1500}) n"""
        )
    yield url
    _drop(cluster, name)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Where the server's processes put what is there for a while."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def server(crowd, toy_settings, scratch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    env = {
        "ONEMAP_HOME": str(toy_settings.home),
        "ONEMAP_CITIES": str(toy_settings.cities.resolve()),
        "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": crowd,
        "ONEMAP_SCREENS": str(folder / "none"),
        "TMPDIR": str(scratch),
    }
    with served("serve", env=env, log=folder / "log") as made:
        yield made


@pytest.fixture(scope="module")
def dispatcher(crowd, toy_settings):
    return bearer(token(toy_settings, crowd, Role.DISPATCHER))


def worker(server):
    """The process that answers."""
    return max(server.children(), key=lambda pid: memory_mb(pid, "VmRSS"))


def memory_mb(pid, what):
    found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024


def packers(pid):
    """Processes that pack for a server's process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def streams(crowd):
    """Sessions of the server that are inside a transaction, and for how long their queries ran."""
    with connect(crowd) as connection:
        return connection.execute(
            """select pid, state, query from pg_stat_activity where datname = current_database()
            and pid <> pg_backend_pid() and state <> 'idle'"""
        ).fetchall()


def settled(what, within_s=5):
    """Whether it comes to be so in time."""
    until = time.monotonic() + within_s
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def ask(server, headers, name):
    """A socket on which a file has begun to come, and is read no further."""
    address = server.url.removeprefix("http://").split(":")
    line = socket.create_connection((address[0], int(address[1])), timeout=60)
    told = "".join(f"{key}: {value}\r\n" for key, value in {"Host": "map.test", **headers}.items())
    line.sendall(f"GET {PATH}?f={name} HTTP/1.1\r\n{told}\r\n".encode())
    assert line.recv(4096).startswith(b"HTTP/1.1 200")
    return line


@pytest.mark.parametrize("name", FORMATS)
def test_memory_stays_flat_while_a_hundred_thousand_features_leave(server, dispatcher, scratch, name):
    pid = worker(server)

    def fetch(**params):
        count = 0
        with httpx.stream(
            "GET", server.url + PATH, params={"f": name, **params}, headers=dispatcher, timeout=60
        ) as answer:
            assert answer.status_code == 200
            for chunk in answer.iter_bytes():
                count += chunk.count(b"\n")
        return count

    fetch(limit=2000)  # what is loaded once does not count
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = memory_mb(pid, "VmHWM")
    lines = fetch()
    assert memory_mb(pid, "VmHWM") - before < GROWTH_MB
    if name in ("csv", "geojsonseq"):
        assert lines == ROWS + (name == "csv")
    assert packers(pid) == []
    assert list(scratch.glob("onemap-*")) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_client_that_goes_away_ends_the_query_and_the_packing(server, dispatcher, crowd, scratch, name):
    pid = worker(server)
    assert settled(lambda: not streams(crowd))
    with closing(ask(server, dispatcher, name)):
        if name != "fgb":  # its file begins to come when all is written
            assert settled(lambda: streams(crowd))
    assert settled(lambda: not streams(crowd))
    assert settled(lambda: packers(pid) == [])
    assert settled(lambda: list(scratch.glob("onemap-*")) == [])


def test_a_client_that_goes_away_before_anything_came_ends_the_packing(server, dispatcher, crowd, scratch):
    pid = worker(server)
    address = server.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((address[0], int(address[1])))) as line:
        told = f"Host: map.test\r\nAuthorization: {dispatcher['Authorization']}\r\n"
        line.sendall(f"GET {PATH}?f=fgb HTTP/1.1\r\n{told}\r\n".encode())
        assert settled(lambda: packers(pid) and streams(crowd))
    assert settled(lambda: not streams(crowd) and packers(pid) == [])
    assert settled(lambda: list(scratch.glob("onemap-*")) == [])


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(server, dispatcher, crowd, name):
    with httpx.stream(
        "GET",
        server.url + PATH,
        params={"f": name},
        headers=dispatcher | {"Accept-Encoding": "identity"},
        timeout=60,
    ) as answer:
        chunks = answer.iter_raw()
        next(chunks)
        with connect(crowd) as connection:
            connection.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
                and pid <> pg_backend_pid() and state <> 'idle'"""
            )
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in chunks:
                pass
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_packing_ends_with_the_server_and_leaves_no_file(server, dispatcher, scratch):
    pid = worker(server)
    with closing(ask(server, dispatcher, "parquet")):
        (packer,) = packers(pid)
        os.kill(pid, signal.SIGKILL)
        assert gone([packer], within_s=5)
    assert not alive(packer)
    assert list(scratch.glob("onemap-*")) == []
