import json

import pytest

from layers.core.audience import PUBLIC, Audience, Role
from mapserver.event import Event, message

ROOM, DISPATCHER = Audience(Role.ROOM), Audience(Role.DISPATCHER)


def layer(name):
    return Event(1, "layer", name, None, {"layer": name, "version": 3})


FACTS = {
    "category": "noise", "occurred_at": "2025-01-01T00:00:00Z", "origin": "citizen", "severity": 1, "state": None,
    "due_at": None, "closed_at": None, "area": "V1", "source": "calls",
}  # fmt: skip


def incident(*, sensitive=False, area_ids=(1, 2)):
    point = {"geometry": [10.1, 50.0], "exact": [10.123, 50.001]}
    payload = {name: {"type": "Point", "coordinates": at} for name, at in point.items()} | {
        "id": 7,
        "properties": FACTS | {"attributes": {"street": "Long Street"}, "phone": "1"},
    }
    return Event(4, "incident", "incidents", list(area_ids), payload | {"sensitive": sensitive})


def told(event, audience):
    """What an audience reads in the stream."""
    head, name, data, *rest = event.text(audience).decode().split("\n")
    assert (head, name, rest) == (f"id: {event.seq}", f"event: {event.topic}", ["", ""])
    return json.loads(data.removeprefix("data: "))


@pytest.mark.parametrize("name", ["areas", "risk_areas", "roads", "places", "released"])
def test_the_public_learns_of_the_layers_that_it_may_read(name):
    assert layer(name).visible_to(PUBLIC)


HEAT = Event(9, "heat", "heat", None, {"version": 12, "at": "2025-01-01T00:00:00Z"})


def case(*, sensitive=False, area_ids=(1, 2)):
    payload = {"id": 5, "state": "handling", "report": "a bin burns", "sensitive": sensitive}
    return Event(6, "case", "cases", list(area_ids), payload)


def test_of_a_case_screens_are_told_how_it_stands_and_nothing_that_was_written():
    said = told(case(), DISPATCHER)
    assert (said["id"], said["state"]) == (5, "handling")
    assert "report" not in said


def reminder(**given):
    payload = {"id": 5, "colour": "red", "to": "supervisor", "report": "a bin burns", "sensitive": False}
    return Event(7, "reminder", "cases", [1, 2], payload | given)


def test_a_reminder_is_for_whoever_may_see_its_case():
    said = told(reminder(), DISPATCHER)
    assert (said["id"], said["colour"], said["to"]) == (5, "red", "supervisor")
    assert "report" not in said
    assert not reminder(sensitive=True).visible_to(ROOM)
    assert not reminder().visible_to(Audience(Role.DISPATCHER, 3))


@pytest.mark.parametrize("event", [layer("incidents"), layer("cases"), HEAT, incident(), case(), reminder()])
def test_the_public_learns_nothing_of_incidents(event):
    assert not event.visible_to(PUBLIC)
    assert event.visible_to(ROOM)


def test_a_sensitive_incident_is_only_for_those_who_may_read_its_point():
    for made in (incident, case):
        assert not made(sensitive=True).visible_to(ROOM)
        assert made(sensitive=True).visible_to(DISPATCHER)


def test_an_incident_that_does_not_say_whether_it_is_sensitive_counts_as_sensitive():
    unsaid = Event(1, "incident", "incidents", [1], {"id": 7})
    assert not unsaid.visible_to(ROOM)


def test_an_incident_is_for_those_whose_scope_holds_it():
    for made in (incident, case):
        assert made(area_ids=[1, 2]).visible_to(Audience(Role.ROOM, 1))
        assert not made(area_ids=[1, 2]).visible_to(Audience(Role.ROOM, 3))


def test_an_incident_outside_of_all_areas_is_outside_of_every_scope():
    nowhere = Event(1, "incident", "incidents", None, {"id": 7, "sensitive": False})
    assert nowhere.visible_to(ROOM)
    assert not nowhere.visible_to(Audience(Role.ROOM, 1))


def test_nobody_learns_of_a_topic_that_the_server_does_not_know():
    assert not Event(1, "diary", "incidents", None, {}).visible_to(Audience(Role.ADMIN))


def test_an_incident_is_told_as_the_feature_that_its_audience_may_read_and_nothing_else():
    feature = {"type": "Feature", "id": 7, "geometry": {"type": "Point", "coordinates": [10.1, 50.0]}}
    assert told(incident(), ROOM) == feature | {"properties": FACTS}
    more = FACTS | {"attributes": {"street": "Long Street"}}
    assert told(incident(), Audience(Role.ANALYST)) == feature | {"properties": more}
    exact = {"geometry": {"type": "Point", "coordinates": [10.123, 50.001]}}
    assert told(incident(), DISPATCHER) == feature | exact | {"properties": more}


def test_an_event_is_written_once_for_all_of_one_audience():
    event = incident()
    assert event.text(ROOM) is event.text(Audience(Role.ROOM))
    assert event.text(ROOM) is not event.text(DISPATCHER)


CELLS = {
    "plain": [["8a1", [1, 2]], ["8a2", [1]], ["8a3", []]],
    "sensitive": [["8a4", "881", [1]], ["8a5", "881", [1]], ["8a6", "882", []]],
}


@pytest.mark.parametrize(
    ("audience", "cells"),
    [
        (ROOM, ["881", "882", "8a1", "8a2", "8a3"]),
        (Audience(Role.ROOM, 1), ["881", "8a1", "8a2"]),
        (Audience(Role.PLANNER, 2), ["8a1"]),
        (Audience(Role.ROOM, 3), []),
        (DISPATCHER, ["8a1", "8a2", "8a3", "8a4", "8a5", "8a6"]),
        (Audience(Role.DISPATCHER, 1), ["8a1", "8a2", "8a4", "8a5"]),
    ],
)
def test_heat_is_told_with_the_changed_cells_that_its_audience_counts_in(audience, cells):
    event = Event(9, "heat", "heat", None, HEAT.payload | {"cells": CELLS})
    assert event.visible_to(audience)
    assert told(event, audience) == {"version": 12, "at": "2025-01-01T00:00:00Z", "cells": cells}


@pytest.mark.parametrize("payload", [HEAT.payload, HEAT.payload | {"cells": None}])
def test_of_heat_in_which_any_cell_may_have_changed_no_cells_are_told(payload):
    assert told(Event(9, "heat", "heat", None, payload), Audience(Role.ROOM, 1))["cells"] is None


def test_a_message_without_a_place_in_the_order_has_no_id():
    assert message("hello", {"a": "x\ny"}) == b'event: hello\ndata: {"a":"x\\ny"}\n\n'
