import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from layers.core.audience import Audience, Role
from layers.core.db import Database, connect
from layers.core.errors import Unauthenticated, Unavailable
from mapserver.auth import keys as keys_module
from mapserver.auth.keys import Keys
from tests.mapserver.conftest import Moving, token


@dataclass
class Counting:
    """A database that counts what it is asked, and that may be gone."""

    db: Database
    asked: int = 0
    gone: bool = False

    async def row(self, *given):
        self.asked += 1
        if self.gone:
            raise Unavailable("gone")
        return await self.db.row(*given)


@pytest.fixture
async def db(own_toy):
    async with Database(own_toy.url, pool_size=2) as made:
        yield Counting(made)


@pytest.fixture
def clock():
    return Moving(datetime.now(UTC))


@pytest.fixture
def keys(db, toy_settings, clock):
    return Keys(db, toy_settings.home, clock)


def revoke_all(url):
    with connect(url) as connection:
        connection.execute("update onemap.token set revoked_at = now()")


async def test_a_token_gives_its_audience_and_scope(keys, toy_settings, own_toy):
    area = own_toy.area_id("V1")
    for role in Role:
        text = token(toy_settings, own_toy.url, role, area)
        assert (await keys.grant(text)).audience == Audience(role, area)


async def test_a_token_of_another_server_s_pepper_is_unknown(db, tmp_path, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    with pytest.raises(Unauthenticated):
        await Keys(db, tmp_path).grant(text)


@pytest.mark.parametrize("text", ["", "om_", "x", "om_" + "é" * 43, "' or true --"])
async def test_what_has_not_the_form_of_a_token_is_refused_without_asking(keys, db, text):
    with pytest.raises(Unauthenticated):
        await keys.grant(text)
    assert db.asked == 0


async def test_an_unknown_token_is_asked_for_once(keys, db):
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await keys.grant("om_" + "a" * 43)
    assert db.asked == 1


async def test_many_requests_at_once_ask_once(keys, db, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    await asyncio.gather(*(keys.grant(text) for _ in range(100)))
    assert db.asked == 1


async def test_who_gives_up_waiting_does_not_spoil_it_for_others(keys, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    impatient = asyncio.create_task(keys.grant(text))
    patient = asyncio.create_task(keys.grant(text))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).audience.role is Role.ROOM


async def test_a_revocation_takes_effect_when_the_answer_is_no_longer_fresh(
    keys, toy_settings, own_toy, monkeypatch
):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    await keys.grant(text)
    revoke_all(own_toy.url)
    await keys.grant(text)
    monkeypatch.setattr(keys_module, "FRESH_S", 0.0)
    with pytest.raises(Unauthenticated):
        await keys.grant(text)


def test_an_answer_is_fresh_for_five_seconds():
    assert keys_module.FRESH_S == 5


async def test_a_token_ends_at_its_time_even_while_its_answer_is_fresh(keys, clock, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM, expires_at=clock.at + timedelta(seconds=60))
    await keys.grant(text)
    clock.at += timedelta(seconds=60)
    with pytest.raises(Unauthenticated):
        await keys.grant(text)


async def test_an_expired_token_is_refused(keys, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(Unauthenticated):
        await keys.grant(text)


async def test_a_database_that_is_gone_is_asked_again(keys, db, toy_settings, own_toy):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    db.gone = True
    with pytest.raises(Unavailable):
        await keys.grant(text)
    db.gone = False
    assert (await keys.grant(text)).audience.role is Role.ROOM


async def test_a_token_that_was_good_stays_so_for_a_while_when_the_database_is_gone(
    keys, db, clock, toy_settings, own_toy, monkeypatch
):
    lasting = token(toy_settings, own_toy.url, Role.ROOM)
    ending = token(toy_settings, own_toy.url, Role.ROOM, expires_at=clock.at + timedelta(seconds=60))
    for text in (lasting, ending):
        await keys.grant(text)
    with pytest.raises(Unauthenticated):
        await keys.grant("om_" + "a" * 43)
    monkeypatch.setattr(keys_module, "FRESH_S", 0.0)
    db.gone = True
    for _ in range(3):
        assert (await keys.grant(lasting)).audience.role is Role.ROOM
    assert db.asked == 6
    with pytest.raises(Unavailable):
        await keys.grant("om_" + "a" * 43)
    clock.at += timedelta(seconds=60)
    with pytest.raises(Unauthenticated):
        await keys.grant(ending)
    monkeypatch.setattr(keys_module, "GRACE_S", 0.0)
    with pytest.raises(Unavailable):
        await keys.grant(lasting)
    db.gone = False
    revoke_all(own_toy.url)
    monkeypatch.setattr(keys_module, "GRACE_S", 600.0)
    with pytest.raises(Unauthenticated):
        await keys.grant(lasting)
    db.gone = True
    with pytest.raises(Unavailable):
        await keys.grant(lasting)


async def test_a_database_that_hangs_is_waited_for_half_a_second_where_a_token_was_good(
    keys, db, toy_settings, own_toy, monkeypatch
):
    text = token(toy_settings, own_toy.url, Role.ROOM)
    await keys.grant(text)
    monkeypatch.setattr(keys_module, "FRESH_S", 0.2)

    async def hangs(*given):
        await asyncio.sleep(60)

    monkeypatch.setattr(db, "row", hangs)
    await asyncio.sleep(0.3)
    begun = asyncio.get_running_loop().time()
    assert (await keys.grant(text)).audience.role is Role.ROOM
    assert asyncio.get_running_loop().time() - begun < 1


async def test_what_was_looked_up_just_now_is_known_without_waiting(
    keys, clock, toy_settings, own_toy, monkeypatch
):
    text = token(toy_settings, own_toy.url, Role.ROOM, expires_at=clock.at + timedelta(seconds=60))
    assert keys.fresh(text) is None
    await keys.grant(text)
    assert keys.fresh(text).audience.role is Role.ROOM
    assert keys.fresh("nonsense") is None
    clock.at += timedelta(seconds=60)
    assert keys.fresh(text) is None
    clock.at -= timedelta(seconds=60)
    monkeypatch.setattr(keys_module, "FRESH_S", 0.0)
    assert keys.fresh(text) is None


async def test_guesses_do_not_fill_the_memory(keys, monkeypatch):
    monkeypatch.setattr(keys_module, "_KEPT", 10)
    for i in range(30):
        with pytest.raises(Unauthenticated):
            await keys.grant(f"om_{i:043}")
    assert len(keys._asked) == 10
