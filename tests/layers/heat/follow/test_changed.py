"""What heat tells of the cells that changed, held against what its own answers say to each audience."""

from dataclasses import replace

import numpy as np
import pytest

from layers.core.audience import SENSITIVE_RES, Audience, Role
from layers.core.db import connect
from layers.core.span import Span
from layers.geo import hexgrid
from layers.heat.engine import Engine
from layers.heat.follow import changed as changed_module
from layers.heat.follow.appender import Appender
from layers.heat.question import Mask, Question, counts_sensitive
from mapserver.event import Event
from tests import toy

SPAN = Span(toy.FIRST.replace(year=2000), toy.FIRST.replace(year=2030))
BASE = toy.CITY.base_resolution


class Watched:
    """A toy database that stores follow by the hour, so to say, and what each audience is told and could count."""

    def __init__(self, own_toy, folder):
        self.toy, self.folder = own_toy, folder
        self.seq = 0

    def do(self, *statements):
        """Follow what each of the statements does, all at once; how many rows they touched."""
        with connect(self.toy.url) as connection:
            return sum(connection.execute(statement.encode()).rowcount for statement in statements)

    def scopes(self):
        with connect(self.toy.url) as connection:
            return [
                None,
                *(self.toy.area_id(row["code"]) for row in connection.execute("select code from onemap.area")),
            ]

    def counts(self, audience, res):
        """What the engine says to an audience: value by cell, every incident for itself."""
        with connect(self.toy.url) as connection:
            sql = "select onemap.scope_area_ids() as id"
            connection.execute("select set_config('onemap.area_id', %s, true)", [str(audience.area_id or "")])
            below = frozenset(row["id"] for row in connection.execute(sql))
        mask = Mask(areas=None if audience.area_id is None else below)
        question = Question("all", SPAN, res, with_sensitive=counts_sensitive(res, audience))
        (answer,) = Engine(self.folder, toy.CITY).answers([replace(question, mask=mask)])
        return dict(zip(answer.cells.cell.tolist(), answer.cells.value.tolist(), strict=True))

    def told(self, audience):
        with connect(self.toy.url) as connection:
            row = connection.execute(
                "select * from onemap.outbox where topic = 'heat' order by seq desc"
            ).fetchone()
        return Event.of(row)._data(audience)["cells"]


@pytest.fixture
def watched(own_toy, tmp_path):
    return Watched(own_toy, tmp_path / "heat")


def at_res(cells, res):
    """Cells that are not coarser, rolled up to `res`."""
    ids = np.array([int(cell, 16) for cell in cells], np.uint64)
    return set(hexgrid.parent(ids[hexgrid.resolution(ids) >= res], res).tolist())


def test_each_audience_is_told_of_the_cells_in_which_its_own_counts_change_and_of_no_other(watched):
    appender = Appender(watched.toy.url, watched.folder)
    audiences = [Audience(role, scope) for role in (Role.ROOM, Role.DISPATCHER) for scope in watched.scopes()]
    with appender._following() as following:
        following.catch_up()
        for audience in audiences:
            assert watched.told(audience) is None, "nobody knows what was told before"
        for keys in (range(1), range(1, 4), range(4, 40), range(40, 200)):
            before = {(a, res): watched.counts(a, res) for a in audiences for res in (SENSITIVE_RES, BASE)}
            names = ", ".join(f"'k{number}'" for number in keys)
            assert watched.do(f"delete from onemap.incident where source_key in ({names})") == len(keys)
            following.catch_up()
            for audience in audiences:
                told = watched.told(audience)
                for res in (SENSITIVE_RES, BASE):
                    after, was = watched.counts(audience, res), before[audience, res]
                    differ = {cell for cell in was.keys() | after.keys() if was.get(cell) != after.get(cell)}
                    assert at_res(told, res) == differ, (audience, res)


def test_no_audience_is_told_a_fine_cell_of_a_sensitive_incident_that_it_may_not_see(watched):
    appender = Appender(watched.toy.url, watched.folder)
    with appender._following() as following:
        following.catch_up()
        assert watched.do("delete from onemap.incident where category = 'domestic' and incident_id % 3 = 0") > 20
        following.catch_up()
    for role in (Role.ROOM, Role.ANALYST, Role.PLANNER):
        for scope in watched.scopes():
            cells = np.array([int(cell, 16) for cell in watched.told(Audience(role, scope))], np.uint64)
            assert np.all(hexgrid.resolution(cells) == SENSITIVE_RES)
    assert watched.told(Audience(Role.ROOM))
    assert len(watched.told(Audience(Role.ADMIN))) > len(watched.told(Audience(Role.ROOM)))


def test_what_moves_is_told_where_it_was_and_where_it_is(watched):
    with Appender(watched.toy.url, watched.folder)._following() as following:
        following.catch_up()
        (other,) = {row.cell for row in watched.toy.rows if row.key == "k7"}
        (mine,) = {row.cell for row in watched.toy.rows if row.key == "k5"}
        watched.do(f"update onemap.incident set cell = {other}, category = 'noise' where source_key = 'k5'")
        following.catch_up()
    assert watched.told(Audience(Role.ADMIN)) == sorted(hexgrid.to_text([mine, other]))


def test_of_too_much_it_is_only_told_that_there_is_much(watched, monkeypatch):
    monkeypatch.setattr(changed_module, "MOST", 2)
    with Appender(watched.toy.url, watched.folder)._following() as following:
        following.catch_up()
        watched.do("delete from onemap.incident where source_key = 'k1'")
        following.catch_up()
        assert watched.told(Audience(Role.ADMIN)) is not None
        watched.do("delete from onemap.incident where incident_id % 100 = 1")
        following.catch_up()
        assert watched.told(Audience(Role.ADMIN)) is None


def test_after_a_state_that_nobody_heard_of_any_cell_may_be_another(watched, monkeypatch):
    with Appender(watched.toy.url, watched.folder)._following() as following:
        following.catch_up()
        with monkeypatch.context() as patch:
            patch.setattr(following, "_tell", lambda _: None)
            watched.do("delete from onemap.incident where source_key = 'k1'")
            following.catch_up()
        watched.do("delete from onemap.incident where source_key = 'k2'")
        following.catch_up()
        assert watched.told(Audience(Role.ADMIN)) is None
        watched.do("delete from onemap.incident where source_key = 'k3'")
        following.catch_up()
        assert len(watched.told(Audience(Role.ADMIN))) == 1
