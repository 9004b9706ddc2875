"""The screens as they are built: small enough to start fast, and with nothing from outside."""

import gzip
import json
import re
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parent.parent / "frontend"
DIST = FRONTEND / "dist"

MAIN_THREAD_KB = 360
WORKERS_KB = 215

built = pytest.mark.skipif(not (DIST / "wall.html").exists(), reason="screens are not built: `make screens`")


def gzipped_kb(files):
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) / 1000


def linked(page):
    """The scripts and style sheets that a built page names."""
    return re.findall(r'(?:src|href)="([^"]+)"', (DIST / page).read_text())


@built
def test_the_wall_starts_from_scripts_within_its_budget():
    scripts = [DIST / path.lstrip("/") for path in linked("wall.html") if path.endswith(".js")]
    assert scripts
    assert gzipped_kb(scripts) <= MAIN_THREAD_KB


@built
def test_the_workers_are_within_theirs():
    workers = list((DIST / "assets").glob("*worker*.js"))
    assert len(workers) == 2
    assert gzipped_kb(workers) <= WORKERS_KB


@built
@pytest.mark.parametrize("page", ["index.html", "wall.html", "report.html", "cases.html"])
def test_a_page_names_nothing_but_files_of_its_own(page):
    paths = linked(page)
    assert paths
    for path in paths:
        assert (DIST / path.lstrip("/")).is_file(), path


def test_the_lock_names_no_place_to_download_from():
    packages = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_the_lock_holds_exactly_the_versions_that_the_package_pins():
    package = json.loads((FRONTEND / "package.json").read_text())
    packages = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    pinned = package["dependencies"] | package["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in pinned} == pinned
