"""What roads and places have in common: a key, and names of which either may be missing."""

import pyarrow as pa

from etl.validate.checker import Checker
from etl.validate.identity import identified
from etl.validate.persons import masked


def keyed(desk: Checker) -> dict[str, pa.Array]:
    """The columns source_key, name_zh and name_en."""
    source_key = identified(desk)
    names = {name: masked(desk, name, desk.text(name)) for name in ("name_zh", "name_en")}
    return {"source_key": source_key, **names}
