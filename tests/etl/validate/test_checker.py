import numpy as np
import shapely

from etl.validate.checker import ewkb
from layers.records.desk import numbers, stamps


def test_what_is_not_there_is_missing_in_a_column():
    assert stamps(np.array(["2025-01-01", "NaT"], "datetime64[us]")).is_null().to_pylist() == [False, True]
    assert numbers(np.array([0.5, np.nan])).to_pylist() == [0.5, None]
    assert ewkb(np.array([shapely.Point(1, 2), None])).is_null().to_pylist() == [False, True]


def test_geometry_says_its_datum():
    assert shapely.get_srid(shapely.from_wkb(ewkb(np.array([shapely.Point(1, 2)]))[0].as_py())) == 4326
