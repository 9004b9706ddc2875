import re

import pytest
from typer.testing import CliRunner

from layers.core.db import connect
from layers.core.errors import BadValue, NotFound, UnknownArea
from mapserver.cli import app
from tests.conftest import Toy


@pytest.fixture
def onemap(own_toy: Toy, toy_settings, tmp_path, monkeypatch):
    for name, value in {
        "HOME": tmp_path, "DB__URL": own_toy.url, "CITIES": toy_settings.cities, "CITY": "toy",
        "PUSH__SMTP_URL": "smtp://user:hush@127.0.0.1:1",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"ONEMAP_{name}", str(value))
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *words: CliRunner().invoke(app, ["push", *words])


def test_a_secret_is_shown_once_and_a_removed_subscription_keeps_nothing(onemap, own_toy):
    said = onemap("add", "webhook", "https://desk.example/hook", "--area", "V1", "--category", "theft", "--on", "red",
                  "--quiet", "22:00-07:00", "--red-passes", "--note", "duty desk")  # fmt: skip
    assert said.exit_code == 0, said.exception
    secret = re.search(r"secret (\S{40,})", said.output)[1]
    assert onemap("add", "mail", "duty@office.example", "--lang", "en").exit_code == 0
    assert onemap("add", "cap").exit_code == 0
    listed = onemap("list").output
    assert all(
        word in listed for word in ("desk.example", "V1", "22:00-07:00", "duty desk", "duty@office.example")
    )
    assert secret not in listed + onemap("log").output
    with connect(own_toy.url) as connection:
        kept = connection.execute("select secret from onemap.subscription where kind = 'webhook'").fetchone()
    assert kept["secret"] == secret
    assert onemap("remove", "1").exit_code == 0
    assert isinstance(onemap("remove", "1").exception, NotFound)
    assert "desk.example" not in onemap("list").output


BAD = [
    ("webhook",), ("webhook", "https://user:pw@x.example/"), ("webhook", "http://x.example/"),
    ("webhook", "https://127.0.0.1/"), ("mail", "nobody"), ("cap", "https://x.example/"), ("pigeon", "x"),
    ("cap", "--audience", "admin"), ("cap", "--audience", "everyone"), ("cap", "--category", "arson"),
    ("cap", "--zone", "moon"), ("cap", "--on", "birthday"), ("cap", "--quiet", "22"), ("cap", "--quiet", "22:00-22:00"),
    ("cap", "--audience", "public"), ("webhook", "https://desk.example/hook", "--audience", "public"),
    ("mail", "duty@office.example", "--audience", "public"), ("mail", "zhang@free.example"),
    ("mail", "13812345678@office.example"), ("cap", "--lang", "fr"), ("cap", "--note", "call 13812345678"),
]  # fmt: skip


def test_what_cannot_be_added_is_named_and_nothing_is_kept(onemap, own_toy):
    for words in BAD:
        assert isinstance(onemap("add", *words).exception, BadValue), words
    assert isinstance(onemap("add", "cap", "--area", "V9").exception, UnknownArea)
    with connect(own_toy.url) as connection:
        assert connection.execute("select count(*) as n from onemap.subscription").fetchone() == {"n": 0}
