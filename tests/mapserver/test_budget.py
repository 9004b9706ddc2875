import math

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.core.audience import Role
from layers.core.errors import TooMany
from layers.core.settings import LimitSettings
from mapserver import budget
from mapserver.budget import Budget, peer
from tests import toy
from tests.conftest import heated
from tests.mapserver.conftest import BASE, bearer, running, token


class Now:
    """A clock that is set by hand."""

    s = 1000.0

    def __call__(self):
        return self.s


def refused(bucket, payer, cost=1.0):
    try:
        bucket.take(payer, cost)
    except TooMany as exc:
        return exc.context["retry_after_s"]
    return 0


@given(
    st.floats(0.1, 100),
    st.floats(1, 50),
    st.lists(st.tuples(st.floats(0, 3), st.sampled_from([1.0, 2.0, 50.0])), max_size=60),
)
def test_whoever_asks_however_gets_no_more_than_the_burst_and_what_flowed_in_since(per_s, most, asks):
    now = Now()
    bucket, level, last = Budget(per_s, most, now), most, now.s
    for pause, cost in asks:
        now.s += pause
        level = min(most, level + (now.s - last) * per_s)
        last, due = now.s, min(cost, most)
        if math.isclose(level, due, rel_tol=1e-6, abs_tol=1e-6):
            return  # on the edge, where rounding decides
        wait_s = refused(bucket, "a", cost)
        assert (wait_s == 0) == (level > due)
        if wait_s:
            assert wait_s - 1 - 1e-6 <= (due - level) / per_s <= wait_s + 1e-6
        else:
            level -= due


def test_a_refusal_costs_nothing_and_says_when_to_come_back():
    now = Now()
    bucket = Budget(0.5, 2, now)
    assert [refused(bucket, "a") for _ in range(5)] == [0, 0, 2, 2, 2]
    now.s += 2
    assert refused(bucket, "a") == 0
    assert refused(bucket, "b") == 0


def test_no_more_callers_are_kept_than_may_be_and_the_poor_are_not_forgotten_first(monkeypatch):
    monkeypatch.setattr(budget, "_KEPT", 100)
    now = Now()
    bucket = Budget(1, 10, now)
    assert [refused(bucket, "scraper") for _ in range(11)][-1] == 1
    for number in range(1000):
        now.s += 0.001
        bucket.take(number)
        assert refused(bucket, "scraper") > 0
    assert len(bucket._full_at) == 100
    now.s += 60
    bucket.take("late")
    assert refused(bucket, "scraper") == 0


@pytest.mark.parametrize(
    ("host", "payer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::%eth0/64"),
        ("nowhere", "nowhere"),
    ],
)
def test_a_peer_is_its_address_or_its_network(host, payer):
    assert peer({"type": "http", "client": (host, 1)}) in {payer, "fe80::/64"}


def test_what_comes_by_a_socket_file_has_one_budget():
    assert peer({"type": "http", "client": None}) == peer({"type": "http"})


@pytest.fixture
async def narrow(toy_settings, own_toy):
    """The toy city's app with small budgets."""
    limits = LimitSettings(
        public_burst=5,
        public_per_s=0.01,
        token_burst=50,
        token_per_s=0.01,
    )
    heated(own_toy.url, toy_settings.heat_folder(own_toy.url), toy.CITY)
    async with running(toy_settings.model_copy(update={"limits": limits}), own_toy.url) as made:
        yield made


def at(app, host):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(host, 1)), base_url=BASE)


async def test_a_stranger_who_asks_for_everything_is_told_to_wait_and_takes_nothing_from_others(
    narrow, own_toy, toy_settings
):
    wall = bearer(token(toy_settings, own_toy.url, Role.ROOM))
    async with at(narrow, "192.0.2.1") as one, at(narrow, "192.0.2.2") as other:
        answers = [await one.get("/place?lon=10.02&lat=50.02") for _ in range(8)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
        refusal = answers[-1]
        assert refusal.json()["type"] == "urn:onemap:too-many-requests"
        assert refusal.headers["cache-control"] == "no-store"
        assert 60 < int(refusal.headers["retry-after"]) <= 100
        assert (await one.get("/summary", headers=wall)).status_code == 200
        assert (await other.get("/summary")).status_code == 200
        assert (await one.get("/healthz")).status_code == 200


async def test_a_token_has_a_budget_of_its_own_wherever_it_is_used(narrow, own_toy, toy_settings):
    given = [bearer(token(toy_settings, own_toy.url, Role.ROOM)) for _ in range(2)]
    async with at(narrow, "192.0.2.1") as one, at(narrow, "192.0.2.2") as other:
        spent = [(await c.get("/summary", headers=given[0])).status_code for c in [one, other] * 27]
        assert spent == [200] * 50 + [429] * 4
        assert (await one.get("/summary", headers=given[1])).status_code == 200
