"""Every bad input of the list has its test."""

import importlib
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parents[1]

# what is proved where its subject is
ELSEWHERE = {
    38: ("layers/query/test_tiles.py", "test_a_tile_of_more_than_can_be_drawn_is_too_many_and_never_cut"),
    91: ("mapserver/test_live.py", "test_the_stream_of_a_revoked_token_ends"),
    93: ("mapserver/test_pages.py", "test_hostile_text_in_the_data_is_shown_as_text"),
    96: ("mapserver/test_live.py", "test_a_screen_that_does_not_read_is_dropped_and_holds_nobody_up"),
}


def test_every_number_is_tested():
    tested = set(ELSEWHERE)
    for path in HERE.glob("test_*.py"):
        module = importlib.import_module(f"tests.mapserver.hostile.{path.stem}")
        tested |= set(getattr(module, "REFUSED", {})) | set(getattr(module, "UNREADABLE", {}))
        for name in vars(module):
            if name.startswith("test_"):
                tested |= {int(number) for number in re.findall(r"(?<=_)\d\d(?=_)", name)}
    assert set(range(1, 61)) | set(range(86, 98)) <= tested


@pytest.mark.parametrize("number", ELSEWHERE)
def test_what_is_proved_elsewhere_is_there(number):
    path, name = ELSEWHERE[number]
    assert f"def {name}(" in (TESTS / path).read_text("utf-8")
