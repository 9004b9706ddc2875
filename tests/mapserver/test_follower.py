import asyncio

import pytest

from layers.core.audience import PUBLIC
from mapserver.follower import BUFFER, Follower


@pytest.fixture
def follower():
    return Follower(PUBLIC, None, 0)


async def test_everything_that_waits_comes_at_once_and_in_order(follower):
    follower.offer(b"a")
    follower.offer(b"b")
    follower.open(b"0")
    assert await follower.next() == b"0ab"


async def test_what_comes_later_is_waited_for(follower):
    waiting = asyncio.create_task(follower.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    follower.offer(b"late")
    assert await waiting == b"late"


async def test_the_rest_is_sent_before_the_end(follower):
    follower.offer(b"rest")
    follower.end()
    assert [await follower.next(), await follower.next()] == [b"rest", b""]


async def test_no_more_waits_than_the_buffer_holds(follower):
    assert follower.offer(b"x" * BUFFER)
    assert not follower.offer(b"y")
    assert await follower.next() == b"x" * BUFFER
    assert follower.offer(b"y")


async def test_a_restart_forgets_what_waits(follower):
    follower.offer(b"old")
    follower.restart(9)
    assert await follower.next() == b"id: 9\nevent: reset\ndata: {}\n\n"
    assert follower.after == 9
