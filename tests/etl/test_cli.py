import subprocess
import sys

import pytest
from typer.testing import CliRunner

from etl import cli
from tests.workshop import AREAS, INCIDENTS, RISK_AREAS, SPOTS, Workshop, call, tree


@pytest.fixture
def command(town: Workshop, monkeypatch):
    monkeypatch.setenv("ONEMAP_DB__URL", town.url or "")
    monkeypatch.setenv("ONEMAP_CITIES", str(town.folder.parent))
    monkeypatch.setenv("ONEMAP_CITY", town.folder.name)
    monkeypatch.setenv("COLUMNS", "200")

    return lambda *arguments: CliRunner().invoke(cli.app, arguments)


@pytest.fixture
def declared(town):
    """Three sources, in the order of their files."""
    for number, base in (("10", AREAS), ("20", RISK_AREAS), ("30", INCIDENTS)):
        source = town.source(base)
        source.path.rename(source.path.with_name(f"{number}-{source.id}.toml"))
    town.geojson("tree.geojson", tree())
    town.csv("places.csv", [dict.fromkeys(RISK_AREAS["columns"].values(), "") | PLACE])
    town.csv("calls.csv", [call(1), call(2)])
    return town


PLACE = {
    "code": "S1", "zone_type": "school", "name_zh": "x", "name_en": "x", "influence_m": "300", "lon": "10.02",
    "lat": "50.02", "approximate": "true",
}  # fmt: skip


def test_all_sources_are_loaded_in_order_and_counted(declared, command):
    done = command("run")
    assert done.exit_code == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [[line[1], *line[3:6]] for line in lines] == [
        ["tree", "5", "5", "inserted"],
        ["places", "1", "1", "inserted"],
        ["calls", "2", "2", "inserted"],
    ]
    assert "rows/s" in done.stderr
    assert command("run").stdout.count("unchanged") == 3


def test_chosen_sources_alone_are_loaded(declared, command):
    assert command("run", "calls").exit_code == 0
    assert declared.rows("select source from onemap.run") == [{"source": "calls"}]


def test_an_unknown_source_is_named_with_those_that_are_there(declared, command):
    done = command("run", "cals")
    assert str(done.exception) == "toy has no source 'cals'; it has tree, places, calls"


def test_rows_in_quarantine_are_told_by_file_row_and_reason_and_by_the_exit_status(declared, command):
    declared.csv("calls.csv", [call(1), call(2, at="soon"), *[call(n, kind="?") for n in range(3, 10)]])
    done = command("run")
    assert done.exit_code == cli.QUARANTINED == 3
    assert "calls.csv row 2: occurred_at 'soon' is not an ISO 8601 time" in done.stdout
    assert "and 3 more: onemap etl quarantine list 3" in done.stderr
    assert declared.rows("select source_key from onemap.incident") == [{"source_key": "c1"}]
    listed = command("quarantine", "list")
    assert listed.stdout.count("calls.csv row") == 8
    assert command("quarantine", "list", "1").stdout == ""


def test_a_failed_source_is_told_and_sources_that_do_not_lean_on_it_go_on(declared, command):
    declared.source(INCIDENTS, id="more", file="none.csv")
    (declared.folder / "sources" / "more.toml").rename(declared.folder / "sources" / "25-more.toml")
    done = command("run")
    assert done.exit_code == cli.FAILED == 1
    assert "more failed, nothing of it was loaded" in done.stderr
    assert "none.csv: there is no such file" in done.stderr
    assert declared.rows("select count(*) as n from onemap.incident") == [{"n": 2}]
    assert "there is no such file" in command("runs").stdout


def test_the_whole_command_line_gives_the_same_exit_status(declared, command):
    (declared.folder / "tree.geojson").unlink()
    line = [sys.executable, "-m", "mapserver.cli", "etl", "run"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == cli.FAILED
    assert "there is no such file" in done.stderr


def test_without_its_areas_nothing_is_loaded(declared, command):
    (declared.folder / "tree.geojson").unlink()
    assert command("run").exit_code == 1
    assert declared.rows("select source, state from onemap.run") == [{"source": "tree", "state": "failed"}]


def test_help_says_what_the_exit_status_means():
    shown = " ".join(CliRunner().invoke(cli.app, ["run", "--help"]).stdout.split())
    for status in ("0: every row landed", "1: a source failed", "3: rows are in quarantine"):
        assert status in shown


def test_the_module_of_the_command_imports_nothing_heavy():
    script = "import sys, etl.cli; print({'pyarrow', 'shapely', 'numpy', 'pyogrio', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_file_is_checked_and_reported_and_nothing_is_loaded(declared, command):
    declared.csv("calls.csv", [call(1), call(2, at="soon")])
    done = command(
        "check", str(declared.folder / "calls.csv"), "--html", str(declared.folder / "reports" / "calls.html")
    )
    assert done.exit_code == cli.QUARANTINED, done.stderr
    assert "calls.csv as calls: 2 rows, 1 pass (1 new)" in done.stdout
    assert "row 2: occurred_at 'soon' is not an ISO 8601 time" in done.stdout
    assert "check report" in (declared.folder / "reports" / "calls.html").read_text("utf-8")
    assert declared.rows("select 1 from onemap.incident") == []


def test_a_row_is_shown_fixed_and_played_again(declared, command):
    declared.csv("calls.csv", [call(1), call(2, kind="?")])
    command("run")
    shown = command("quarantine", "show", "1").stdout
    assert "run 3  calls.csv row 2: category '?' is not known" in shown
    assert "category: ?" in shown
    assert command("quarantine", "fix", "1", "kind=theft").exit_code == 0
    assert "fix kind: theft" in command("quarantine", "show", "1").stdout
    done = command("quarantine", "replay", "3")
    assert done.exit_code == 0, done.exception
    assert "1 inserted" in done.stdout
    assert command("quarantine", "list").stdout == ""


def test_a_dismissed_row_waits_no_more(declared, command):
    declared.csv("calls.csv", [call(1), call(2, kind="?")])
    command("run")
    assert command("quarantine", "dismiss", "1").exit_code == 0
    assert command("quarantine", "list").stdout == ""


def test_lineage_withdrawal_and_new_tags_are_told(declared, command):
    command("run")
    assert "run 3 (file)" in command("lineage", "1").stdout
    assert "0 of 2 incidents tagged anew" in command("retag").stdout
    assert "2 of calls withdrawn" in command("withdraw", "calls").stdout


def test_what_was_masked_is_listed(declared, command):
    declared.csv("calls.csv", [call(1, street="ask 13800138000")])
    command("run")
    assert "masked  street: 1 spans that look like a phone masked (1 spans)" in command("findings").stdout


def test_a_source_of_places_that_fails_stops_nothing(declared, command):
    declared.source(SPOTS, file="none.csv").path.rename(declared.folder / "sources" / "05-spots.toml")
    done = command("run")
    assert done.exit_code == cli.FAILED
    assert declared.rows("select count(*) as n from onemap.incident") == [{"n": 2}]


def test_what_landed_before_a_file_that_failed_is_counted_and_the_file_alone_is_said_to_have_failed(
    declared, command
):
    declared.source(INCIDENTS, file="calls*.csv").path.rename(declared.folder / "sources" / "30-calls.toml")
    declared.write("calls2.csv", "id\n1\n")
    done = command("run")
    assert done.exit_code == cli.FAILED
    assert done.stdout.splitlines()[-1].split()[1:6] == ["calls", "calls.csv", "2", "2", "inserted"]
    assert "calls failed, but what came before has landed: " in done.stderr
    assert "calls2.csv: there is no column" in done.stderr
