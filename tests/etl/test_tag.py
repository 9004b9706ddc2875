import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl import tag
from etl.tag import NOWHERE, Versions

BEGIN, END = np.datetime64("-290000-01-01", "us"), np.datetime64("290000-01-01", "us")
DAY = np.datetime64("2025-06-01T00:00:00", "us")


def versions(*rows):
    """Rows of value, box, and perhaps start and end."""
    full = [(*row, BEGIN, END)[:4] for row in rows]
    value, boxes, start, end = zip(*full, strict=True) if rows else ((), (), (), ())
    return Versions(
        np.array(value, np.int64),
        np.array(start, "datetime64[us]"),
        np.array(end, "datetime64[us]"),
        np.array([shapely.box(*box) for box in boxes], object),
    )


def finest_area(lonlat, moments, areas):
    return tag.finest_area(np.asarray(shapely.points(lonlat)), moments, areas)


def zone_mask(lonlat, moments, zones):
    return tag.zone_mask(np.asarray(shapely.points(lonlat)), moments, zones)


def at(count, moment=DAY):
    return np.full(count, moment)


def test_the_first_area_that_holds_a_point_is_its_finest():
    areas = versions((21, (0, 0, 1, 1)), (22, (1, 0, 2, 1)), (11, (0, 0, 2, 2)))
    lonlat = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5], [5.0, 5.0]])
    assert finest_area(lonlat, at(4), areas).tolist() == [21, 22, 11, NOWHERE]


def test_a_point_on_a_border_belongs_to_the_area_that_comes_first():
    areas = versions((21, (0, 0, 1, 1)), (22, (1, 0, 2, 1)))
    lonlat = np.array([[1.0, 0.5], [2.0, 1.0]])
    assert finest_area(lonlat, at(2), areas).tolist() == [21, 22]
    turned = versions((22, (1, 0, 2, 1)), (21, (0, 0, 1, 1)))
    assert finest_area(lonlat, at(2), turned).tolist() == [22, 22]


def test_an_area_holds_a_point_only_while_it_is_valid():
    noon = np.datetime64("2025-06-01T12:00:00", "us")
    areas = versions((1, (0, 0, 1, 1), BEGIN, noon), (2, (0, 0, 1, 1), noon, END))
    moments = noon + np.array([-1, 0, 1]).astype("timedelta64[us]")
    assert finest_area(np.full((3, 2), 0.5), moments, areas).tolist() == [1, 2, 2]


def test_a_mask_has_the_bit_of_every_zone_type_that_reaches_the_point():
    zones = versions((0, (0, 0, 2, 2)), (0, (1, 1, 3, 3)), (5, (1, 1, 2, 2)), (30, (9, 9, 10, 10)))
    lonlat = np.array([[0.5, 0.5], [1.5, 1.5], [2.0, 2.0], [9.5, 9.5], [50.0, 50.0]])
    assert zone_mask(lonlat, at(5), zones).tolist() == [1, 33, 33, 1 << 30, 0]


def test_without_versions_or_points_nothing_is_tagged():
    lonlat = np.array([[0.5, 0.5]])
    assert finest_area(lonlat, at(1), versions()).tolist() == [NOWHERE]
    assert zone_mask(lonlat, at(1), versions()).tolist() == [0]
    assert finest_area(np.empty((0, 2)), at(0), versions((1, (0, 0, 1, 1)))).tolist() == []


halves = st.integers(0, 8).map(lambda n: n / 2)
days = st.integers(0, 5).map(lambda n: DAY + np.timedelta64(n, "D"))
boxes = st.tuples(halves, halves, halves, halves).filter(lambda b: b[0] < b[2] and b[1] < b[3])
spans = st.tuples(days, days).filter(lambda span: span[0] < span[1])


@given(
    st.lists(st.tuples(halves, halves, days), max_size=12),
    st.lists(st.tuples(st.integers(0, 30), boxes, spans).map(lambda v: (v[0], v[1], *v[2])), max_size=6),
)
def test_tags_agree_with_asking_every_polygon_about_every_point(points, polygons):
    lonlat = np.array([(x, y) for x, y, _ in points]).reshape(-1, 2)
    moments = np.array([day for *_, day in points], "datetime64[us]")
    holding = [
        [v for v, (w, s, e, n), start, end in polygons if w <= x <= e and s <= y <= n and start <= day < end]
        for x, y, day in points
    ]
    dated = versions(*polygons)
    assert finest_area(lonlat, moments, dated).tolist() == [(held or [NOWHERE])[0] for held in holding]
    assert zone_mask(lonlat, moments, dated).tolist() == [sum(1 << bit for bit in set(held)) for held in holding]
