"""The wheel stands on its own: screens, schema and sample city are in it, and it serves a city from a folder."""

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.mapserver.commands.test_up import SOURCE, draw
from tests.mapserver.process import ROOT, served

pytestmark = pytest.mark.skipif(
    not (ROOT / "frontend" / "dist" / "wall.html").exists(), reason="screens are not built: `make screens`"
)

CITIES = ("toronto", "jiangdong")
ELSEWHERE = """
import mapserver, pathlib
from layers.catalog.city import City
from layers.core.settings import Settings
settings = Settings()
print(mapserver.__file__, settings.city_folder, settings.screens, City.load(settings.city_folder).code, sep="\\n")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    hatchling = Path(sys.executable).with_name("hatchling")
    subprocess.run([hatchling, "build", "--target", "wheel", "--directory", folder], cwd=ROOT, check=True)
    (found,) = folder.glob("onemap-*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """A Python that has the wheel and the libraries of this one, and does not know the checkout."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    found = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", found, wheel], check=True
    )
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # A path in a .pth file is taken without the .pth files in it, and so without the checkout.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return found


def names(wheel):
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_has_every_module_and_every_step_of_the_schema(wheel):
    rooms = ("layers", "etl", "mapserver")
    ours = {str(path.relative_to(ROOT)) for room in rooms for path in (ROOT / room).rglob("*.py")}
    ours |= {str(path.relative_to(ROOT)) for path in (ROOT / "layers" / "schema").rglob("*.sql")}
    assert ours <= set(names(wheel))
    assert {"layers/schema/migrations/0001_first.sql", "layers/schema/always/10_roles.sql"} <= ours


def test_the_wheel_has_the_screens_and_the_sample_cities_with_their_licences_and_nothing_else(wheel):
    carried = {name.removeprefix("onemap/") for name in names(wheel) if name.startswith("onemap/")}
    built = {path.relative_to(ROOT / "frontend" / "dist") for path in (ROOT / "frontend" / "dist").rglob("*.*")}
    city = {path.relative_to(ROOT / "data") for code in CITIES for path in (ROOT / "data" / code).rglob("*.*")}
    city = {path for path in city if path.suffix in {".toml", ".csv", ".geojson", ".parquet"}}
    assert carried == {f"screens/{path}" for path in built} | {f"cities/{path}" for path in city} | {
        "cities/README.md"
    }
    rest = {name.split("/")[0] for name in names(wheel)}
    assert {name for name in rest if not name.endswith(".dist-info")} == {"layers", "etl", "mapserver", "onemap"}


def test_without_settings_the_wheel_has_its_own_city_and_screens(python, tmp_path):
    done = subprocess.run([python, "-c", ELSEWHERE], capture_output=True, text=True, check=True, cwd=tmp_path)
    module, city, screens, code = done.stdout.splitlines()
    site = Path(module).parents[1]
    assert python.parents[1] in site.parents
    assert (city, screens, code) == (str(site / "onemap/cities/toronto"), str(site / "onemap/screens"), "toronto")


def test_an_installed_wheel_serves_a_city_from_a_folder(python, home, toy_settings):
    city = home / "cities" / "toy"
    shutil.copytree(toy_settings.city_folder, city)
    (city / "sources").mkdir()
    (city / "sources" / "10-areas.toml").write_text(SOURCE)
    draw(city, "District")
    env = {"ONEMAP_HOME": str(home), "ONEMAP_CITIES": str(city.parent), "ONEMAP_CITY": "toy"}
    (home / "elsewhere").mkdir()
    with served("up", env=env, log=home / "log.txt", program=python, cwd=home / "elsewhere") as server:
        (area,) = httpx.get(f"{server.url}/collections/areas/items").json()["features"]
        assert area["properties"]["name_en"] == "District"
        hub = httpx.get(server.url, headers={"Accept": "text/html"})
        wall = httpx.get(f"{server.url}/wall.html")
        assert (hub.status_code, wall.status_code) == (200, 200)
        for page in (hub, wall):
            (script, *_) = re.findall(r'src="([^"]+\.js)"', page.text)
            asset = httpx.get(f"{server.url}{script}")
            assert asset.status_code == 200
            assert "immutable" in asset.headers["Cache-Control"]
        server.stop()
