"""One clock, which shows the present or a past."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from layers.core.clock import Clock, Replay, ReplayClock

BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOWN = datetime(2021, 12, 25, 8, tzinfo=UTC)
UNTIL = SHOWN + timedelta(days=7)


def test_without_a_past_both_clocks_are_the_walls():
    for clock in (Clock(), ReplayClock()):
        before = datetime.now(UTC)
        assert before <= clock.now() <= datetime.now(UTC)


def test_a_past_runs_at_its_speed_and_stays_at_its_end():
    replay = Replay(SHOWN, BEGUN, 60, UNTIL)
    assert replay.at(BEGUN) == SHOWN
    assert replay.at(BEGUN + timedelta(minutes=1)) == SHOWN + timedelta(hours=1)
    assert replay.at(BEGUN + timedelta(days=1)) == UNTIL
    assert Replay(SHOWN, BEGUN, 0, UNTIL).at(BEGUN + timedelta(days=1)) == SHOWN


@given(
    speed=st.floats(0, 86_400),
    steps=st.lists(st.timedeltas(timedelta(days=-1), timedelta(days=3)), min_size=2, max_size=8),
)
def test_a_past_never_runs_backwards_nor_leaves_its_span(speed, steps):
    replay = Replay(SHOWN, BEGUN, speed, UNTIL)
    shown = [replay.at(BEGUN + step) for step in sorted(steps)]
    assert shown == sorted(shown)
    assert all(SHOWN <= each <= UNTIL for each in shown)


def test_the_clock_shows_the_past_that_it_is_told_and_the_present_again():
    clock = ReplayClock()
    clock.replay = Replay(SHOWN, datetime.now(UTC), 1, UNTIL)
    assert SHOWN <= clock.now() < SHOWN + timedelta(minutes=1)
    clock.replay = None
    assert clock.now() > UNTIL
