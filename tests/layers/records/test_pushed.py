import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.core.errors import InputError, SourceError, TooLarge
from layers.records.pushed import MOST_ROWS, Declared, read

DECLARED = Declared(taken=["at", "id", "text"], key=["id"], texts=["at", "text"])
ROW = {"id": "c1", "at": "2025-01-02T03:04:05", "text": "noise"}
SHORT = st.integers(-99_999, 99_999)  # a longer one may look like a telephone's number
PLAIN = st.none() | st.booleans() | SHORT | st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def body(*rows, **changes):
    return json.dumps([*rows, ROW | changes]).encode()


def refused(sent, kind=InputError):
    with pytest.raises(kind) as caught:
        read(sent, DECLARED)
    return str(caught.value), caught.value.context


@given(
    st.lists(
        st.fixed_dictionaries({"id": st.just("k"), "at": PLAIN, "text": st.none(), "more": PLAIN | WORDS}),
        min_size=1,
    )
)
def test_rows_keep_the_columns_that_are_taken_and_no_other(rows):
    found = read(json.dumps(rows).encode(), DECLARED)
    assert found.rows == [{name: row[name] for name in DECLARED.taken} for row in rows]
    assert not found.masked


def test_what_names_a_person_is_masked_and_counted():
    sent = body(
        {"id": 1, "at": None, "text": 13800138000}, text="call Mr. Alan Whitfield, 13800138000 or 13900139000"
    )
    found = read(sent, DECLARED)
    assert found.rows[0]["text"] == "[phone]"
    assert "1390" not in json.dumps(found.rows)
    assert "Whitfield" not in json.dumps(found.rows)
    assert found.masked == {("text", "phone"): 3, ("text", "name"): 1}


def test_a_key_that_names_a_person_is_refused_without_being_repeated():
    said, context = refused(body(ROW, id="13800138000"), SourceError)
    assert (said, context) == ("row 2, column 'id': the key names a person", {"row": 2, "column": "id"})


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([1], "holds a list or an object, no plain value"),
        ({"a": 1}, "holds a list or an object, no plain value"),
        ("a\0b", "holds a NUL character"),
        ("a\ud800b", "holds half a character"),
    ],
)
def test_a_value_that_cannot_be_kept_is_told_by_row_and_column(value, fault):
    said, context = refused(body(ROW, text=value))
    assert (said, context) == (f"row 2, column 'text' {fault}", {"row": 2, "column": "text"})
    said, context = refused(body(ROW, **{"13800138000": value}))
    assert (said, context) == (f"row 2, a column that is not taken {fault}", {"row": 2})


def test_a_number_beyond_a_float_is_refused():
    said, _ = refused(b'[{"id": 1, "at": 1e999, "text": ""}]')
    assert said == "row 1, column 'at' holds a number that is too large"


def test_a_column_that_is_lacking_is_told():
    said, context = refused(body({"id": 1, "text": "x"}))
    assert said == "row 1, column 'at' is missing; where there is no value, say null"
    assert context == {"row": 1, "column": "at"}


def test_a_column_that_is_there_twice_is_told():
    said, context = refused(b'[{"id": 1, "at": 1, "text": "x", "text": "y"}]')
    assert (said, context) == ("row 1, column 'text' is there twice", {"row": 1, "column": "text"})


@pytest.mark.parametrize(
    "sent", [b"", b"[", b"{}", b"[]", b"null", b'"a"', b'{"id": 1}', b"\xef\xbb\xbf[]", b"[1,]"]
)
def test_what_is_no_array_of_rows_is_refused(sent):
    said, _ = refused(sent)
    assert said.startswith("the body ")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_words_that_json_has_not_are_refused(word):
    said, _ = refused(f'[{{"id": {word}}}]'.encode())
    assert said == f"the body cannot be read as JSON: {word} is no number in JSON"


def test_a_body_in_another_encoding_is_refused():
    assert refused('[{"id": "é"}]'.encode("latin-1"))[0] == "the body is not UTF-8 at byte 9"


@pytest.mark.parametrize("row", ["1", "[]", "[[1, 2]]", '"x"', "null"])
def test_a_row_that_is_no_object_is_told(row):
    said, context = refused(f"[{row}]".encode())
    assert (said, context) == ("row 1 is not an object", {"row": 1})


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'[{"a":' * 50_000, b"[" * 5000 + b"]" * 5000])
def test_a_body_nested_without_end_is_refused(deep):
    assert refused(deep)[0]


def test_more_rows_than_are_taken_at_a_time_are_refused():
    said, _ = refused(json.dumps([ROW] * (MOST_ROWS + 1)).encode(), TooLarge)
    assert said == "10,001 rows; at most 10,000 are taken at a time"
    assert len(read(json.dumps([ROW] * MOST_ROWS).encode(), DECLARED).rows) == MOST_ROWS
