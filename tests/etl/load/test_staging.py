import numpy as np
import pyarrow as pa

from etl.binary import points
from etl.load.staging import stage
from layers.core.db import connect


def test_a_table_is_staged_with_its_types_and_gone_after_the_transaction(empty_url):
    places = points(np.array([[1.0, 3.0], [2.0, 4.0]]))
    table = pa.table({"k": ["a", None], "n": pa.array([1, 2], pa.int16()), "g": places})
    with connect(empty_url) as connection:
        with connection.transaction():
            stage(connection, "staging", table, {"g": "geometry"})
            found = connection.execute("select k, n, st_astext(g) as g from staging order by n").fetchall()
        gone = connection.execute("select to_regclass('staging') as name").fetchone()
    assert found == [{"k": "a", "n": 1, "g": "POINT(1 3)"}, {"k": None, "n": 2, "g": "POINT(2 4)"}]
    assert gone == {"name": None}
