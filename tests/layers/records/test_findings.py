import numpy as np
import pytest
from layers.records.findings import Findings, mask


def test_every_reason_of_a_row_is_kept_in_its_order():
    findings = Findings(3)
    findings.add(np.array([True, False, True]), "first")
    findings.add(np.array([True, False, False]), lambda index: f"second of {index}")
    assert findings.good.tolist() == [False, True, False]
    assert findings.of(0) == ["first", "second of 0"]
    assert findings.of(1) == []
    assert findings.bad() == [0, 2]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2024-13-45 25:00", "2024-13-45 25:00"),
        ("2024/1/2", "2024/1/2"),
        ("tel 138 0013 8000", "tel #############"),
        ("44162119900101123X", "#" * 17 + "X"),
        ("20240102", "########"),
        ("2024-01-0213800138000", "#" * 21),
        ("block 12345", "block 12345"),
        (12345, "12345"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_a_masked_value_is_short_and_names_nobody(value, shown):
    assert mask(value) == shown
