"""The house as a whole: what every room must keep."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from layers.catalog.registry import LAYERS
from layers.core import errors
from layers.core.audience import Role
from layers.core.settings import Settings
from mapserver.errors import STATUS

ROOT = Path(__file__).parent.parent
MODULES = [path for room in ("layers", "etl", "mapserver") for path in sorted((ROOT / room).rglob("*.py"))]
ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.OnemapError)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_has_a_code_a_line_in_the_tree_and_a_status(kind):
    assert [other for other in ERRORS if other.code == kind.code] == [kind]
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or "")
    if kind is not errors.OnemapError:
        assert any(base in STATUS for base in kind.__mro__), f"{kind.__name__} has no status"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_one_noun_of_readable_length(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_writes_values_into_the_text_of_sql(path):
    found = re.search(r"\.to_sql\(|literal_binds|literal_execute|render_literal", path.read_text("utf-8"))
    assert found is None


def test_the_server_never_loads_a_frame_library():
    script = (
        "import sys, mapserver.app, mapserver.commands.serve\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'geopandas', 'pandas', 'polars', 'dask'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_command_line_loads_no_frame_library_before_it_is_needed():
    script = "import sys, mapserver.cli; print('geopandas' in sys.modules or 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_every_layer_is_for_an_audience_and_says_what_its_fields_mean():
    for layer in LAYERS.values():
        assert layer.least in Role
        assert layer.title.zh
        assert layer.title.en
        assert all(field.what for field in layer.fields)


def test_every_setting_stands_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        nested = getattr(field.annotation, "model_fields", None)
        names = [f"ONEMAP_{name}__{inner}".upper() for inner in nested] if nested else [f"ONEMAP_{name}".upper()]
        for each in names:
            assert f"`{each}`" in readme, f"{each} is not in the README"


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    files = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split(
        "\n"
    )
    hosts = re.compile("|".join(["pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(org|com)", "/wo" + "rk/"]))
    for name in filter(None, files):
        path = ROOT / name
        if path.suffix in {".parquet", ".png", ".woff2"} or not path.exists():
            continue
        found = hosts.search(path.read_text("utf-8", errors="ignore"))
        assert found is None, f"{name} names {found.group() if found else ''}"
