"""Measures over HTTP: who keeps and sees which, what is refused, and what is covered."""

from datetime import timedelta

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from tests import toy
from tests.mapserver.asked import Asked
from tests.mapserver.conftest import Moving, asking, running

NAME = {"name_zh": "校园周边检查", "name_en": "Checks around schools"}
DAYS = {
    "first_day": "2025-01-06",
    "last_day": "2025-01-19",
}  # two weeks from a Monday; the second ends on a Sunday


class Office(Asked):
    """Asks as the room, and registers measures as a dispatcher."""

    @property
    def clock(self):
        return self.app.state.clock

    async def get(self, path, role=Role.ROOM, area=None):
        return await super().get(path, role, area)

    async def register(self, key="m1", within=None, **given):
        body = {"key": key, **NAME, "unit": "school office", **DAYS, **given}
        return await self.post("/measures", body, area=within)


@pytest.fixture
async def asked(own_toy, toy_settings):
    async with running(toy_settings, own_toy.url) as app, asking(app) as client:
        app.state.clock = Moving(toy.FIRST)
        yield Office(app, client, toy_settings, own_toy)


async def test_a_measure_is_registered_done_covered_and_closed(asked):
    campaign = {"code": "spring", "name_zh": "春季行动", "name_en": "Spring", **DAYS}
    first, again = [await asked.post("/measures/campaigns", campaign) for _ in range(2)]
    assert [(each.status_code, each.json()["fresh"]) for each in (first, again)] == [(201, True), (200, False)]
    with connect(asked.city.url) as connection:
        found = connection.execute("select risk_area_id from onemap.risk_area where code = 'S1'").fetchone()
    made = await asked.register(every="weekly", target=2, risk_area=found["risk_area_id"], campaign="spring")
    assert (made.status_code, made.headers["location"]) == (201, f"/measures/{made.json()['id']}")
    path = made.headers["location"]
    early = await asked.post(f"{path}/evidence", {"key": "e0"})
    assert (early.status_code, early.json()["why"]) == (409, "early")
    asked.clock.at = toy.FIRST + timedelta(days=6)
    for key, count in (("e1", 1), ("e1", 1), ("e2", 1), ("e3", 1)):
        answer = await asked.post(f"{path}/evidence", {"key": key, "count": count})
        assert answer.json()["period"] == 1
    asked.clock.at = toy.FIRST + timedelta(days=19)
    file = (await asked.get(path)).json()
    assert [(term["done"], term["overdue"]) for term in file["terms"]] == [
        (3, False),
        (0, False),
    ]  # not due on a Sunday
    asked.clock.at = toy.FIRST + timedelta(days=20)
    measure = (await asked.get(path)).json()["measure"]
    assert (measure["zone_type"], measure["area"], measure["risk_area"]) == ("school", "V1G2", "S1")
    assert (measure["terms"], measure["kept"], measure["overdue"], measure["evidence"]) == (2, 1, 1, 3)
    for query, code in (
        ("by=zone_type", "school"),
        ("by=area", "V1"),
        ("by=campaign", "spring"),
        ("by=area&level=grid", "V1G2"),
    ):
        body = (await asked.get(f"/measures/coverage?{query}")).json()
        (row,) = body["groups"]
        assert (row["code"], row["due"], row["done"], row["coverage"], row["overdue"]) == (code, 4, 2, 0.5, 1)
        assert {name: row[name] for name in body["total"]} == body["total"]
    before = (await asked.get("/measures/coverage?at=2025-01-19T12:00:00Z")).json()
    assert before["total"]["coverage"] == 1
    closed = await asked.post(f"{path}/closing", {"reason": "done, says 13812345678"}, Role.ADMIN)
    assert closed.json()["measure"]["overdue"] == 0
    assert (await asked.post(f"{path}/closing", {"reason": "twice"}, Role.ADMIN)).status_code == 409
    assert (await asked.post(f"{path}/evidence", {"key": "e9"})).json()["why"] == "closed"
    with connect(asked.city.url) as connection:
        told = connection.execute("select kind, payload from onemap.ledger order by seq").fetchall()
    assert [row["kind"] for row in told] == ["campaign", "measure", *["evidence"] * 3, "measure_closed"]
    assert "13812345678" not in str(told)
    assert [each["code"] for each in (await asked.get("/measures/campaigns")).json()["campaigns"]] == ["spring"]


async def test_the_office_that_owes_a_measure_does_not_close_it_and_only_the_supervisor_one_that_lacks_evidence(
    asked,
):
    area = asked.city.area_id("V1")
    path = (await asked.register("own", "V1", area=area, every="weekly")).headers["location"]
    asked.clock.at = toy.FIRST + timedelta(days=14)

    async def closed(role, within=None):
        return await asked.post(f"{path}/closing", {"reason": "met"}, role, within)

    assert (await closed(Role.ADMIN, "V1")).status_code == 403
    assert (await closed(Role.DISPATCHER, "V1")).status_code == 403
    lacking = await closed(Role.DISPATCHER)
    assert (lacking.status_code, lacking.json()["why"], lacking.json()["needs"]) == (403, "lacking", "admin")
    assert (await asked.post("/measures/999999/closing", {"reason": "x"}, Role.DISPATCHER)).status_code == 404
    for key in ("e1", "e2"):
        assert (await asked.post(f"{path}/evidence", {"key": key}, area="V1")).status_code == 201
    assert (await closed(Role.DISPATCHER)).status_code == 200
    other = (await asked.register("other", area=area)).headers["location"]
    assert (await asked.post(f"{other}/closing", {"reason": "off"}, Role.ADMIN)).status_code == 200


async def test_what_was_done_is_not_dated_back_for_ever_and_an_area_holds_its_risk_area(asked):
    path = (await asked.register(zone_type="school", every="weekly")).headers["location"]
    asked.clock.at = toy.FIRST + timedelta(days=30)
    refused = await asked.post(f"{path}/evidence", {"key": "e", "at": "2025-01-07T00:00:00Z"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "at")
    assert "settled" in refused.json()["title"]
    assert (await asked.post(f"{path}/evidence", {"key": "e"})).json()["period"] == 1
    with connect(asked.city.url) as connection:
        found = connection.execute("select risk_area_id from onemap.risk_area where code = 'S1'").fetchone()
    refused = await asked.register("far", area=asked.city.area_id("V2"), risk_area=found["risk_area_id"])
    assert (refused.status_code, refused.json()["parameter"]) == (400, "area")
    assert "no ground in common" in refused.json()["title"]


async def test_the_list_is_filtered_and_paged(asked):
    for number, code in enumerate(["V1", "V1G1", "V2", None, "V2G1"]):
        bound = {"zone_type": "school"} if code is None else {"area": asked.city.area_id(code)}
        made = await asked.register(f"m{number}", unit="fire office" if number % 2 else "school office", **bound)
        assert made.status_code == 201
    asked.clock.at = toy.FIRST + timedelta(days=40)

    async def keys(query):
        return [each["key"] for each in (await asked.get(f"/measures?{query}")).json()["measures"]]

    assert await keys("unit=fire%20office") == ["m1", "m3"]
    assert await keys(f"area={asked.city.area_id('V1')}") == ["m0", "m1"]
    assert await keys("zone_type=school") == ["m3"]
    assert await keys("overdue=true") == [f"m{number}" for number in range(5)]
    assert await keys("overdue=true&at=2025-01-10T00:00:00Z") == []
    assert await keys("open=false") == []
    first = (await asked.get("/measures?limit=2")).json()
    rest = (await asked.get(f"/measures?limit=5&after={first['next']}")).json()
    assert [each["key"] for each in first["measures"] + rest["measures"]] == [f"m{number}" for number in range(5)]
    assert rest["next"] is None


async def test_who_has_an_area_keeps_and_sees_the_measures_of_that_area_alone(asked):
    v1, v2 = asked.city.area_id("V1G1"), asked.city.area_id("V2")
    own = await asked.register("own", "V1", area=v1)
    other = await asked.register("other", area=v2)
    assert (own.status_code, other.status_code) == (201, 201)
    for given in ({"area": v2}, {"zone_type": "school"}):
        refused = await asked.register("no", "V1", **given)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:onemap:forbidden")
    assert [each["key"] for each in (await asked.get("/measures", area="V1")).json()["measures"]] == ["own"]
    asked.clock.at = toy.FIRST + timedelta(days=40)
    assert (await asked.get("/measures/coverage", area="V1")).json()["total"]["due"] == 1
    path = other.headers["location"]
    assert (await asked.get(path, area="V1")).status_code == 404
    assert (await asked.post(f"{path}/evidence", {"key": "e"}, area="V1")).status_code == 404
    assert (await asked.post(f"{path}/closing", {"reason": "no"}, area="V1")).status_code == 403
    assert (await asked.get(f"/measures?area={v2}", area="V1")).status_code == 404
    campaign = {"code": "c", **NAME, **DAYS}
    assert (await asked.post("/measures/campaigns", campaign, area="V1")).status_code == 403


async def test_the_public_sees_none_and_a_room_keeps_none(asked):
    for path in ("/measures", "/measures/coverage", "/measures/campaigns", "/measures/1"):
        assert (await asked.get(path, None)).status_code == 403
    for role in (None, Role.ROOM, Role.PLANNER):
        for path in ("/measures", "/measures/campaigns", "/measures/1/evidence", "/measures/1/closing"):
            assert (await asked.post(path, {}, role)).status_code == 403


REFUSED = [
    ({}, "zone_type"),
    ({"zone_type": "moon"}, "zone_type"),
    ({"area": 10**9}, "area"),
    ({"risk_area": 10**9}, "risk_area"),
    ({"campaign": "none"}, "campaign"),
    ({"zone_type": "school", "unit": "李先生"}, "unit"),
    ({"zone_type": "school", "key": "13812345678"}, "key"),
    ({"zone_type": "school", "target": 0}, "target"),
    ({"zone_type": "school", "every": "hourly"}, "every"),
    ({"zone_type": "school", "last_day": "2025-01-01"}, "last_day"),
    ({"zone_type": "school", "first_day": "1999-01-01"}, "first_day"),
    ({"zone_type": "school", "person": "x"}, "person"),
]


async def test_a_measure_that_cannot_be_is_refused_by_the_name_of_its_field(asked):
    for given, field in REFUSED:
        refused = await asked.register(**given)
        assert (refused.status_code, refused.json()["parameter"]) == (400, field), refused.text
    assert (await asked.get("/measures")).json()["measures"] == []


async def test_evidence_of_the_future_and_levels_that_there_are_not_are_refused(asked):
    path = (await asked.register(zone_type="school")).headers["location"]
    for body in (
        {"key": "e", "at": "2025-06-01T00:00:00Z"},
        {"key": "e", "at": "2025-01-06"},
        {"key": "e", "at": "2025-01-06T00:00:00"},
    ):
        refused = await asked.post(f"{path}/evidence", body)
        assert (refused.status_code, refused.json()["parameter"]) == (400, "at")
    for query, field in (
        ("by=person", "by"),
        ("by=area&level=moon", "level"),
        ("level=grid", "level"),
        ("at=soon", "at"),
    ):
        refused = await asked.get(f"/measures/coverage?{query}")
        assert (refused.status_code, refused.json()["parameter"]) == (400, field), refused.text
