import hashlib
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from layers.core.db import connect
from mapserver.commands import loading

LOADED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def date(folder, at):
    for path in folder.rglob("*"):
        os.utime(path, (at.timestamp(), at.timestamp()))


@pytest.fixture
def folder(tmp_path, toy_settings):
    """A city of two sources whose files are older than their last load."""
    city = tmp_path / "toy"
    shutil.copytree(toy_settings.city_folder, city)
    (city / "sources").mkdir(exist_ok=True)
    for name in ("a", "b"):
        (city / f"{name}.csv").write_text(name)
        (city / "sources" / f"{name}.toml").write_text(f'id = "{name}"\nfile = "{name}.csv"\n')
    date(city, LOADED_AT - timedelta(hours=1))
    return city


@pytest.fixture
def loaded(own_toy, folder):
    """Both were loaded."""
    for name in ("a", "b"):
        ran(own_toy.url, name, "done", hashlib.sha256(name.encode()).hexdigest())
    return own_toy.url


def ran(url, source, state, sha256):
    with connect(url) as connection:
        connection.execute(
            """insert into onemap.run (source, target, mode, file_name, file_sha256, started_at, finished_at, state)
            values (%s, 'incidents', 'append', '', %s, %s, %s, %s)""",
            [source, sha256, LOADED_AT, LOADED_AT, state],
        )


def changed(folder, url):
    return [path.stem for path in loading._changed(folder, url)]


def test_what_was_loaded_and_has_not_changed_is_not_loaded_again(folder, loaded):
    assert changed(folder, loaded) == []


def test_what_was_never_loaded_is_loaded(folder, own_toy):
    assert changed(folder, own_toy.url) == ["a", "b"]


def test_a_load_that_failed_does_not_count(folder, own_toy):
    ran(own_toy.url, "a", "failed", hashlib.sha256(b"a").hexdigest())
    assert changed(folder, own_toy.url) == ["a", "b"]


def test_a_later_failure_does_not_undo_what_was_loaded(folder, loaded):
    ran(loaded, "a", "failed", "")
    assert changed(folder, loaded) == []


def test_a_file_with_other_content_is_loaded_again_however_old_it_looks(folder, loaded):
    (folder / "b.csv").write_text("other")
    date(folder, LOADED_AT - timedelta(hours=1))
    assert changed(folder, loaded) == ["b"]


def test_a_file_that_is_gone_is_told_by_the_loader(folder, loaded):
    (folder / "b.csv").unlink()
    assert changed(folder, loaded) == ["b"]


@pytest.mark.parametrize(("name", "again"), [("sources/b.toml", ["b"]), ("zones.toml", ["a", "b"])])
def test_a_declaration_that_was_edited_is_followed(folder, loaded, name, again):
    later = (LOADED_AT + timedelta(hours=1)).timestamp()
    os.utime(folder / name, (later, later))
    assert changed(folder, loaded) == again


def test_nothing_is_started_where_nothing_has_changed(folder, loaded, toy_settings, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    loading.load(toy_settings.model_copy(update={"cities": folder.parent}), loaded)


@pytest.mark.parametrize("written", ["id = ", "id = 'b'\nfile = '/**.csv'\n", "id = 'b'\nfile = 'sources'\n"])
def test_a_declaration_that_cannot_be_followed_is_left_to_the_loader_to_tell(folder, loaded, written):
    (folder / "sources" / "b.toml").write_text(written)
    date(folder, LOADED_AT - timedelta(hours=1))
    assert changed(folder, loaded) == ["b"]


def test_a_declaration_may_begin_with_a_byte_order_mark_and_name_a_file_elsewhere(folder, loaded, tmp_path):
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text("b")
    (folder / "sources" / "b.toml").write_text(f"\ufeffid = 'b'\nfile = '{elsewhere}'\n")
    date(folder, LOADED_AT - timedelta(hours=1))
    assert changed(folder, loaded) == []


def test_what_the_loader_tells_of_a_broken_declaration_stops_nothing(folder, own_toy, toy_settings, monkeypatch):
    (folder / "sources" / "b.toml").write_text("id = ")
    ran_with = []
    monkeypatch.setattr(
        subprocess, "run", lambda line, **_: ran_with.append(line) or subprocess.CompletedProcess(line, 1)
    )
    loading.load(toy_settings.model_copy(update={"cities": folder.parent}), own_toy.url)
    assert ran_with[0][-3:] == ["run", "a", "b"]
