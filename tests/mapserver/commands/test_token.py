import re

import pytest
from typer.testing import CliRunner

from layers.core.audience import Audience, Role
from layers.core.db import Database
from layers.core.errors import BadValue, NotFound, Unauthenticated, UnknownArea
from mapserver.auth.keys import Keys
from mapserver.commands.token import app


@pytest.fixture
def onemap(own_toy, tmp_path, monkeypatch):
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    monkeypatch.setenv("ONEMAP_DB__URL", own_toy.url)

    def run(*words):
        answer = CliRunner().invoke(app, words)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer

    return run


async def test_what_create_prints_is_the_token_alone_and_it_works(onemap, own_toy, tmp_path):
    made = onemap("create", "--audience", "analyst", "--area", "V1", "--note", "desk").output
    assert re.fullmatch(r"om_[\w-]{43}\n", made)
    async with Database(own_toy.url, pool_size=1) as db:
        grant = await Keys(db, tmp_path).grant(made.strip())
    assert grant.audience == Audience(Role.ANALYST, own_toy.area_id("V1"))


async def test_a_revoked_token_is_listed_and_works_no_more(onemap, own_toy, tmp_path):
    made = onemap("create", "--audience", "room", "--note", "wall").output.strip()
    onemap("create", "--audience", "planner", "--area", "V2", "--days", "1")
    assert onemap("revoke", "1").output == "revoked: token 1\n"
    _, one, two = onemap("list").output.strip().splitlines()
    assert one.split()[:5] == ["1", "room", "whole", "city", "revoked"]
    assert one.split()[-1] == "wall"
    assert two.split()[:4] == ["2", "planner", "V2", "live"]
    assert made not in onemap("list").output
    async with Database(own_toy.url, pool_size=1) as db:
        with pytest.raises(Unauthenticated):
            await Keys(db, tmp_path).grant(made)


@pytest.mark.parametrize(
    ("words", "error", "named"),
    [
        (["create", "--audience", "public"], BadValue, "public"),
        (["create", "--audience", "Room"], BadValue, "Room"),
        (["create", "--audience", "room", "--area", "V9"], UnknownArea, "V9"),
        (["create", "--audience", "room", "--area", "V1", "--level", "grid"], UnknownArea, "grid"),
        (["revoke", "7"], NotFound, "7"),
    ],
)
def test_what_cannot_be_done_is_named_and_nothing_is_made(onemap, words, error, named):
    with pytest.raises(error, match=named):
        onemap(*words)
    assert len(onemap("list").output.strip().splitlines()) == 1


@pytest.mark.parametrize("days", ["0", "-1", "4000", "1.5"])
def test_a_token_lasts_for_a_sensible_time(onemap, days):
    assert onemap("create", "--audience", "room", "--days", days).exit_code == 2
