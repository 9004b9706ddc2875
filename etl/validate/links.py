"""Links to other systems: an address, and no person in it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.validate.checker import Checker
from layers.records.columns import mask_column

_LINK = r"^https?://[^\s/@]+(/[^\s]{0,1000})?$"
"""Without a name or a password in it."""


def links(desk: Checker) -> pa.StringArray:
    """The field link; missing where there is none."""
    found = desk.text("link")
    shaped = pc.match_substring_regex(found, _LINK)
    strange = np.asarray(pc.invert(shaped).fill_null(False))  # noqa: FBT003
    desk.findings.add(strange, "link is no http or https address without a name in it")
    _, _, named = mask_column(found)
    desk.findings.add(named, "link names a person")
    return found
