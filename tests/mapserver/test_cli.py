import json
import subprocess
import sys

import pytest
from pydantic import BaseModel

from layers.core.errors import OnemapError
from mapserver import cli
from tests.mapserver.process import ROOT


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["onemap", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr()


@pytest.mark.parametrize(
    "words", [["--help"], ["etl", "--help"], ["token", "--help"], ["db", "--help"], ["serve", "--help"]]
)
def test_every_command_explains_itself(monkeypatch, capsys, words):
    code, said = run(monkeypatch, capsys, *words)
    assert (code, "Usage: " in said.out) == (0, True)


@pytest.mark.parametrize("name", ["up", "serve", "api", "etl", "token", "db"])
def test_the_one_command_has_all_its_parts(monkeypatch, capsys, name):
    assert name in run(monkeypatch, capsys, "--help")[1].out


def test_what_cannot_be_done_is_one_line_and_exit_status_1(monkeypatch, capsys):
    def fail():
        raise OnemapError("the sky falls")

    monkeypatch.setattr(cli, "app", fail)
    code, said = run(monkeypatch, capsys)
    assert (code, said.out, said.err) == (1, "", "onemap: the sky falls\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [("ONEMAP_SERVER__PORT", "70000"), ("ONEMAP_CITY", "../etc"), ("ONEMAP_DB__POOL_SIZE", "0")],
)
def test_a_bad_setting_is_one_line_that_names_it(monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    code, said = run(monkeypatch, capsys, "api")
    assert (code, said.err.count("\n")) == (1, 1)
    assert said.err.startswith(f"onemap: {name}: ")


def test_a_mistake_of_our_own_is_not_dressed_up_as_a_setting(monkeypatch):
    class Other(BaseModel):
        n: int

    monkeypatch.setattr(cli, "app", lambda: Other(n="x"))
    with pytest.raises(ValueError, match="Other"):
        cli.main()


def test_the_api_is_printed_without_a_server_or_a_trace(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mapserver.cli", "api"],
        capture_output=True, text=True, check=True, cwd=ROOT, env={"ONEMAP_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert "/live" in json.loads(done.stdout)["paths"]
    assert not (tmp_path / "home").exists()
