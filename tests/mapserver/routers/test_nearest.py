"""Dispatch: who is near, who is sent, who acknowledges, and to whom it is handed over."""

import pytest

from layers.cases import ledger
from layers.core.audience import Role
from layers.core.db import connect
from tests import toy
from tests.mapserver.asked import PLACE
from tests.mapserver.conftest import bearer, screen, token

DEVICE = "34020000001320000001"


@pytest.fixture
def stations(loop):
    """Two teams, the nearer one called `day`, and a camera between them."""
    with connect(loop.city.url) as connection:
        toy.station(connection, "T1", 10.026, 50.025, unit="day")
        toy.station(connection, "T2", 10.04, 50.025, unit="night")
        toy.station(connection, "C1", 10.03, 50.025, kind="camera", device_id=DEVICE)


async def test_the_nearest_team_of_a_case_is_found_by_kind(loop, stations):
    case_id = await loop.register()
    found = (await loop.get(f"/cases/{case_id}/nearest?kind=team")).json()
    assert found["by"] == "line"
    assert [each["unit"] for each in found["resources"]] == ["day", "night"]
    assert found["resources"][0]["distance_m"] == pytest.approx(71.6, abs=0.5)
    everything = (await loop.get(f"/cases/{case_id}/nearest?limit=2")).json()["resources"]
    assert [(each["code"], each["device_id"]) for each in everything] == [("T1", None), ("C1", DEVICE)]


async def test_the_room_is_told_distances_from_the_cell_alone_and_no_device(loop, stations):
    case_id = await loop.register()
    room = (await loop.get(f"/cases/{case_id}/nearest", role=Role.ROOM)).json()["resources"]
    exact = (await loop.get(f"/cases/{case_id}/nearest")).json()["resources"]
    assert [each["device_id"] for each in room] == [None] * 3
    assert all(a["distance_m"] != b["distance_m"] for a, b in zip(room, exact, strict=True))


async def test_what_is_asked_wrongly_or_by_nobody_is_refused_by_name(loop, stations):
    case_id = await loop.register(category="domestic")
    for query, parameter in (("kind=tank", "kind"), ("limit=0", "limit"), ("colour=red", "colour")):
        answer = await loop.get(f"/cases/{case_id}/nearest?{query}")
        assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)
    assert (await loop.get(f"/cases/{case_id}/nearest", role=None)).status_code == 403
    assert (await loop.get(f"/cases/{case_id}/nearest", role=Role.ROOM)).status_code == 404  # a sensitive one
    assert (await loop.get("/cases/999/nearest")).status_code == 404


async def test_a_place_tells_what_serves_near_it_but_not_to_the_public(loop, stations):
    path = f"/place?lon={PLACE['lon']}&lat={PLACE['lat']}"
    found = (await loop.get(path, role=Role.ROOM)).json()["resources"]
    assert [each["code"] for each in found["resources"]] == ["T1", "C1", "T2"]
    assert (await loop.get(path, role=None)).json()["resources"] is None
    kinds = (await loop.get("/city", role=None)).json()["resource_kinds"]
    assert (kinds[0]["code"], kinds[0]["name"]["zh"]) == ("team", "班组")


async def test_a_case_is_only_sent_to_a_team_that_there_is(loop, stations):
    case_id = await loop.register()
    await loop.walk(case_id, "accept", "triage")
    refused = await loop.move(case_id, 2, "dispatch", unit="Officer Wang")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "unit")
    assert (await loop.move(case_id, 2, "dispatch", unit="day")).status_code == 200


async def test_a_team_acknowledges_in_a_term_and_hands_over_at_the_end_of_its_shift_with_the_clock_running(
    loop, stations
):
    case_id = await loop.register()
    await loop.walk(case_id, "accept", "triage")
    day = {"role": Role.DISPATCHER, "area": "V1"}
    sent = (await loop.move(case_id, 2, "dispatch", unit="day")).json()

    def terms(found):
        return {term["stage"]: term for term in found["terms"] if term["met_at"] is None}

    assert set(terms(sent)) == {"acknowledge", "handle"}
    early = await loop.move(case_id, 3, "hand_over", unit="night", reason="end of shift", **day)
    assert early.status_code == 409  # nobody hands over what nobody acknowledged
    taken = (await loop.move(case_id, 3, "handle", **day)).json()
    assert set(terms(taken)) == {"handle"}
    same = await loop.move(case_id, 4, "hand_over", unit="day", reason="end of shift", **day)
    assert (same.status_code, same.json()["parameter"]) == (400, "unit")
    silent = await loop.move(case_id, 4, "hand_over", unit="night", **day)
    assert (silent.status_code, silent.json()["parameter"]) == (400, "reason")

    dispatcher = bearer(token(loop.settings, loop.city.url, Role.DISPATCHER))
    async with screen(loop.app, **dispatcher) as wall:
        await wall.next("hello")
        over = (await loop.move(case_id, 4, "hand_over", unit="night", reason="end of shift", **day)).json()
        await wall.next("layer")
        told = (await wall.next("case"))["data"]
    assert (told["unit"], told["state"], told["version"]) == ("night", "dispatched", 5)
    assert over["case"]["bounces"] == 0
    assert terms(over)["handle"] == terms(sent)["handle"]
    assert terms(over)["acknowledge"]["start_at"] > terms(sent)["acknowledge"]["start_at"]
    log = [(step["move"], step["unit"], step["reason"]) for step in over["steps"]][2:]
    assert log == [("dispatch", "day", None), ("handle", None, None), ("hand_over", "night", "end of shift")]
    taken_at = (await loop.move(case_id, 5, "handle", **day)).json()["case"]["changed_at"]
    back = (await loop.move(case_id, 6, "hand_over", unit="day", reason="morning", **day)).json()["case"]
    found = [
        (await loop.get(f"/handovers{query}", **day)).json()["handovers"] for query in ("", "?unit=day&limit=1")
    ]
    told = [(each["version"], each["from_unit"], each["unit"], each["reason"], each["move"]) for each in found[0]]
    assert told == [(7, "night", "day", "morning", None), (5, "day", "night", "end of shift", "handle")]
    assert found[0][1]["moved_at"] == taken_at
    assert found[1] == found[0][:1]
    between = (await loop.get(f"/handovers?from={over['case']['changed_at']}&to={back['changed_at']}")).json()
    assert between["handovers"] == found[0][1:]
    assert (await loop.get("/handovers?unit=other")).json()["handovers"] == []
    assert (await loop.get("/handovers", role=Role.DISPATCHER, area="V2")).json()["handovers"] == []
    assert (await loop.get("/handovers", role=Role.PLANNER)).status_code == 403
    assert (await loop.get("/handovers?from=yesterday")).json()["parameter"] == "from"
    with connect(loop.city.url) as connection:
        written = connection.execute(
            """select payload, text from onemap.ledger join onemap.ledger_text using (seq)
            where kind = 'moved' and payload ->> 'version' = '5'"""
        ).fetchone()
        assert (written["payload"]["move"], written["payload"]["unit"]) == ("hand_over", "night")
        assert written["text"] == "end of shift"
        assert connection.execute(ledger.broken().sql.encode()).fetchone() is None
