from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from etl.duplicates import settle
from etl.validate.checker import Checked
from layers.records.findings import Findings

rows = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.booleans()), max_size=12)


def checked(rows):
    key, content, good = zip(*rows, strict=True) if rows else ((), (), ())
    findings = Findings(len(rows))
    findings.add(~np.array(good, np.bool_), "bad")
    table = pa.table(
        {"k": pa.array(key, pa.string()), "content_hash": pa.array([c.encode() for c in content], pa.binary())}
    )
    return Checked(table, findings, {}, [], Counter())


def settled(rows, *, ordered):
    made = checked(rows)
    return made, settle(made, ("k",), np.arange(1, len(rows) + 1), ordered=ordered)


@given(rows, st.booleans())
def test_every_row_is_kept_superseded_or_found_and_a_key_is_kept_once(rows, ordered):
    made, result = settled(rows, ordered=ordered)
    each = result.kept.astype(int) + result.superseded + ~made.findings.good
    assert each.tolist() == [1] * len(rows)
    kept = [row[0] for row, stays in zip(rows, result.kept, strict=True) if stays]
    assert len(kept) == len(set(kept))


@given(rows)
def test_in_an_ordered_file_the_last_good_row_of_a_key_is_kept(rows):
    _, result = settled(rows, ordered=True)
    last = {key: place for place, (key, _, good) in enumerate(rows) if good}
    assert set(np.flatnonzero(result.kept).tolist()) == set(last.values())


@given(rows, st.randoms())
def test_in_a_file_without_order_what_is_kept_does_not_depend_on_it(rows, random):
    shuffled = rows[:]
    random.shuffle(shuffled)
    kept = [
        sorted(row for row, stays in zip(some, settled(some, ordered=False)[1].kept, strict=True) if stays)
        for some in (rows, shuffled)
    ]
    assert kept[0] == kept[1]


def test_a_contradiction_names_the_key_and_all_its_rows():
    made, result = settled([("a", "x", True), ("b", "x", True), ("a", "y", True)], ordered=False)
    assert result.kept.tolist() == [False, True, False]
    assert made.findings.of(0) == ["key 'a' stands in rows 1, 3 with different content"]
    assert made.findings.of(2) == made.findings.of(0)


def test_of_many_rows_only_the_first_are_named():
    made, _ = settled([("a", str(n), True) for n in range(9)], ordered=False)
    assert made.findings.of(8) == ["key 'a' stands in rows 1, 2, 3, 4, 5 ... with different content"]
