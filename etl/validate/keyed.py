"""What roads and places have in common: a key, and names of which either may be missing."""

import numpy as np
import pyarrow as pa

from etl.keys import source_keys
from etl.validate.checker import Checker
from etl.validate.persons import masked, refuse_keys


def keyed(desk: Checker) -> dict[str, pa.Array]:
    """The columns source_key, name_zh and name_en."""
    source_key = source_keys(desk.raw, desk.source)
    desk.findings.add(np.asarray(source_key.is_null()), f"key {' + '.join(desk.source.key)} is missing")
    refuse_keys(desk)
    names = {name: masked(desk, name, desk.text(name)) for name in ("name_zh", "name_en")}
    return {"source_key": source_key, **names}
