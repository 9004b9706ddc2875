"""A column without the spans that name a person."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layers.records.personal import CLUE, mask


def mask_column(column: pa.StringArray) -> tuple[pa.StringArray, Counter[str], NDArray[np.bool_]]:
    """Mask each of n texts as `personal.mask` does; missing stays missing.

    Returns
    -------
    The masked column; how many spans of each kind it had; bool[n], true where a text changed.

    Notes
    -----
    RE2 looks through the whole column for a clue; only distinct texts with one are read by Python.
    """
    clue = pc.match_substring_regex(column, CLUE).fill_null(False)  # noqa: FBT003
    hits = column.filter(clue).dictionary_encode()
    masked = [mask(text) for text in hits.dictionary.to_pylist()]
    changes = np.array([bool(each.spans) for each in masked], np.bool_)
    which = np.asarray(hits.indices)
    changed = np.asarray(clue).copy()
    changed[changed] = changes[which] if len(which) else False
    counts: Counter[str] = Counter()
    for index, times in zip(*np.unique(which, return_counts=True), strict=True):
        for span in masked[index].spans:
            counts[span.kind] += int(times)
    texts = pa.array([each.text for each in masked], column.type)
    return pc.replace_with_mask(column, clue, texts.take(hits.indices)), counts, changed
