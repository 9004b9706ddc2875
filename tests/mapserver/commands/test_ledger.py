import pytest
from typer.testing import CliRunner

from layers.core.db import connect
from layers.core.errors import Conflict, NotFound
from mapserver.cli import app

WRITE = """select onemap.write_ledger('2026-03-02', 'moved', array['case:1', 'case:2'],
array['{"move": "accept", "reason": "strike"}', '{"move": "close"}']::jsonb[])"""


@pytest.fixture
def onemap(empty_url, tmp_path, monkeypatch):
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    monkeypatch.setenv("ONEMAP_DB__URL", empty_url)
    return lambda *words: CliRunner().invoke(app, ["ledger", *words])


def tamper(url, statement):
    with connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(statement)


def head(said):
    assert said.exit_code == 0, said.exception
    return said.output.split()[-1]


def test_an_empty_ledger_holds(onemap):
    assert onemap("verify").output == "the ledger is empty\n"


def test_a_ledger_that_holds_tells_its_head_and_holds_it_later_on(onemap, empty_url):
    tamper(empty_url, WRITE)
    first = head(onemap("verify"))
    assert first.startswith("2:")
    tamper(empty_url, WRITE)
    assert head(onemap("verify", "--head", first)).startswith("4:")


def test_a_changed_row_is_named(onemap, empty_url):
    tamper(empty_url, WRITE)
    tamper(empty_url, "update onemap.ledger set subject = 'case:9' where seq = 2")
    said = onemap("verify")
    assert said.exit_code == 1
    assert isinstance(said.exception, Conflict)
    assert "breaks at row 2" in str(said.exception)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from onemap.ledger where seq = 2",
        "truncate onemap.ledger",
        f"truncate onemap.ledger, onemap.ledger_text; {WRITE.replace('close', 'open')}",
    ],
)
def test_a_ledger_that_was_cut_off_or_written_anew_does_not_hold_the_head_that_was_noted(
    onemap, empty_url, statement
):
    tamper(empty_url, WRITE)
    noted = head(onemap("verify"))
    tamper(empty_url, statement)
    assert onemap("verify").exit_code == 0
    said = onemap("verify", "--head", noted)
    assert said.exit_code == 1
    assert "cut off, or written anew" in str(said.exception)


@pytest.mark.parametrize("given", ["", "x:1", "1" * 30, "1"])
def test_a_head_that_is_none_is_not_held(onemap, empty_url, given):
    tamper(empty_url, WRITE)
    assert onemap("verify", "--head", given).exit_code == 1


def test_what_was_written_of_a_case_is_forgotten_and_the_ledger_holds(onemap, empty_url):
    with connect(empty_url) as connection:
        connection.execute(WRITE)
    noted = head(onemap("verify"))
    assert onemap("forget", "case:1").output == "forgotten: 1 texts of case:1\n"
    assert isinstance(onemap("forget", "case:1").exception, NotFound)
    assert head(onemap("verify", "--head", noted)).startswith("3:")
    with connect(empty_url) as connection:
        assert connection.execute("select from onemap.ledger_text").fetchall() == []
