"""Servers to measure the API against: tipg on the same PostGIS, and nginx with the same bytes as a file."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx

ROOT = Path(__file__).parents[2]
UVICORN = ROOT / "build" / "bench-venv" / "bin" / "uvicorn"

_NGINX = """daemon off;
master_process off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  default_type application/vnd.mapbox-vector-tile;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  server {{ listen 127.0.0.1:{port}; root {home}/root; }}
}}
"""
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Peer:
    """A server that answers: its process and its address."""

    process: subprocess.Popen[bytes]
    url: str


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def tipg(url: str, tables: Sequence[str], log: Path) -> Iterator[Peer]:
    """A tipg of one process on the database at `url`, with the best settings for a fair comparison."""
    port = free_port()
    env = os.environ | {
        "DATABASE_URL": _with_host(url),
        "TIPG_DB_SCHEMAS": '["bench"]',
        "TIPG_DB_TABLES": str(list(tables)).replace("'", '"'),
        "TIPG_CATALOG_TTL": "36000",
        "TIPG_MVT_TILE_BUFFER": "64",
        "TIPG_MAX_FEATURES_PER_TILE": "50000",
    }
    command = [UVICORN, "tipg.main:app", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    with _running(command, env, log, f"http://127.0.0.1:{port}/healthz") as peer:
        yield peer


def _with_host(url: str) -> str:
    """The same address with the socket's folder in the host's place, the only one that tipg takes."""
    place = urlsplit(url)
    where = parse_qs(place.query)
    return f"{place.scheme}://{place.username}@{quote(where['host'][0], safe='')}:{where['port'][0]}{place.path}"


@contextmanager
def nginx(body: bytes, home: Path) -> Iterator[Peer]:
    """An nginx of one process that serves those bytes as the file `tile.mvt`."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "nginx is not there: it is in Debian's nginx-light"
    port = free_port()
    (home / "root").mkdir(parents=True)
    (home / "root" / "tile.mvt").write_bytes(body)
    (home / "nginx.conf").write_text(_NGINX.format(home=home, port=port), "utf-8")
    command = [program, "-p", home, "-c", home / "nginx.conf", "-e", home / "error.log"]
    with _running(command, dict(os.environ), home / "log", f"http://127.0.0.1:{port}/tile.mvt") as peer:
        yield peer


@contextmanager
def _running(command: Sequence[str | Path], env: dict[str, str], log: Path, ready: str) -> Iterator[Peer]:
    with log.open("w") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    try:
        until = time.monotonic() + _PATIENCE_S
        while not _answers(ready):
            assert process.poll() is None, f"it ended\n{log.read_text()}"
            assert time.monotonic() < until, f"it is not ready\n{log.read_text()}"
            time.sleep(0.05)
        yield Peer(process, ready.rpartition("/")[0])
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def per_second(url: str, connections: int, seconds: int, *headers: str) -> float:
    """Answers a second to `wrk`, all of them good."""
    given = [word for header in headers for word in ("-H", header)]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *given, url]
    said = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found[1])
