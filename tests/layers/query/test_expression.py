"""CQL2 as callers write it."""

import time

import pytest

from layers.core.errors import BadValue
from layers.query.expression import LONGEST, MOST_OPERATORS, read


def test_and_binds_closer_than_or_and_quotes_may_stand_in_quotes():
    assert read("a = 1 OR b = 'it''s (((((((((((' AND NOT c IS NULL") == {
        "op": "or",
        "args": [
            {"op": "=", "args": [{"property": "a"}, 1.0]},
            {
                "op": "and",
                "args": [
                    {"op": "=", "args": [{"property": "b"}, "it's ((((((((((("]},
                    {"op": "not", "args": [{"op": "isNull", "args": [{"property": "c"}]}]},
                ],
            },
        ],
    }


def test_json_is_the_tree_itself():
    assert read('{"op":"=","args":[{"property":"a"},"x"]}', "cql2-json") == read("a = 'x'")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a = ",
        "a = 1; drop table incident",
        "a = 'x",
        "a = 1 AND",
        "(a = 1",
        "a in ()",
        "name'; drop table onemap.incident",
        "a = 1\x00",
        "a" * (LONGEST + 1),
        "(" * 20 + "a = 1" + ")" * 20,
        "(" * 3000 + "a = 1" + ")" * 3000,
        "(" * 3000 + "a = 1",
        "(" * 10 + " AND ".join(["a = 1"] * 60) + ")" * 10,
        " AND ".join(["a = 1"] * 5000),
        " AND ".join(["a=1"] * (MOST_OPERATORS + 2)),
        "NOT " * 1900 + "a = 1",
        "a = " + "-" * 7000 + "1",
        "a = 1" + "-1" * 3000,
        "a LIKE '" + "%" * 10_000 + "'",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_text_of_cql2_or_too_much_is_refused_by_name(text):
    with pytest.raises(BadValue) as caught:
        read(text)
    assert caught.value.context["parameter"] == "filter"


@pytest.mark.parametrize("text", ["", "{", "nan", '{"op": "\\ud800"}', "[" * 5000, "a = 1"])
def test_what_is_no_json_is_refused_by_name(text):
    with pytest.raises(BadValue, match="filter"):
        read(text, "cql2-json")


@pytest.mark.parametrize("deep", range(14))
def test_a_wrong_text_takes_no_longer_the_deeper_it_is(deep):
    longest = "(" * deep + " AND ".join(["b = 1"] * min(480, 20_000 >> deep)) + " AND b =" + ")" * deep
    begun = time.process_time()
    with pytest.raises(BadValue):
        read(longest)
    assert time.process_time() - begun < 1


def test_brackets_where_they_help_are_taken():
    ring = ", ".join(f"{i / 1000} {i / 1000}" for i in range(200))
    read(f"(a = 1 OR (b = 2 AND (c = 3 OR NOT (d IN (1, 2))))) AND S_WITHIN(geometry, MULTIPOLYGON((({ring}))))")
    read("(" * 12 + "a = 1" + ")" * 12)
