from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from layers.core.db import connect
from layers.core.errors import HeatStoreError
from layers.heat.follow.deltas import changes
from layers.heat.follow.everything import everything
from layers.heat.follow.moment import one_moment

FACTS = """select floor(extract(epoch from occurred_at))::bigint as t, cell, coalesce(area_id, 0) as area_id, category,
origin = 'patrol' as patrol, zones from onemap.incident"""


def do(url, statement):
    with connect(url) as connection:
        connection.execute(statement.encode())


def facts(url):
    with connect(url) as connection:
        return Counter(tuple(row.values()) for row in connection.execute(FACTS))


def as_counter(parts, planes):
    found = Counter()
    for part in parts:
        columns = (part.t, part.cell, part.area, part.plane, part.zones)
        for t, cell, area, plane, zones in zip(*(column.tolist() for column in columns), strict=True):
            found[t, cell, area, planes[plane].category, planes[plane].patrol, zones] += 1
    return found


@pytest.fixture
def varied(own_toy):
    do(
        own_toy.url,
        """update onemap.incident set origin = case when incident_id % 5 = 0 then 'patrol' else 'hotline' end,
        area_id = case when incident_id % 7 > 0 then area_id end,
        occurred_at = occurred_at + incident_id % 10 * interval '0.1 seconds'
          - case when incident_id = 3 then interval '80 years' else '0' end""",
    )
    return own_toy.url


@pytest.mark.parametrize("most", [1 << 22, 400, 7])
def test_the_partitions_are_all_incidents_each_once_in_the_order_of_time(varied, most):
    with everything(varied, None, most) as whole:
        parts = list(whole.partitions())
    assert as_counter(parts, whole.planes) == facts(varied)
    assert max(map(len, parts)) <= most * 1.5
    assert len(parts) <= 1500 / most + 2
    edges = [edge for part in parts if len(part) for edge in (part.t.min(), part.t.max())]
    assert edges == sorted(edges)


def test_a_city_without_incidents_is_one_empty_partition(empty_url):
    with everything(empty_url, None) as whole:
        parts = list(whole.partitions())
    assert [len(part) for part in parts] == [0]
    assert whole.planes == ()


def test_what_happens_while_it_is_read_is_not_in_it_and_is_heard_of_afterwards(varied):
    before = facts(varied)
    with connect(varied) as slow:
        slow.execute("delete from onemap.incident where source_key = 'k1'")
        with everything(varied, None, 400) as whole:
            do(varied, "delete from onemap.incident where source_key = 'k2'")
            slow.commit()
            do(varied, "update onemap.category set rank = 100 - rank")
            with ThreadPoolExecutor(2) as pool:
                parts = list(pool.map(whole.read, whole.spans))
    assert as_counter(parts, whole.planes) == before
    with connect(varied) as connection, one_moment(connection):
        news = changes(connection, whole.state)
    assert news.changes.sign.tolist() == [-1, -1]


def test_a_state_is_later_than_the_one_of_the_store_before_and_than_every_change(varied):
    with everything(varied, None) as first:
        pass
    do(varied, "delete from onemap.incident where source_key = 'k1'")
    with everything(varied, first.state) as second:
        pass
    with connect(varied) as connection:
        last = connection.execute("select max(seq) as seq from onemap.heat_delta").fetchone()["seq"]
        connection.execute("alter table onemap.heat_delta alter seq restart with 1")  # as in an earlier copy
    assert first.state.seq < last < second.state.seq
    with everything(varied, second.state) as third:
        pass
    assert second.state.seq < third.state.seq


def test_what_came_with_a_copy_of_another_database_is_neither_heard_of_nor_missed(varied):
    do(
        varied,
        """insert into onemap.heat_delta (xid, t, cell, area_id, category, patrol, zones, sign)
        values ('99999999', 0, 0, 0, 'noise', false, 0, 1);
        insert into onemap.heat_horizon (xid) values ('99999999')""",
    )
    with everything(varied, None) as whole, connect(varied) as connection, one_moment(connection):
        news = changes(connection, whole.state)
    assert len(news.changes) == 0


def test_an_incident_of_a_category_that_the_city_lost_is_not_left_out_silently(varied):
    do(varied, "update onemap.incident set category = 'gone' where source_key = 'k1'")
    with everything(varied, None) as whole, pytest.raises(HeatStoreError):
        list(whole.partitions())


def test_arrays_have_the_types_that_events_promise(varied):
    with everything(varied, None) as whole:
        (part,) = whole.partitions()
    found = [column.dtype for column in (part.t, part.cell, part.area, part.plane, part.zones)]
    assert found == [np.int64, np.uint64, np.int64, np.int16, np.uint32]
