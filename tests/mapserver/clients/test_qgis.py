"""QGIS opens the map with no special code: its OAPIF provider, and its vector tiles."""

import json
import os
import subprocess
from pathlib import Path

import pytest

PYTHON = "/usr/bin/python3"
READER = Path(__file__).with_name("qgis_reader.py")


def has_qgis():
    asked = [PYTHON, "-c", "import qgis.core"]
    return Path(PYTHON).exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def seen(site, tmp_path_factory):
    if not has_qgis():
        pytest.skip("QGIS is not installed; `make test-clients` installs it")
    home = tmp_path_factory.mktemp("qgis")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [PYTHON, READER, site.url], capture_output=True, text=True, env=env, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("layer", "table"), [("areas", "area"), ("risk_areas", "risk_area")])
def test_a_collection_is_a_layer_with_the_features_that_sql_counts(seen, site, layer, table):
    found = seen[layer]
    assert (found["valid"], found["crs"]) == (True, "EPSG:4326")  # as QGIS names lon-lat degrees
    assert found["features"] == site.count("true", table)
    assert {"code", "name_zh", "name_en"} <= set(found["fields"])


def test_a_box_finds_what_sql_does(seen, site):
    box = "ST_MakeEnvelope(10.0, 50.0, 10.02, 50.02, 4326)"
    for layer, table, shape in (
        ("areas", "area_version", "geom"),
        ("risk_areas", "risk_area_version", "influence"),
    ):
        assert seen[layer]["in_box"] == site.count(f"ST_Intersects({shape}, {box})", table) > 0


def test_tiles_are_drawn(seen):
    assert seen["tiles"]["valid"]
    assert seen["tiles"]["painted"] > 0.9  # the areas cover the city
