"""The sample city, loaded by the real command and served by the real server; and a real browser."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from layers.core.audience import Role
from layers.core.cluster import Cluster
from layers.core.settings import Settings
from tests.conftest import Toy
from tests.mapserver.asked import POLICY
from tests.mapserver.conftest import bearer, token
from tests.mapserver.process import ROOT, served

# Software rendering that gives WebGL2 without a graphics card, and nothing that calls outside.
CHROMIUM = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]

EXTRA = """
id = "extra"
target = "incidents"
title = { zh = "补充", en = "Extra" }
file = "extra.csv"
format = "csv"
mode = "append"
key = ["id"]
datum = "EPSG:4326"
licence = "none"
attribution = "made up"
[columns]
category = "kind"
occurred_at = "at"
lon = "lon"
lat = "lat"
[constants]
origin = "citizen"
"""


QUESTIONS = """
[[categories.questions]]
code = "when"
name = { zh = "何时发现", en = "When did you notice it?" }
datatype = "singlevaluelist"
required = true
values = [{ key = "now", name = { zh = "刚刚", en = "Just now" } }, { key = "before", name = { zh = "更早", en = "Before" } }]
"""


@dataclass(frozen=True)
class Served:
    """A running One Map of a city."""

    url: str
    token: str
    took_s: float
    env: dict[str, str]
    city: Path
    database_url: str

    @property
    def room(self) -> dict[str, str]:
        """Headers of the command room."""
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **ask: str) -> httpx.Response:
        """One answer to the command room."""
        return httpx.get(f"{self.url}{path}", params=ask, headers=self.room, timeout=30)

    def onemap(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command beside the server, on the same home and city."""
        return subprocess.run(
            [sys.executable, "-m", "mapserver.cli", *words],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )


@contextmanager
def up(code: str, *, replay: bool = False) -> Iterator[Served]:
    """`onemap up` on an empty home, until a city that ships is loaded and served; whole, or its past replayed."""
    folder = Path(tempfile.mkdtemp(prefix="onemap-flow-", dir="/tmp"))
    folder.chmod(0o755)
    city = folder / "cities" / code
    shutil.copytree(ROOT / "data" / code, city)
    env = {
        "ONEMAP_HOME": str(folder / "home"),
        "ONEMAP_CITIES": str(city.parent),
        "ONEMAP_CITY": code,
        "ONEMAP_REPLAY": str(replay),
        "ONEMAP_SCREENS": str(ROOT / "frontend" / "dist"),
    }
    with served("up", env=env, log=folder / "log", within_s=180) as server:
        url = Cluster(folder / "home").url(f"onemap_{code}")
        running = Served(server.url, "", server.took_s, env, city, url)
        token = running.onemap("token", "create", "--audience", "room", "--note", "flow").stdout.strip()
        yield replace(running, token=token)
        server.stop()
    Cluster(folder / "home").stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def toronto() -> Iterator[Served]:
    """The sample city."""
    with up("toronto") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    Not for the whole session: while it lives, its event loop runs in this thread, and asynchronous tests cannot.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def city(own_toy: Toy, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The toy city, open to reports with photos, as a server of its own: its address, and the headers of one who may do all."""
    folder = tmp_path / "cities" / "toy"
    shutil.copytree(ROOT / "tests" / "cities" / "toy", folder)
    (folder / "deadlines.toml").write_text(POLICY)
    categories = (folder / "categories.toml").read_text()
    (folder / "categories.toml").write_text(categories.replace("weight = 3\n", "weight = 3\n" + QUESTIONS))
    (folder / "city.toml").write_text((folder / "city.toml").read_text() + "[report]\nphotos = true\n")
    env = {
        "ONEMAP_HOME": str(tmp_path / "home"), "ONEMAP_CITIES": str(tmp_path / "cities"), "ONEMAP_CITY": "toy",
        "ONEMAP_DB__URL": own_toy.url, "ONEMAP_SCREENS": str(ROOT / "frontend" / "dist"),
        "ONEMAP_INTAKE__PUBLIC": "true",
    }  # fmt: skip
    with served("serve", env=env, log=tmp_path / "log") as server:
        yield server.url, bearer(token(Settings(home=Path(env["ONEMAP_HOME"])), own_toy.url, Role.ADMIN))


@pytest.fixture
def opened(city, browser):
    """Open a page of this address as one who may do all, or as nobody; nothing goes wrong in it but what is told."""
    contexts, wrong = [], []

    def open_page(path, *, known=True, scheme="dark", width=1280, tells=()):
        url, admin = city
        context = browser.new_context(
            viewport={"width": width, "height": 800}, locale="en-GB", color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()

        def said(text):
            if "GPU stall" not in text and not any(each in text for each in tells):
                wrong.append(text)

        page.on("console", lambda message: said(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said(str(error)))
        if known:
            page.goto(f"{url}/enter?token={admin['Authorization'].removeprefix('Bearer ')}&to=/conformance")
        page.goto(url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
