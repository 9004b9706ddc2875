"""One row a key: who stands for it, who gave way, and who contradicts whom."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from etl.binary import rows, whole
from etl.validate.checker import Checked
from layers.records.findings import Mask
from layers.records.personal import excerpt

_NAMED = 5


@dataclass(frozen=True)
class Settled:
    """`kept` stand for their keys, `superseded` gave way; bool[n], never both, and neither with a finding."""

    kept: Mask
    superseded: Mask


def settle(checked: Checked, key: tuple[str, ...], numbers: NDArray[np.int64], *, ordered: bool) -> Settled:
    """Leave one row a key among those that pass; `numbers` int64[n] are the rows' places in the file.

    Of rows that say the same, one is kept. Where they differ, the last counts if the file is `ordered`; if it is
    not, nobody knows which is true, and each is noted as a finding, so that their order plays no part.
    """
    good = np.flatnonzero(checked.findings.good)
    table = checked.table.take(pa.array(good))
    codes = _codes(rows([whole(table.column(name)) for name in key]))
    said = _codes(whole(table.column("content_hash")))
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    lengths = np.diff(starts, append=len(order))
    last = np.zeros(len(good), np.bool_)
    last[order[starts + lengths - 1]] = True
    contrary = np.zeros(len(good), np.bool_)
    if not ordered and len(good):
        ranked = said[order]
        differ = np.minimum.reduceat(ranked, starts) != np.maximum.reduceat(ranked, starts)
        contrary[order] = np.repeat(differ, lengths)
    _note(checked, key, numbers, good[contrary], codes[contrary])
    settled = Settled(np.zeros_like(checked.findings.good), np.zeros_like(checked.findings.good))
    settled.kept[good[last & ~contrary]] = True
    settled.superseded[good[~last & ~contrary]] = True
    return settled


def _codes(values: pa.Array) -> NDArray[np.int64]:
    return np.asarray(values.dictionary_encode().indices).astype(np.int64)


def _note(
    checked: Checked,
    key: tuple[str, ...],
    numbers: NDArray[np.int64],
    where: NDArray[np.int64],
    codes: NDArray[np.int64],
) -> None:
    together: dict[int, list[int]] = {}
    for index, code in zip(where.tolist(), codes.tolist(), strict=True):
        together.setdefault(code, []).append(int(numbers[index]))
    reasons = {}
    for index, code in zip(where.tolist(), codes.tolist(), strict=True):
        named = ", ".join(map(str, together[code][:_NAMED])) + (" ..." if len(together[code]) > _NAMED else "")
        value = excerpt("/".join(str(checked.table.column(name)[index].as_py()) for name in key))
        reasons[index] = f"key '{value}' stands in rows {named} with different content"
    wrong = np.zeros_like(checked.findings.good)
    wrong[where] = True
    checked.findings.add(wrong, reasons.__getitem__)
