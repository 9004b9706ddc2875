import pytest

from layers.core.audience import PUBLIC, Audience, Role
from mapserver.event import Event, message

ROOM, DISPATCHER = Audience(Role.ROOM), Audience(Role.DISPATCHER)


def layer(name):
    return Event(1, "layer", name, None, {"layer": name, "version": 3})


def incident(*, sensitive=False, area_ids=(1, 2)):
    payload = {
        "id": 7,
        "category": "noise",
        "occurred_at": "2025-01-01T00:00:00Z",
        "lon": 10.1,
        "lat": 50.0,
        "area": 2,
    }
    return Event(
        4, "incident", "incidents", list(area_ids), payload | {"sensitive": sensitive, "zones": 3, "phone": "1"}
    )


@pytest.mark.parametrize("name", ["areas", "risk_areas", "roads", "places", "released"])
def test_the_public_learns_of_the_layers_that_it_may_read(name):
    assert layer(name).visible_to(PUBLIC)


HEAT = Event(9, "heat", "heat", None, {"version": 12, "at": "2025-01-01T00:00:00Z"})


@pytest.mark.parametrize("event", [layer("incidents"), HEAT, incident()])
def test_the_public_learns_nothing_of_incidents(event):
    assert not event.visible_to(PUBLIC)
    assert event.visible_to(ROOM)


def test_a_sensitive_incident_is_only_for_those_who_may_read_its_point():
    assert not incident(sensitive=True).visible_to(ROOM)
    assert incident(sensitive=True).visible_to(DISPATCHER)


def test_an_incident_that_does_not_say_whether_it_is_sensitive_counts_as_sensitive():
    unsaid = Event(1, "incident", "incidents", [1], {"id": 7})
    assert not unsaid.visible_to(ROOM)


def test_an_incident_is_for_those_whose_scope_holds_it():
    assert incident(area_ids=[1, 2]).visible_to(Audience(Role.ROOM, 1))
    assert not incident(area_ids=[1, 2]).visible_to(Audience(Role.ROOM, 3))


def test_an_incident_outside_of_all_areas_is_outside_of_every_scope():
    nowhere = Event(1, "incident", "incidents", None, {"id": 7, "sensitive": False})
    assert nowhere.visible_to(ROOM)
    assert not nowhere.visible_to(Audience(Role.ROOM, 1))


def test_nobody_learns_of_a_topic_that_the_server_does_not_know():
    assert not Event(1, "diary", "incidents", None, {}).visible_to(Audience(Role.ADMIN))


def test_an_incident_is_told_with_what_screens_show_and_nothing_else():
    assert incident().text == (
        b"id: 4\nevent: incident\n"
        b'data: {"id":7,"category":"noise","occurred_at":"2025-01-01T00:00:00Z","lon":10.1,"lat":50.0,"area":2}\n\n'
    )


def test_those_who_see_incidents_of_an_area_learn_that_heat_has_changed():
    assert HEAT.visible_to(Audience(Role.ROOM, 1))
    assert HEAT.text == b'id: 9\nevent: heat\ndata: {"version":12,"at":"2025-01-01T00:00:00Z"}\n\n'


def test_a_message_without_a_place_in_the_order_has_no_id():
    assert message("hello", {"a": "x\ny"}) == b'event: hello\ndata: {"a":"x\\ny"}\n\n'
