import numpy as np

from layers.records.findings import Findings


def test_every_reason_of_a_row_is_kept_in_its_order():
    findings = Findings(3)
    findings.add(np.array([True, False, True]), "first")
    findings.add(np.array([True, False, False]), lambda index: f"second of {index}")
    assert findings.good.tolist() == [False, True, False]
    assert findings.of(0) == ["first", "second of 0"]
    assert findings.of(1) == []
    assert findings.bad() == [0, 2]
