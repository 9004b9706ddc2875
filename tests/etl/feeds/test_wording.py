from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.feeds.wording import Wording, pick

LOCAL = "%Y-%m-%d %H:%M:%S"
HERE = ZoneInfo("Asia/Shanghai")
WORDING = Wording(HERE, {"ms": "epoch_ms", "local": LOCAL})


@pytest.mark.parametrize(
    ("path", "found"),
    [("a", {"b": {"c": 1}}), ("a.b.c", 1), ("a.x.c", None), ("a.b.c.d", None), ("dotted.name", 2), ("", None)],
)
def test_a_dotted_path_leads_to_a_value_and_a_name_with_dots_comes_first(path, found):
    assert pick({"a": {"b": {"c": 1}}, "dotted.name": 2, "dotted": {"name": 3}}, path) == found


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("x", "噪音", "噪音"),
        ("x", 7, "7"),
        ("x", 0.1, "0.1"),
        ("x", False, "false"),
        ("x", None, None),
        ("ms", 1767225600123, "2026-01-01T00:00:00.123000+00:00"),
        ("ms", "-1000", "1969-12-31T23:59:59+00:00"),
        ("ms", 10**30, str(10**30)),
        ("ms", "soon", "soon"),
        ("local", " 2026-01-01 08:00:00", "2026-01-01T08:00:00"),
        ("local", "1.1.2026", "1.1.2026"),
    ],
)
def test_a_value_is_text_and_a_time_is_iso_text_if_it_can_be_read(column, value, text):
    assert WORDING.text({column: value}, column) == text


@pytest.mark.parametrize(
    ("column", "value", "moment"),
    [
        ("x", "2026-01-01T08:00:00+08:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("x", "2026-01-01 08:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("local", "2026-01-01 08:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("ms", 1767225600000, datetime(2026, 1, 1, tzinfo=UTC)),
        ("x", "yesterday", None),
        ("x", "0001-01-01T00:00:00", None),
        ("x", None, None),
        ("x", ["2026-01-01"], None),
    ],
)
def test_a_watermark_is_an_instant_or_none(column, value, moment):
    assert WORDING.moment({column: value}, column) == moment


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["x", "ms", "local"]),
)
def test_what_is_asked_for_is_the_same_second_when_it_is_read_back(moment, column):
    asked = WORDING.asked(moment, column)
    assert WORDING.moment({column: asked}, column) == moment.replace(microsecond=0)
