import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial

import httpx
import pytest

from layers.core import events
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import BadAddress
from layers.core.settings import ServerSettings
from mapserver.commands.serve import Address
from mapserver.worker import application
from tests.mapserver.process import ROOT, gone, import_s, ready, served


@pytest.fixture
def env(own_toy, toy_settings, tmp_path, dist):
    return {
        "ONEMAP_HOME": str(tmp_path / "home"),
        "ONEMAP_CITIES": str(toy_settings.cities.resolve()),
        "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": own_toy.url,
        "ONEMAP_SCREENS": str(dist),
    }


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def listen(url, heard, started):
    with httpx.stream("GET", f"{url}/live", timeout=20) as answer:
        for line in answer.iter_lines():
            heard.append(line)
            if line == "event: hello":
                started.set()


def follow(url):
    """A browser that follows /live in a thread of its own: the lines it hears, and the thread."""
    heard, started = [], threading.Event()
    thread = threading.Thread(target=listen, args=(url, heard, started))
    thread.start()
    assert started.wait(10)
    return heard, thread


def test_eleven_hundred_screens_follow_one_process_and_it_still_answers(env, log, own_toy):
    with served("serve", env=env | {"ONEMAP_SERVER__WORKERS": "1"}, log=log) as server, ExitStack() as open_ones:
        address = server.url.removeprefix("http://").split(":")
        screens = [open_ones.enter_context(socket.create_connection(address, 10)) for _ in range(1100)]
        for one in screens:
            one.sendall(b"GET /live HTTP/1.1\r\nHost: map\r\n\r\n")
        assert all(hears(one, b"event: hello") for one in screens)
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        with connect(own_toy.url) as connection:
            events.begin(connection)
            events.bump(connection, "areas", Clock().now())
        assert all(hears(one, b"event: layer") for one in screens)
        assert server.stop() < 5


@pytest.mark.parametrize("trusted", [True, False])
def test_who_asks_through_a_trusted_proxy_is_told_apart_by_what_that_says_and_nobody_elses_word_counts(
    env, log, trusted
):
    more = {"ONEMAP_LIMITS__PUBLIC_BURST": "3", "ONEMAP_LIMITS__PUBLIC_PER_S": "0.01"}
    more["ONEMAP_SERVER__PROXIES"] = "127.0.0.1" if trusted else "198.51.100.0/24"
    with served("serve", env=env | more, log=log) as server:
        seen = [
            httpx.get(f"{server.url}/place?lon=10.02&lat=50.02", headers={"X-Forwarded-For": host}).status_code
            for host in ["192.0.2.1"] * 4 + ["192.0.2.2"]
        ]
    assert seen == [200] * 3 + [429, 200 if trusted else 429]


def hears(one, name):
    """Whether a screen hears something of that name in time."""
    heard = b""
    while name not in heard:
        part = one.recv(65536)
        if not part:
            return False
        heard = heard[-len(name) :] + part
    return True


def test_the_server_is_ready_in_time_tells_news_and_stops_at_once_though_screens_follow(env, log, own_toy):
    with served("serve", env=env, log=log) as server:
        assert server.cpu_s() < 6 * import_s()
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        heard, thread = follow(server.url)
        with connect(own_toy.url) as connection:
            events.begin(connection)
            events.bump(connection, "areas", Clock().now())
        time.sleep(0.5)
        assert "event: layer" in heard
        workers = server.children()
        assert server.stop() < 4
        assert server.process.returncode == 0
        thread.join(5)
        assert not thread.is_alive()
        assert gone(workers, 1)
    assert log.read_text() == ""


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_ends_them(env, log):
    with served("serve", env=env | {"ONEMAP_SERVER__WORKERS": "2"}, log=log) as server:
        workers = server.children()
        assert len(workers) == 2
        for pid in workers:
            os.kill(pid, signal.SIGINT)
        assert server.stop(signal.SIGINT) < 4
        assert gone(workers, 1)


_STARTING = """
import os, signal, time
from mapserver import worker
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)  # as a forked process has them of its parent
def start(*_):
    print("starting", flush=True)
    time.sleep(30)
worker.create_app = start
worker.application(None, "", os.getppid())
"""


def test_a_process_that_is_still_starting_ends_when_its_parent_asks_and_leaves_ctrl_c_to_it():
    with subprocess.Popen([sys.executable, "-c", _STARTING], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"starting\n"
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(2) == -signal.SIGTERM


def test_workers_do_not_outlive_a_parent_that_is_killed(env, log):
    with served("serve", env=env | {"ONEMAP_SERVER__WORKERS": "2"}, log=log) as server:
        workers = server.children()
        server.stop(signal.SIGKILL)
        assert gone(workers, 2)
        assert not ready(server.url)
        Address.of(ServerSettings(port=httpx.URL(server.url).port))


def test_a_worker_that_is_killed_is_replaced(env, log):
    with served("serve", env=env, log=log) as server:
        (worker,) = server.children()
        os.kill(worker, signal.SIGKILL)
        assert gone([worker], 1)
        until = time.monotonic() + 5
        while not ready(server.url):
            assert time.monotonic() < until
        assert server.children() != [worker]


def test_the_server_process_imports_no_frame_library_whatever_it_is_asked(env, log):
    paths = ("/readyz", "/city", "/heat/all/cells", "/heat/all/cells?f=arrow", "/heat/all/10/540/346.mvt", "/tiles/areas/10/540/346.mvt",
             "/collections/areas/items?f=csv", "/place?lon=10.05&lat=50.03", "/summary", "/metrics", "/api")  # fmt: skip
    with served("serve", env=env, log=log, python=("-X", "importtime")) as server:
        for path in paths:
            assert httpx.get(server.url + path).status_code in {200, 204}, path
        server.stop()
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in log.read_text().splitlines()}
    assert {"fastapi", "psycopg", "numpy"} <= imported
    assert not imported & {"geopandas", "pandas", "polars", "dask", "pyogrio"}


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /%ff HTTP/1.1", 400),
        ("GET /city?a=%00 HTTP/1.1", 400),
        ("GET /..%2f..%2fetc%2fpasswd HTTP/1.1", 404),
        ("GET /../../etc/passwd HTTP/1.1", 404),
        ("GET /assets/../../secret HTTP/1.1", 404),
        (f"GET /city?{'a' * 9000} HTTP/1.1", 414),
        ("TRACE /city HTTP/1.1", 405),
    ],
)
def test_strange_requests_are_answered_over_a_real_connection_too(shared_server, line, status):
    url = httpx.URL(shared_server.url)
    with socket.create_connection((url.host, url.port), timeout=5) as connection:
        connection.sendall(f"{line}\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "application/problem+json" in answer
    assert ("allow: GET" in answer) == (status == 405)


@pytest.fixture(scope="module")
def shared_server(shared_toy, toy_settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    env = {
        "ONEMAP_HOME": str(folder),
        "ONEMAP_CITIES": str(toy_settings.cities.resolve()),
        "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": shared_toy.url,
    }
    with served("serve", env=env, log=folder / "log") as server:
        yield server


def refused(env, **changed):
    """What the command says when it cannot serve: what is wrong, and no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "mapserver.cli", "serve"],
        env={**os.environ, **env, **changed}, capture_output=True, text=True, cwd=ROOT, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("onemap: ")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_busy_port_is_named_with_its_setting(env, shared_server):
    port = str(httpx.URL(shared_server.url).port)
    said = refused(env, ONEMAP_SERVER__PORT=port)
    assert port in said
    assert "ONEMAP_SERVER__PORT" in said


def test_what_cannot_be_served_is_named(env):
    assert "ONEMAP_SERVER__HOST" in refused(env, ONEMAP_SERVER__HOST="192.0.2.1")
    assert "ONEMAP_SERVER__PORT" in refused(env, ONEMAP_SERVER__PORT="eighty")
    assert "city.toml" in refused(env, ONEMAP_CITY="nowhere")
    assert "ONEMAP_CITY" in refused(env, ONEMAP_CITY="../etc")
    said = refused(env, ONEMAP_DB__URL="postgresql://nobody@127.0.0.1:1/none", ONEMAP_SERVER__PORT="0")
    assert "database" in said


def test_a_port_that_only_listens_shared_counts_as_busy():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BadAddress, match="taken"):
            Address.of(ServerSettings(port=other.getsockname()[1]))


@pytest.mark.parametrize(
    ("host", "url", "shown"),
    [("127.0.0.1", None, "http://127.0.0.1:"), ("::1", None, "http://[::1]:"), ("127.0.0.1", "https://map.example/", "https://map.example")],
)  # fmt: skip
def test_the_address_is_shown_as_clients_reach_it(host, url, shown):
    address = Address.of(ServerSettings(host=host, port=0, public_url=url))
    assert address.port > 0
    assert address.public_url.startswith(shown)
    assert not address.public_url.endswith("/")


def test_a_process_can_be_handed_all_it_needs_where_it_is_not_forked(toy_settings):
    handed = partial(application, toy_settings, "postgresql://x", 1)
    assert pickle.loads(pickle.dumps(handed)).args == handed.args
