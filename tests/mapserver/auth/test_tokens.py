from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from layers.core.audience import Audience, Role
from layers.core.db import connect
from layers.core.errors import BadValue, NotFound, UnknownArea
from mapserver.auth import tokens

PEPPER = b"p" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def owner(own_toy):
    with connect(own_toy.url) as connection:
        yield connection


def test_a_token_has_256_random_bits_and_a_form_that_is_recognised(owner):
    made = {tokens.create(owner, PEPPER, Audience(Role.ROOM), "", NOW, None) for _ in range(50)}
    assert len(made) == 50
    assert all(text.startswith("om_") and len(text) == 46 and tokens.is_token(text) for text in made)


@pytest.mark.parametrize(
    "text", ["", "om_", "om_" + "a" * 42, "om_" + "a" * 44, "om_" + "a" * 42 + "\n", "xx_" + "a" * 43]
)
def test_what_has_another_form_is_no_token(text):
    assert not tokens.is_token(text)


def test_neither_the_table_nor_the_list_holds_the_token_itself(owner):
    made = tokens.create(owner, PEPPER, Audience(Role.ROOM), "wall", NOW, None)
    stored = owner.execute("select * from onemap.token").fetchone()
    assert made[3:] not in repr(stored)
    assert bytes(stored["digest"]) == tokens.digest(made, PEPPER)
    assert made[3:] not in repr(tokens.listed(owner))


def test_the_digest_needs_the_pepper():
    assert tokens.digest("om_x", PEPPER) != tokens.digest("om_x", b"q" * 32)


def test_the_list_tells_audience_area_and_state(owner, own_toy):
    area = own_toy.area_id("V1")
    tokens.create(owner, PEPPER, Audience(Role.ROOM, area), "wall", NOW, NOW + timedelta(days=1))
    tokens.create(owner, PEPPER, Audience(Role.ANALYST), "desk", NOW, None)
    one, two = tokens.listed(owner)
    assert (one.audience, one.area, one.note, two.audience, two.area) == ("room", "V1", "wall", "analyst", None)
    assert [one.state(NOW), one.state(NOW + timedelta(days=1))] == ["live", "expired"]
    tokens.revoke(owner, two.token_id, NOW)
    assert tokens.listed(owner)[1].state(NOW) == "revoked"


def test_a_second_revocation_keeps_the_time_of_the_first(owner):
    tokens.create(owner, PEPPER, Audience(Role.ROOM), "", NOW, None)
    (made,) = tokens.listed(owner)
    tokens.revoke(owner, made.token_id, NOW)
    tokens.revoke(owner, made.token_id, NOW + timedelta(days=1))
    assert tokens.listed(owner)[0].revoked_at == NOW


def test_a_token_that_never_was_cannot_be_revoked(owner):
    with pytest.raises(NotFound, match="no token 99"):
        tokens.revoke(owner, 99, NOW)


def test_an_area_is_found_by_its_code(owner, own_toy):
    assert tokens.area_id(owner, "V1", None) == own_toy.area_id("V1")
    assert tokens.area_id(owner, "V1", "village") == own_toy.area_id("V1")


@pytest.mark.parametrize(("code", "level"), [("V9", None), ("V1", "grid"), ("v1", None)])
def test_an_unknown_area_is_named(owner, code, level):
    with pytest.raises(UnknownArea, match=f"'{code}'"):
        tokens.area_id(owner, code, level)


def test_a_code_on_several_levels_asks_for_one(owner):
    owner.execute(
        """insert into onemap.area (level_rank, code, name_zh, name_en, source)
        values (2, 'V1', '', '', 'toy')"""
    )
    with pytest.raises(BadValue, match="village, grid"):
        tokens.area_id(owner, "V1", None)
    assert tokens.area_id(owner, "V1", "grid") != tokens.area_id(owner, "V1", "village")


@pytest.mark.parametrize("role", ["onemap_public", "onemap_room", "onemap_analyst", "onemap_exact"])
def test_no_role_of_an_audience_reads_the_table_of_tokens(owner, role):
    owner.execute(f"set local role {role}".encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("select * from onemap.token")


def test_only_the_roles_of_audiences_may_ask_for_a_digest(owner):
    owner.execute("create role stranger_of_tokens")
    owner.execute("grant usage on schema onemap to stranger_of_tokens")
    owner.execute("set local role stranger_of_tokens")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("select * from onemap.token_of('')")


def test_a_table_of_the_same_name_elsewhere_does_not_fool_the_function(owner):
    owner.execute("create temporary table token (digest bytea, audience text)")
    owner.execute("set local search_path to pg_temp, public")
    assert owner.execute("select * from onemap.token_of('x')").fetchall() == []
