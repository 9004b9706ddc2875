import asyncio
import threading

import pytest

from layers.core import events
from layers.core.audience import Role
from layers.core.clock import Clock
from layers.core.db import connect
from mapserver import live
from mapserver.event import Event
from tests.mapserver.conftest import asking, bearer, running, screen, token


def emit(url, n=1, topic="incident", area_ids=None, **payload):
    """Write `n` events and return the seq of the last one."""
    now = Clock().now()
    with connect(url) as connection:
        events.begin(connection)
        given = [{"id": i, "sensitive": False} | payload for i in range(n)]
        events.emit(connection, topic, "incidents", given, now, [area_ids] * n)
    with connect(url) as connection:
        return connection.execute(events.bounds().sql.encode()).fetchone()["newest"]


def bump(url, layer):
    with connect(url) as connection:
        events.begin(connection)
        events.bump(connection, layer, Clock().now())


@pytest.fixture
def hurried(monkeypatch):
    """Asked for before the app: its hub does every few tenths of a second what it does every few seconds."""
    monkeypatch.setattr(live, "BEAT_S", 0.2)
    monkeypatch.setattr(live, "_POLL_S", 0.2)
    monkeypatch.setattr(live, "_RECHECK_S", 0.2)
    monkeypatch.setattr("mapserver.auth.keys.FRESH_S", 0.1)


@pytest.fixture
def room(toy_settings, own_toy):
    return bearer(token(toy_settings, own_toy.url, Role.ROOM))


async def test_a_new_screen_is_greeted_and_starts_from_now(own_app, own_toy, room):
    newest = emit(own_toy.url)
    await asyncio.sleep(0.3)
    async with screen(own_app, **room) as one:
        hello = await one.next("hello")
        assert (one.status, one.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert hello["data"].keys() == {"now", "replay", "build", "role"}
        assert (hello["data"]["role"], hello["id"]) == ("room", str(newest))
        emit(own_toy.url, id=77)
        assert (await one.next("incident"))["data"]["id"] == 77


async def test_an_event_arrives_well_before_the_hub_would_look_by_itself(own_app, own_toy, room):
    await asyncio.sleep(0.3)  # the connection that listens is there
    async with screen(own_app, **room) as one:
        await one.next("hello")
        emit(own_toy.url)
        await one.next("incident", within_s=1)


async def test_events_of_more_than_one_batch_arrive_together(own_app, own_toy, room, monkeypatch):
    monkeypatch.setattr(live, "_BATCH", 2)
    await asyncio.sleep(0.3)
    async with screen(own_app, **room) as one:
        await one.next("hello")
        emit(own_toy.url, 5)
        assert [(await one.next("incident", within_s=1))["data"]["id"] for _ in range(5)] == [*range(5)]


async def test_an_event_arrives_though_no_notification_does(hurried, own_app, own_toy, room):
    async with screen(own_app, **room) as one:
        await one.next("hello")
        with connect(own_toy.url) as connection:
            connection.execute(
                """insert into onemap.outbox (at, topic, layer, payload)
                values (now(), 'incident', 'incidents', '{"id": 5, "sensitive": false}')"""
            )
        await one.next("incident", within_s=2)


async def test_each_screen_sees_what_its_audience_may_see(own_app, own_toy, toy_settings):
    west, east = own_toy.area_id("V1"), own_toy.area_id("V2")
    given = [
        bearer(token(toy_settings, own_toy.url, Role.ROOM)),
        bearer(token(toy_settings, own_toy.url, Role.ROOM, west)),
        bearer(token(toy_settings, own_toy.url, Role.DISPATCHER)),
    ]
    async with (
        screen(own_app) as public,
        screen(own_app, **given[0]) as room,
        screen(own_app, **given[1]) as western,
        screen(own_app, **given[2]) as dispatcher,
    ):
        for one in (public, room, western, dispatcher):
            await one.next("hello")
        emit(own_toy.url, id=1, area_ids=[west])
        emit(own_toy.url, id=2, area_ids=[east])
        emit(own_toy.url, id=3, area_ids=[west], sensitive=True)
        bump(own_toy.url, "incidents")
        bump(own_toy.url, "areas")

        async def seen(one):
            found = []
            while (event := await one.next("incident", "layer"))["data"].get("layer") != "areas":
                found.append(event["data"].get("id") or event["data"]["layer"])
            return found

        assert await seen(public) == []
        assert await seen(room) == [1, 2, "incidents"]
        assert await seen(western) == [1, "incidents"]
        assert await seen(dispatcher) == [1, 2, 3, "incidents"]


async def test_a_returning_screen_is_told_what_it_missed(own_app, own_toy, room):
    before = emit(own_toy.url)
    emit(own_toy.url, 3)
    async with screen(own_app, last=before, **room) as one:
        assert (await one.next("hello"))["id"] == str(before)
        told = [int((await one.next("incident"))["id"]) for _ in range(3)]
        assert told == [before + 1, before + 2, before + 3]


async def test_a_returning_screen_is_not_told_what_its_audience_may_not_see(own_app, own_toy):
    before = emit(own_toy.url)
    emit(own_toy.url, 3)
    bump(own_toy.url, "areas")
    async with screen(own_app, last=before) as one:
        await one.next("hello")
        assert (await one.next("layer"))["data"]["layer"] == "areas"


async def test_a_screen_that_cannot_send_the_header_says_in_the_address_what_it_saw(own_app, own_toy, room):
    before = emit(own_toy.url)
    emit(own_toy.url, 3)
    async with screen(own_app, query=f"last_event_id={before}", **room) as one:
        assert (await one.next("hello"))["id"] == str(before)
        assert [int((await one.next("incident"))["id"]) - before for _ in range(3)] == [1, 2, 3]
    # A browser that comes back by itself keeps to the address, but has seen more since.
    async with screen(own_app, last=before + 2, query=f"last_event_id={before}", **room) as one:
        assert (await one.next("hello"))["id"] == str(before + 2)
        assert (await one.next("incident"))["id"] == str(before + 3)


@pytest.mark.parametrize("last", ["x", "-1", "1.0", "١", "9" * 18, "9" * 40, ""])
async def test_an_id_that_the_outbox_cannot_know_starts_the_screen_anew(own_app, own_toy, room, last):
    newest = emit(own_toy.url)
    await asyncio.sleep(0.3)
    async with screen(own_app, last=last, **room) as one:
        assert "id" not in await one.next("hello")
        assert int((await one.next("reset"))["id"]) == newest
        emit(own_toy.url)
        assert int((await one.next("incident"))["id"]) == newest + 1


async def test_an_id_older_than_the_outbox_keeps_starts_the_screen_anew(own_app, own_toy, room):
    before = emit(own_toy.url)
    newest = emit(own_toy.url, 3)
    with connect(own_toy.url) as connection:
        connection.execute("delete from onemap.outbox where seq < %s", [newest])
    async with screen(own_app, last=before, **room) as one:
        await one.next("hello")
        await one.next("reset")
    async with screen(own_app, last=newest - 1, **room) as one:
        await one.next("hello")
        assert (await one.next("incident"))["id"] == str(newest)


async def test_who_missed_more_than_can_be_told_starts_anew(own_app, own_toy, room):
    before = emit(own_toy.url)
    emit(own_toy.url, live.REPLAYED + 1)
    async with screen(own_app, last=before, **room) as one:
        await one.next("hello")
        await one.next("reset")
    async with screen(own_app, last=before + 1, **room) as one:
        await one.next("hello")
        told = [int((await one.next("incident"))["id"]) for _ in range(live.REPLAYED)]
        assert told == list(range(before + 2, before + 2 + live.REPLAYED))


async def test_an_outbox_that_went_back_starts_every_screen_anew(hurried, own_app, own_toy, room):
    emit(own_toy.url, 5)
    await asyncio.sleep(0.5)
    async with screen(own_app, **room) as one:
        await one.next("hello")
        with connect(own_toy.url) as connection:
            connection.execute("delete from onemap.outbox")
            connection.execute("alter table onemap.outbox alter column seq restart with 1")
        assert emit(own_toy.url) == 1
        assert (await one.next("reset"))["id"] == "1"
        emit(own_toy.url)
        assert (await one.next("incident"))["id"] == "2"


async def test_nothing_is_lost_or_doubled_while_four_write_and_screens_come_and_go(own_app, own_toy, room):
    start = emit(own_toy.url)

    def write() -> None:
        with connect(own_toy.url) as connection:
            connection.autocommit = True
            for i in range(150):
                with connection.transaction():
                    connection.execute("select pg_sleep(0.002)")
                    events.begin(connection)
                    events.emit(
                        connection, "incident", "incidents", [{"id": i, "sensitive": False}], Clock().now()
                    )

    async def come_and_go() -> list[int]:
        """Follow some events at a time, leave, and come back with the last id."""
        told, last = [], start
        while len(told) < 600:
            async with screen(own_app, last=last, **room) as one:
                await one.next("hello")
                wanted = min(37, 600 - len(told))
                told += [int((await one.next("incident"))["id"]) for _ in range(wanted)]
                last = told[-1]
        return told

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    told = await asyncio.gather(*(come_and_go() for _ in range(3)))
    for writer in writers:
        writer.join()
    with connect(own_toy.url) as connection:
        rows = connection.execute("select seq from onemap.outbox where seq > %s order by seq", [start])
        written = [row["seq"] for row in rows]
    assert len(written) == 600
    assert told == [written] * 3


async def test_a_screen_that_comes_from_a_process_that_was_ahead_is_told_nothing_twice(own_app, own_toy, room):
    hub = own_app.state.hub
    async with screen(own_app, **room) as one:
        await one.next("hello")
    for task in hub._tasks:
        task.cancel()  # this process falls behind
    ahead = emit(own_toy.url)
    async with screen(own_app, last=ahead, **room) as one:
        assert (await one.next("hello"))["id"] == str(ahead)
        news = [Event(seq, "incident", "incidents", None, {"sensitive": False}) for seq in (ahead, ahead + 1)]
        hub._tell(news)
        assert (await one.next("incident"))["id"] == str(ahead + 1)


async def test_a_hub_without_news_rests(own_app, own_toy, room, monkeypatch):
    async with screen(own_app, **room) as one:
        await one.next("hello")
        emit(own_toy.url)
        await one.next("incident")
        await asyncio.sleep(0.2)
        asked = []
        row = own_app.state.db.row

        async def counted(*given):
            asked.append(given)
            return await row(*given)

        monkeypatch.setattr(own_app.state.db, "row", counted)
        await asyncio.sleep(0.5)
        assert len(asked) <= 1


async def test_the_beat_tells_the_time_and_how_far_a_screen_is(hurried, own_app, own_toy):
    async with screen(own_app) as one:
        await one.next("hello")
        newest = emit(own_toy.url)
        await asyncio.sleep(0.3)
        await one.next("beat")
        beat = await one.next("beat")
        assert beat["data"]["now"].endswith("Z")
        assert beat["id"] == str(newest)


async def test_a_screen_that_does_not_read_is_dropped_and_holds_nobody_up(own_app, own_toy, room, monkeypatch):
    monkeypatch.setattr("mapserver.follower.BUFFER", 6000)
    async with screen(own_app, **room) as good, screen(own_app, reads=False, **room) as stuck:
        await good.next("hello")
        for _ in range(10):
            emit(own_toy.url, 10)
            for _ in range(10):
                await good.next("incident")
        async with asyncio.timeout(3):
            await stuck.over.wait()
        assert not good.over.is_set()
    assert b"onemap_live_dropped_total 1.0" in own_app.state.metrics.text()
    assert b"onemap_live_clients 0.0" in own_app.state.metrics.text()


async def test_the_stream_of_a_revoked_token_ends(hurried, own_app, own_toy, room):
    async with screen(own_app, **room) as one, screen(own_app) as other:
        await one.next("hello")
        await other.next("hello")
        with connect(own_toy.url) as connection:
            connection.execute("update onemap.token set revoked_at = now()")
        async with asyncio.timeout(5):
            await one.over.wait()
        assert not other.over.is_set()


async def test_a_server_that_stops_ends_its_streams_at_once(own_app, room):
    async with screen(own_app, **room) as one, screen(own_app, reads=False, **room) as stuck:
        await one.next("hello")
        own_app.state.hub.close()
        async with asyncio.timeout(2):
            await one.over.wait()
            await stuck.over.wait()
    async with screen(own_app, **room) as late:
        async with asyncio.timeout(1):
            await late.over.wait()


async def test_the_hub_finds_its_way_back_when_its_connections_are_cut(own_app, own_toy, room):
    async with screen(own_app, **room) as one:
        await one.next("hello")
        with connect(own_toy.url) as connection:
            connection.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()"""
            )
        emit(own_toy.url, id=1)
        assert (await one.next("incident"))["data"]["id"] == 1
        await asyncio.sleep(1)
        emit(own_toy.url, id=2)
        assert (await one.next("incident", within_s=2))["data"]["id"] == 2


async def test_without_a_database_live_says_so(toy_settings, monkeypatch):
    monkeypatch.setattr(live, "_PATIENCE_S", 0.5)
    async with running(toy_settings, "postgresql://nobody@127.0.0.1:1/none") as app, asking(app) as client:
        answer = await client.get("/live")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
