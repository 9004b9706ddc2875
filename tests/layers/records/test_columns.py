from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.records.columns import mask_column
from layers.records.personal import kinds, mask
from tests.hotline import feed
from tests.layers.records.test_personal import TEXTS


def assert_same(values, kind=None):
    column, counts, changed = mask_column(pa.array(values, kind or pa.string()))
    assert column.type == (kind or pa.string())
    assert column.to_pylist() == [value and mask(value).text for value in values]
    assert changed.tolist() == [bool(value and mask(value).spans) for value in values]
    assert counts == sum((kinds(value) for value in values if value), Counter())


@given(st.lists(st.none() | TEXTS, max_size=8))
def test_a_column_is_masked_as_its_values_are(values):
    assert_same(values * 2)


@pytest.mark.parametrize("values", [[], [None], ["", None, "ſK mK. ıd name：", "ﬀ １３８００１３８０００"]])
def test_a_column_without_texts_and_odd_letters_are_no_exception(values):
    assert_same(values)


def test_a_slice_of_large_texts_keeps_its_type():
    assert_same(["电话13800138000", None, "ok"], pa.large_string())
    column, _, changed = mask_column(pa.array(["a", "电话13800138000", None])[1:])
    assert column.to_pylist() == ["电话[phone]", None]
    assert changed.tolist() == [True, False]


def test_the_hotline_is_masked_as_a_column_as_it_is_by_value():
    assert_same([row["content"] for row in feed(2_000, seed=3)[0]])
