"""Work that goes ahead: in order, one item at a time, and over when its user is."""

import threading
import time

import pytest

from etl.ahead import ahead


def test_items_come_in_their_order_and_are_made_elsewhere():
    makers = []

    def items():
        for number in range(20):
            makers.append(threading.current_thread())
            yield number

    assert list(ahead(items())) == list(range(20))
    assert threading.current_thread() not in makers


def test_no_more_than_one_item_is_made_ahead_of_its_user():
    made = []

    def items():
        for number in range(9):
            made.append(number)
            yield number

    for number in ahead(items()):
        time.sleep(0.01)
        assert len(made) <= number + 2


def test_an_error_comes_where_its_item_would_after_those_before_it():
    def items():
        yield 1
        yield 2
        raise RuntimeError("cut off")

    got = []
    with pytest.raises(RuntimeError, match="cut off"):
        got.extend(ahead(ahead(items())))
    assert got == [1, 2]


def test_a_user_who_stops_early_ends_the_work_and_what_it_leans_on():
    before = threading.active_count()
    ended = []

    def items():
        try:
            yield from range(1000)
        finally:
            ended.append(True)

    def stops():
        for number in ahead(ahead(items())):
            if number == 3:
                raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        stops()
    assert ended == [True]
    assert threading.active_count() == before
