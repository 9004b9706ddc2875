import numpy as np
import pytest

from tests.etl.test_topology import box, told

SIZE = 100.0


def children(parent, *codes, official=None, level=2):
    """Boxes in a row, west to east, each `SIZE` wide."""
    return [
        (level, code, parent, box(i * SIZE, 0, (i + 1) * SIZE, SIZE), (official or {}).get(code))
        for i, code in enumerate(codes)
    ]


def family(parent, *codes, official=None):
    whole = box(0, 0, len(codes) * SIZE, SIZE)
    return [(1, parent, None, whole, (official or {}).get(parent)), *children(parent, *codes, official=official)]


@pytest.mark.parametrize(
    ("parent", "codes", "astray"),
    [
        ("441602001", ["441602001001", "441602001002", "441602002003"], ["441602002003"]),
        ("441602000000", ["441602001000", "441602002000", "441603003000"], ["441603003000"]),
        ("17", ["1711", "1712", "1713"], []),
        ("CHI", ["17", "18", "CHI19"], []),
        ("V1", ["V1G1", "V2G2"], []),
        ("V1", ["V2G1"], []),
        ("V1", ["V1G1", "V1G2", "V1G3", "V2G4", "V3G5"], ["V2G4", "V3G5"]),
    ],
)
def test_a_code_without_its_parents_prefix_is_told_where_the_scheme_nests(parent, codes, astray):
    entries = told(*family(parent, *codes))
    assert [(entry.kind, entry.subject) for entry in entries] == [("wrong_prefix", code) for code in astray]
    for entry in entries:
        assert entry.row_number == 2 + codes.index(entry.subject)
        assert f"code {entry.subject} does not begin with {parent}" in entry.message
        assert not entry.changed


def test_official_codes_have_a_scheme_of_their_own():
    official = {"V": "4416", "A": "441601", "B": "441602", "C": "441703"}
    (entry,) = told(*family("V", "A", "B", "C", official=official))
    assert (entry.kind, entry.subject) == ("wrong_prefix", "C")
    assert entry.message.startswith("official code 441703 does not begin with 4416")


def test_an_official_code_stands_once_a_level_and_time():
    official = {"V": "7", "A": "71", "B": "72", "C": "71"}
    (entry,) = told(*family("V", "A", "B", "C", official=official))
    assert (entry.kind, entry.subject, entry.row_number) == ("duplicate_code", "A, C", 2)
    assert entry.message == "official code 71 is that of A, C"
    assert len(entry.place.geoms) == 2
    one, two = children("V", "A", "B", official={"A": "71", "B": "71"})
    assert told((*one, None, "2025-01-01"), (*two, "2025-01-01", None)) == []
    assert told((1, "V", None, box(0, 0, SIZE, SIZE), "71"), *children("V", "A", official={"A": "71"})) == []


def grid(rows, columns, numbers):
    """Unit grids of V1 in reading order, numbered as told."""
    cells = [
        box(column * SIZE, -(row + 1) * SIZE, (column + 1) * SIZE, -row * SIZE)
        for row in range(rows)
        for column in range(columns)
    ]
    whole = box(0, -rows * SIZE, columns * SIZE, 0)
    return [
        (1, "V1", None, whole),
        *((2, f"V1{n:03d}", "V1", cell) for n, cell in zip(numbers, cells, strict=True)),
    ]


def test_grids_in_reading_order_are_as_the_standard_says():
    assert told(*grid(3, 4, range(1, 13))) == []
    assert told(*grid(3, 4, range(10, 130, 10))) == []


def test_grids_in_another_order_are_told_once_a_parent():
    swapped = [2, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    (entry,) = told(*grid(3, 4, swapped))
    assert (entry.kind, entry.subject, entry.amount, entry.unit) == ("grid_order", "V1", 1, "steps")
    assert entry.message == "1 of 11 steps below V1 run against the order, first V1001 to V1002"
    northward = np.arange(12).reshape(3, 4)[::-1].ravel() + 1
    (entry,) = told(*grid(3, 4, northward.tolist()))
    assert entry.amount == 2


def test_only_three_digits_at_the_level_of_grids_are_a_sequence():
    areas = grid(3, 4, reversed(range(1, 13)))
    assert [entry.kind for entry in told(*areas)] == ["grid_order"]
    higher = [(level - 1, code, parent, shape) for level, code, parent, shape in areas]
    assert told(*higher) == []
    longer = [(level, code + "0" * (level == 2), parent, shape) for level, code, parent, shape in areas]
    assert told(*longer) == []
