import pytest
from typer.testing import CliRunner

from layers.core.db import connect
from layers.core.errors import BadValue, NotFound
from mapserver.cli import app
from tests.mapserver.process import ROOT


@pytest.fixture
def adopt(own_toy, tmp_path, monkeypatch):
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    monkeypatch.setenv("ONEMAP_DB__URL", own_toy.url)
    monkeypatch.setenv("ONEMAP_CITIES", str(ROOT / "tests" / "cities"))
    monkeypatch.setenv("ONEMAP_CITY", "toy")
    return lambda *words: CliRunner().invoke(app, ["cases", "adopt", *words])


def test_rows_with_a_state_become_cases_once(adopt, own_toy):
    stated = sum(row.state is not None for row in own_toy.rows)
    assert 0 < stated < len(own_toy.rows)
    first, again = adopt("toy"), adopt("toy")
    assert first.output.startswith(f"{stated} new cases\n"), first.exception
    assert again.output.startswith("0 new cases\n")
    with connect(own_toy.url) as connection:
        version = connection.execute("select version from onemap.layer_version where layer = 'cases'").fetchone()
        assert version == {"version": 1}
        found = connection.execute(
            "select count(*) filter (where is_open) as open, count(*) from onemap.case_file"
        ).fetchone()
    assert f"{found['open']} open, {stated - found['open']} closed" in again.output


@pytest.mark.parametrize(
    ("words", "kind", "why"),
    [(("nowhere",), NotFound, "no row of 'nowhere'"), (("toy", "--workflow", "none"), BadValue, "--workflow")],
)
def test_what_cannot_be_adopted_is_told_and_nothing_is_made(adopt, own_toy, words, kind, why):
    said = adopt(*words)
    assert said.exit_code == 1
    assert isinstance(said.exception, kind)
    assert why in str(said.exception)
    with connect(own_toy.url) as connection:
        assert connection.execute("select count(*) from onemap.case_file").fetchone() == {"count": 0}
