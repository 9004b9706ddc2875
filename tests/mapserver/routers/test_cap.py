"""Alerts for community screens: their form, as OASIS CAP 1.2 and RFC 4287 have it, and who sees which."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.types.json import Jsonb

from layers.core.audience import Role
from layers.core.db import connect
from layers.push.cap import ATOM, CAP

NOW = datetime.now(UTC)
ROOM = {"what": "red", "at": "2026-03-02T12:00:00+00:00", "case": 7, "workflow": "closed_loop", "category": "theft",
        "state": "handling", "area": "V1G2", "unit": "<roads> & parks", "lon": 10.02, "lat": 50.02}  # fmt: skip

# The elements of the standard's schema in their order, with how often each may come.
ALERT = "identifier sender sent status msgType source? scope restriction? addresses? code* note? references? incidents? info*"
INFO = (
    "language? category+ event responseType* urgency severity certainty audience? eventCode* effective? onset? expires? "
    "senderName? headline? description? instruction? web? contact? parameter* resource* area*"
)
AREA = "areaDesc polygon* circle* geocode* altitude? ceiling?"
WORDS = {
    "status": "Actual Exercise System Test Draft",
    "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d"


def follows(element, grammar):
    """Whether the children of an element come as the schema has them."""
    names = "".join(f"<{child.tag.removeprefix(f'{{{CAP}}}')}>" for child in element)
    pattern = "".join(
        f"(?:<{word.rstrip('?*+')}>){word[-1] if word[-1] in '?*+' else ''}" for word in grammar.split()
    )
    assert re.fullmatch(pattern, names), names


def check(text):
    """An alert, once it was held against the standard."""
    root = ET.fromstring(text)
    assert root.tag == f"{{{CAP}}}alert"
    follows(root, ALERT)
    for info in root.iter(f"{{{CAP}}}info"):
        follows(info, INFO)
        for area in info.iter(f"{{{CAP}}}area"):
            follows(area, AREA)
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{CAP}}}")
        if name in WORDS:
            assert element.text in WORDS[name].split()
        if name in ("sent", "expires"):
            assert re.fullmatch(INSTANT, element.text)
        if name in ("identifier", "sender"):
            assert not re.search(r"[\s,<&]", element.text)
        if name == "circle":
            assert re.fullmatch(r"-?\d+\.\d+,-?\d+\.\d+ \d+\.\d+", element.text)
    if said(root, "scope") == ["Restricted"]:
        assert said(root, "restriction")
    return root


def said(root, name):
    return [element.text for element in root.iter(f"{{{CAP}}}{name}")]


@pytest.fixture
async def alerts(loop):
    """Numbers of alerts: in V1 and in V2, and one that has expired."""
    made = {}
    room = ROOM | {"case": await loop.register("west")}
    east = room | {"case": await loop.register("east", lon=10.075, lat=50.045), "area": "V2G1"}
    with connect(loop.city.url) as connection:
        above = {}
        for code in ("V1G2", "V2G1"):
            above[code] = connection.execute(
                "select onemap.area_and_above(area_id) as ids from onemap.area where code = %s", [code]
            ).fetchone()["ids"]
        connection.execute(
            """insert into onemap.subscription (kind, audience, categories, zone_types, topics, language, red_passes,
              digest_min, note, created_at) values ('cap', 'room', '{}', '{}', '{red}', 'zh', false, 0, '', now())"""
        )
        for name, code, content, hours in (
            ("west", "V1G2", room, -2),
            ("east", "V2G1", east, -3),
            ("old", "V1G2", room, -30),
        ):
            at = NOW + timedelta(hours=hours)
            (row,) = connection.execute(
                """insert into onemap.delivery (subscription_id, key, at, urgent, content, area_ids, next_at, outcome)
                select subscription_id, %s, %s, false, %s, %s, %s, 'sent' from onemap.subscription returning delivery_id""",
                [name, at, Jsonb(content), above[code], at],
            ).fetchall()
            made[name] = row["delivery_id"]
            connection.execute(
                "insert into onemap.cap_alert values (%s, %s, %s, %s, %s, %s)",
                [row["delivery_id"], "room", above[code], at, at + timedelta(days=1), Jsonb(content)],
            )
    return made


async def shown(loop, role=None, area=None):
    """What the feed lists: the numbers of alerts, in their order."""
    answer = await loop.get("/cap/feed", role=role, area=area)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml")
    feed = ET.fromstring(answer.text)
    for element in (feed, *feed.iter(f"{{{ATOM}}}entry")):
        assert all(element.find(f"{{{ATOM}}}{name}").text for name in ("id", "title", "updated"))
    assert all(entry.find(f"{{{ATOM}}}author/{{{ATOM}}}name").text for entry in feed.iter(f"{{{ATOM}}}entry"))
    links = [link for link in feed.iter(f"{{{ATOM}}}link") if link.get("rel") == "alternate"]
    assert {link.get("type") for link in links} <= {"application/cap+xml"}
    return [int(re.search(r"/cap/(\d+)\.xml$", link.get("href"))[1]) for link in links]


async def test_the_room_sees_the_alerts_and_an_area_its_own(loop, alerts):
    assert await shown(loop, Role.ROOM) == [alerts[name] for name in ("west", "east")]
    assert await shown(loop, Role.ROOM, "V2") == [alerts["east"]]
    assert (await loop.get(f"/cap/{alerts['west']}.xml", role=Role.ROOM, area="V2")).status_code == 404
    for bad, status in (("0", 400), ("x", 400), ("999999", 404)):
        assert (await loop.get(f"/cap/{bad}.xml", role=Role.ROOM)).status_code == status


async def test_the_public_reads_no_alert_neither_here_nor_of_the_table(loop, alerts):
    for path in ("/cap/feed", *(f"/cap/{number}.xml" for number in alerts.values())):
        assert (await loop.get(path, role=None)).status_code == 403
    with connect(loop.city.url) as connection:
        connection.execute("set local role onemap_public")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("select * from onemap.cap_alert")


async def test_an_alert_is_as_the_standard_has_it(loop, alerts):
    for name in ("west", "old"):
        answer = await loop.get(f"/cap/{alerts[name]}.xml", role=Role.ROOM)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/cap+xml")
        check(answer.text)


async def test_the_room_is_told_of_a_cell_and_no_point(loop, alerts):
    room = check((await loop.get(f"/cap/{alerts['west']}.xml", role=Role.ROOM)).text)
    assert (said(room, "scope"), said(room, "areaDesc")) == (["Restricted"], ["区V1G2", "Area V1G2"])
    assert said(room, "event") == ["盗窃", "Theft"]
    assert (said(room, "urgency"), said(room, "value")) == (["Immediate"] * 2, ["V1G2"] * 2)
    assert said(room, "headline")[1] == "Long overdue · Theft · #1 · Being handled · V1G2 · <roads> & parks"
    assert all(text.startswith("50.02000,10.02000 0.0") for text in said(room, "circle"))


async def test_an_alert_of_a_case_that_has_become_sensitive_is_shown_no_more(loop, alerts):
    with connect(loop.city.url) as connection:
        connection.execute("update onemap.case_file set category = 'domestic'")
    assert await shown(loop, Role.ROOM) == []
    assert (await loop.get(f"/cap/{alerts['west']}.xml", role=Role.ROOM)).status_code == 404
