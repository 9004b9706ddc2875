"""Open311 GeoReport v2 as its documentation shows clients asking, in both formats, and who gets to see what."""

import shutil
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import IntakeSettings
from tests.mapserver.asked import POLICY, Asked
from tests.mapserver.conftest import Moving, asking, running

V2 = "/open311/v2"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

# As the standard's documentation posts one, every personal field filled in.
SAMPLE = {
    "jurisdiction_id": "city.gov", "service_code": "theft", "lat": "50.025", "long": "10.025",
    "address_string": "1600 Market St, Apt 4", "address_id": "45", "email": "smit333@sfgov.edu",
    "device_id": "tt222111", "account_id": "998877", "first_name": "Rosalind", "last_name": "Smithers",
    "phone": "13812345678", "description": "A large sinkhole is destroying the street; call 13812345678",
    "media_url": "http://farm3.static.flickr.com/2002/2212426634_5ed477a060.jpg",
    "attribute[ticket]": "123456", "attribute[where][]": ["indoor", "street"],
}  # fmt: skip

QUESTIONS = """
description = { zh = "被盗", en = "Something was stolen" }
group = { zh = "治安", en = "Order" }
keywords = ["stolen", "lost"]
[[categories.questions]]
code = "ticket"
name = { zh = "编号", en = "What is the ticket number?" }
datatype = "string"
required = true
[[categories.questions]]
code = "where"
name = { zh = "地点", en = "Where?" }
datatype = "multivaluelist"
values = [{ key = "street", name = { zh = "街", en = "Street" } }, { key = "indoor", name = { zh = "室内", en = "Indoor" } }]
[[categories.questions]]
code = "worth"
name = { zh = "价值", en = "Worth" }
datatype = "number"
"""


class Client(Asked):
    """Asks as a client of Open311."""

    async def open311(self, path, role=None, area=None, **params):
        return await self.client.get(V2 + path, params=params, headers=self._headers(role, area))

    async def report(self, form="json", role=None, area=None, **given):
        fields = {**SAMPLE, **given}
        if role is not None:
            fields["api_key"] = self.key(role, area)
        body = urlencode({name: value for name, value in fields.items() if value is not None}, doseq=True)
        return await self.client.post(f"{V2}/requests.{form}", content=body, headers=FORM)

    def key(self, role, area=None):
        return self._headers(role, area)["Authorization"].removeprefix("Bearer ")


@pytest.fixture
async def city(own_toy, toy_settings, tmp_path):
    """An open city whose thefts have questions, its clock set by hand."""
    folder = tmp_path / "toy"
    shutil.copytree(toy_settings.city_folder, folder)
    (folder / "deadlines.toml").write_text(POLICY)
    categories = (folder / "categories.toml").read_text()
    (folder / "categories.toml").write_text(categories.replace("weight = 3\n", "weight = 3\n" + QUESTIONS))
    opened = IntakeSettings(public=True, contact="311@toy.example")
    settings = toy_settings.model_copy(update={"cities": tmp_path, "intake": opened})
    async with running(settings, own_toy.url) as app, asking(app) as client:
        app.state.clock = Moving(AT)
        yield Client(app, client, settings, own_toy)


def flat(xml):
    """XML as the JSON that has the same members."""
    lists = {
        "services", "attributes", "values", "service_requests", "errors", "endpoints", "formats", "notes", "moves", "needs"
    }  # fmt: skip

    def read(element):
        if element.tag in lists:
            return [read(child) for child in element]
        return {child.tag: read(child) for child in element} if len(element) else element.text

    return read(ET.fromstring(xml))


def texts(value):
    """JSON as XML can say it: all values as texts, empty ones as none."""
    if isinstance(value, dict):
        return {name: texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [texts(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return None if value in (None, "") else str(value)


async def test_a_report_goes_round_in_both_formats_from_its_post_to_its_end(city):
    for form in ("xml", "json"):
        posted = await city.report(form)
        assert posted.status_code == 201, posted.text
        assert posted.headers["content-type"].startswith({"xml": "text/xml", "json": "application/json"}[form])
        (taken,) = flat(posted.content) if form == "xml" else posted.json()
        held = taken["token"]
        assert "service_request_id" not in taken
        assert "nothing is loaded from elsewhere" in taken["service_notice"]
        asked = await city.open311(f"/tokens/{held}.{form}")
        assert (flat(asked.content) if form == "xml" else asked.json()) == [
            {"service_request_id": held, "token": held}
        ]
        number = (await city.open311(f"/tokens/{held}.json", Role.DISPATCHER)).json()[0]["service_request_id"]
        city.app.state.clock.at += timedelta(minutes=1)
        await city.walk(int(number), "accept", "triage", "dispatch", "handle")
        for reader, state in ((None, "open"), (Role.DISPATCHER, "open")):
            name = held if reader is None else number
            plain = (await city.open311(f"/requests/{name}.json", reader, extensions="true")).json()
            in_xml = flat((await city.open311(f"/requests/{name}.xml", reader, extensions="true")).content)
            assert in_xml == texts(plain)
            assert plain[0]["status"] == state
            assert plain[0]["status_notes"] == "Being handled"
            assert [note["type"] for note in plain[0]["notes"]] == [
                "reported",
                "accept",
                "triage",
                "dispatch",
                "handle",
            ]
        await city.move(int(number), 4, "feed_back", reason="mended")
        await city.move(int(number), 5, "close")
        (ended,) = (await city.open311(f"/requests/{held}.json")).json()
        assert (ended["status"], ended["status_notes"], ended["expected_datetime"]) == ("closed", "Closed", None)


async def test_of_who_reports_nothing_is_kept_and_the_text_is_masked(city, caplog):
    caplog.set_level(0)
    held = (await city.report()).json()[0]["token"]
    with connect(city.city.url) as connection:
        everything = str(connection.execute("select to_jsonb(file) from onemap.case_file file").fetchall())
        everything += str(connection.execute("select * from onemap.ledger").fetchall())
        everything += str(connection.execute("select * from onemap.outbox").fetchall())
    for personal in (
        *(SAMPLE[name] for name in ("address_string", "email", "device_id", "account_id", "first_name", "last_name")),
        SAMPLE["phone"], SAMPLE["media_url"], "city.gov", held,
    ):  # fmt: skip
        assert personal not in everything, personal
        assert personal not in caplog.text
    assert "A large sinkhole is destroying the street; call [phone]" in everything
    assert "'where': ['street', 'indoor']" in everything


async def test_whoever_holds_a_token_gets_states_and_moments_and_nothing_else(city):
    held = (await city.report()).json()[0]["token"]
    (found,) = (await city.open311(f"/requests/{held}.json", extensions="true")).json()
    empty = {name for name, value in found.items() if value is None}
    assert empty == {
        "description", "agency_responsible", "service_notice", "address", "address_id", "zipcode", "lat", "long", "media_url"
    }  # fmt: skip
    assert found["service_request_id"] == held
    assert (found["requested_datetime"], found["expected_datetime"]) == (
        "2026-03-02T09:00:00Z",
        "2026-03-02T10:00:00Z",
    )
    assert found["extended_attributes"] == {
        "state": "reported", "state_since": "2026-03-02T09:00:00Z", "rating": None, "moves": []
    }  # fmt: skip
    assert found["notes"] == [{"datetime": "2026-03-02T09:00:00Z", "description": "Reported", "type": "reported"}]
    several = await city.open311("/requests.json", service_request_id=f"{held}, 1,nobody", status="closed")
    assert [each["service_request_id"] for each in several.json()] == [held]


async def test_the_public_reads_no_list_and_cannot_count_through_numbers(city):
    await city.report()
    refused = await city.open311("/requests.json")
    assert (refused.status_code, refused.json()[0]["code"]) == (403, 403)
    assert (await city.open311("/requests/1.json")).status_code == 404
    assert (await city.open311("/requests.json", service_request_id="1")).json() == []


async def test_each_audience_sees_as_much_of_a_request_as_of_a_case(city):
    await city.report()
    await city.report(
        service_code="domestic", role=Role.DISPATCHER, **dict.fromkeys(("attribute[ticket]", "attribute[where][]"))
    )
    exact = (await city.open311("/requests.json", Role.DISPATCHER, extensions="true")).json()
    assert {each["service_code"] for each in exact} == {"theft", "domestic"}
    theft = next(each for each in exact if each["service_code"] == "theft")
    assert (theft["long"], theft["lat"]) == (10.025, 50.025)
    assert "sinkhole" in theft["description"]
    assert theft["attributes"] == [
        {"code": "where", "value": "street,indoor"},
        {"code": "ticket", "value": "123456"},
    ]
    (room,) = (await city.open311("/requests.json", Role.ROOM, extensions="true")).json()
    assert (room["description"], room["attributes"]) == (None, [])
    assert room["long"] != 10.025
    assert abs(room["long"] - 10.025) < 0.002
    assert len((await city.open311("/requests.json", Role.DISPATCHER, "V1")).json()) == 2
    assert (await city.open311("/requests.json", Role.DISPATCHER, "V2")).json() == []
    by_key = await city.client.get(f"{V2}/requests.json", params={"api_key": city.key(Role.ROOM)})
    assert by_key.json() == (await city.open311("/requests.json", Role.ROOM)).json()


async def test_the_filters_page_and_cap_as_the_standard_says(city):
    clock = city.app.state.clock
    for day in range(5):
        clock.at = AT + timedelta(days=30 * day)
        code = "noise" if day % 2 else "theft"
        gone = dict.fromkeys(("attribute[ticket]", "attribute[where][]")) if day % 2 else {}
        assert (await city.report(role=Role.DISPATCHER, service_code=code, **gone)).status_code == 201
    await city.move(2, 0, "decline", reason="not ours")

    async def ids(**params):
        answer = await city.open311("/requests.json", Role.DISPATCHER, **params)
        assert answer.status_code == 200, answer.text
        return [int(each["service_request_id"]) for each in answer.json()]

    def day(number):
        return (AT + timedelta(days=number)).isoformat()

    assert await ids() == [5, 4, 3, 2]  # the last 90 days, both ends included
    assert await ids(start_date=day(0)) == [4, 3, 2, 1]
    assert await ids(end_date=day(30)) == [2, 1]
    assert await ids(start_date=day(30), end_date=day(60)) == [3, 2]
    assert await ids(service_code="noise") == [4, 2]
    assert await ids(service_code="noise,theft", status="open") == [5, 4, 3]
    assert await ids(status="closed") == [2]
    assert await ids(status="open,closed") == [5, 4, 3, 2]
    assert await ids(service_request_id="1,3,99", status="closed") == [3, 1]
    assert await ids(updated_after=day(119)) == [5, 2]
    assert await ids(updated_before=day(60)) == [3, 1]
    assert await ids(updated_after=day(119), start_date=day(60)) == [5]
    assert [await ids(page=str(page), page_size="3") for page in (1, 2, 3)] == [[5, 4, 3], [2], []]
    for params, parameter in (
        ({"start_date": day(0), "end_date": day(91)}, "start_date"),
        ({"start_date": day(3), "end_date": day(2)}, "start_date"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"end_date": "0001-01-02T00:00:00Z"}, "start_date"),
        ({"status": "pending"}, "status"),
        ({"page": "0"}, "page"),
        ({"page_size": "x"}, "page_size"),
        ({"colour": "red"}, "colour"),
    ):
        answer = await city.open311("/requests.xml", Role.DISPATCHER, **params)
        assert answer.status_code == 400
        (error,) = flat(answer.content)
        assert error["code"] == "400"
        assert parameter in error["description"]


async def test_services_and_their_questions_are_told_in_the_callers_language(city):
    services = (await city.open311("/services.json")).json()
    assert [each["service_code"] for each in services] == ["noise", "theft"]  # a sensitive one is no web form's
    assert services[1] == {
        "service_code": "theft", "service_name": "Theft", "description": "Something was stolen", "metadata": True,
        "type": "realtime", "keywords": "stolen,lost", "group": "Order",
    }  # fmt: skip
    assert flat((await city.open311("/services.xml")).content) == texts(services)
    assert len((await city.open311("/services.json", Role.DISPATCHER)).json()) == 3
    chinese = await city.client.get(f"{V2}/services/theft.json", headers={"Accept-Language": "zh-CN,en;q=0.5"})
    asked = chinese.json()["attributes"]
    assert [(each["code"], each["datatype"], each["required"], each["order"]) for each in asked] == [
        ("ticket", "string", True, 1), ("where", "multivaluelist", False, 2), ("worth", "number", False, 3)
    ]  # fmt: skip
    assert asked[1]["values"] == [{"key": "street", "name": "街"}, {"key": "indoor", "name": "室内"}]
    in_xml = flat((await city.open311("/services/theft.xml")).content)
    assert in_xml == texts((await city.open311("/services/theft.json")).json())
    assert (await city.open311("/services/domestic.json")).status_code == 404


async def test_discovery_names_the_endpoint_and_its_formats(city):
    found = (await city.client.get("/open311/discovery.json")).json()
    (endpoint,) = found["endpoints"]
    assert endpoint["url"] == "http://map.test/open311/v2"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert found["contact"] == "311@toy.example"
    assert flat((await city.client.get("/open311/discovery.xml")).content) == texts(found)
    assert (await city.client.get("/open311/discovery.yaml")).status_code == 404


async def test_what_cannot_be_reported_is_refused_in_the_standards_words_and_nothing_is_stored(city):
    for named, given in (
        ("service_code", {"service_code": None}), ("service_code", {"service_code": "domestic"}),
        ("lat", {"lat": None}), ("long", {"long": "nan"}), ("long", {"long": "1e999"}), ("outside", {"long": "99"}),
        ("ticket", {"attribute[ticket]": " "}), ("ticket", {"attribute[ticket]": ["1", "2"]}),
        ("where", {"attribute[where][]": "moon"}), ("worth", {"attribute[worth]": "much"}),
        ("worth", {"attribute[worth]": "13812345678"}),
        ("nobody asks", {"attribute[shoe]": "9"}), ("colour", {"colour": "red"}),
        ("description", {"description": "x" * 4001}), ("NUL", {"description": "a\0b"}),
    ):  # fmt: skip
        refused = await city.report(**given)
        assert refused.status_code == 400, (given, refused.text)
        assert refused.json()[0]["code"] == 400
        assert named in refused.json()[0]["description"]
    for content, kind, status in (
        (b"\xff=\xff", FORM, 400), (b"{}", {"Content-Type": "application/json"}, 415), (b"a" * 100_001, FORM, 413)
    ):  # fmt: skip
        answer = await city.client.post(f"{V2}/requests.xml", content=content, headers=kind)
        assert (answer.status_code, flat(answer.content)[0]["code"]) == (status, str(status))
    with connect(city.city.url) as connection:
        assert connection.execute("select count(*) from onemap.case_file").fetchone() == {"count": 0}


async def test_who_may_not_report_is_told_so(city, toy_settings):
    assert (await city.report(role=Role.ROOM)).status_code == 403
    assert (await city.report(role=Role.DISPATCHER, area="V1")).status_code == 403
    assert (await city.report(api_key="xyz")).status_code == 403
    closed = city.settings.model_copy(update={"intake": IntakeSettings()})
    async with running(closed, city.city.url) as app, asking(app) as client:
        shut = Client(app, client, closed, city.city)
        refused = await shut.report()
        assert (refused.status_code, "takes none of the public" in refused.text) == (403, True)
        assert (await client.get("/city")).json()["reports"] is False
        taken = await shut.report(role=Role.DISPATCHER)
        assert taken.json()[0]["service_request_id"] == "1"
        assert "token" not in taken.json()[0]


async def test_a_screen_of_the_room_in_the_same_browser_is_not_who_reports(city):
    body = urlencode(SAMPLE, doseq=True)
    cookie = {"Cookie": f"onemap={city.key(Role.ROOM)}"}
    taken = await city.client.post(f"{V2}/requests.json", content=body, headers=FORM | cookie)
    assert (taken.status_code, next(iter(taken.json()[0]))) == (201, "token")


async def test_reports_without_a_key_are_few_from_one_address(city):
    limits = city.settings.limits.model_copy(update={"public_burst": 350.0, "public_per_s": 0.001})
    slow = city.settings.model_copy(update={"limits": limits})
    async with running(slow, city.city.url) as app, asking(app) as client:
        answers = [await Client(app, client, slow, city.city).report() for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
    assert answers[-1].json()[0]["code"] == 429
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_the_token_of_a_merged_report_shows_its_main_case(city):
    main, own = [(await city.report()).json()[0]["token"] for _ in range(2)]
    assert (await city.post("/cases/2/merge", {"into": 1})).status_code == 200
    await city.walk(1, "accept", "triage", "dispatch")
    shown = [(await city.open311(f"/requests/{each}.json", extensions="true")).json()[0] for each in (main, own)]
    assert [each["status_notes"] for each in shown] == ["Dispatched", "Dispatched"]
    assert shown[0]["notes"] == shown[1]["notes"]
    (listed,) = (await city.open311("/requests/2.json", Role.DISPATCHER)).json()
    assert (listed["status"], listed["status_notes"]) == ("closed", "Merged into 1")
    await city.post("/cases/2/split", {})
    (found,) = (await city.open311(f"/requests/{own}.json")).json()
    assert (found["status"], found["status_notes"]) == ("open", "Reported")


async def test_a_merge_and_a_split_are_updates_of_both_requests(city):
    await city.report()
    await city.walk(1, "accept", "triage", "dispatch")
    held = (await city.report()).json()[0]["token"]

    async def updated(minutes):
        at = (AT + timedelta(minutes=minutes)).isoformat()
        found = (await city.open311("/requests.json", Role.DISPATCHER, updated_after=at)).json()
        return {each["service_request_id"]: each["updated_datetime"] for each in found}

    for minutes, body in ((10, {"into": 1}), (20, None)):
        city.app.state.clock.at = AT + timedelta(minutes=minutes)
        path = "/cases/2/split" if body is None else "/cases/2/merge"
        assert (await city.post(path, body or {})).status_code == 200
        city.app.state.clock.at += timedelta(minutes=5)
        said = f"2026-03-02T09:{minutes}:00Z"
        assert await updated(minutes) == {"1": said, "2": said}
        assert await updated(minutes + 1) == {}
        assert (await city.open311(f"/requests/{held}.json")).json()[0]["updated_datetime"] == said


async def test_the_token_of_a_merged_report_tells_nothing_of_what_was_before_it(city):
    await city.report()
    await city.walk(1, "accept", "triage")
    own = (await city.report()).json()[0]["token"]
    await city.walk(2, "accept")
    city.app.state.clock.at += timedelta(hours=1)
    assert (await city.post("/cases/2/merge", {"into": 1})).status_code == 200
    await city.move(1, 2, "dispatch", unit="sanitation")
    (found,) = (await city.open311(f"/requests/{own}.json", extensions="true")).json()
    assert [note["type"] for note in found["notes"]][-2:] == ["accept", "dispatch"]
    assert (
        len(found["notes"])
        == len((await city.open311("/requests/1.json", Role.DISPATCHER, extensions="true")).json()[0]["notes"]) - 1
    )


async def ask(city, held, move, **told):
    return await city.client.post(f"{V2}/tokens/{held}/moves", json={"move": move, **told})


async def test_whoever_holds_a_token_rates_what_has_ended_and_has_it_taken_up_again(city):
    held, other = [(await city.report()).json()[0]["token"] for _ in range(2)]
    await city.walk(1, "accept", "triage", "dispatch", "handle", "feed_back", "evaluate", "close")
    url = f"/requests/{held}.json"
    (shown,) = (await city.open311(url, extensions="true")).json()
    assert shown["extended_attributes"]["moves"] == [
        {"code": "rate", "name": "Rate", "needs": ["rating"]},
        {"code": "reopen", "name": "Reopen", "needs": ["reason"]},
    ]
    in_xml = flat((await city.open311(f"/requests/{held}.xml", extensions="true")).content)
    assert in_xml == texts([shown])
    rated = await ask(city, held, "rate", rating=2)
    assert rated.status_code == 200, rated.text
    assert [note["description"] for note in rated.json()["notes"][-2:]] == ["Closed", "Rate"]
    assert (rated.json()["status"], rated.json()["extended_attributes"]["rating"]) == ("closed", 2)
    assert (await city.get("/cases/1")).json()["case"]["rating"] == 2
    again = await ask(city, held, "reopen", reason="still there, call 13812345678")
    assert (again.json()["status"], again.json()["extended_attributes"]["moves"]) == ("open", [])
    case = (await city.get("/cases/1")).json()
    assert (case["case"]["state"], case["steps"][-1]["actor"]) == ("reopened", "citizen")
    assert case["steps"][-1]["reason"] == "still there, call [phone]"
    assert {term["stage"] for term in case["terms"] if term["met_at"] is None} == {"accept"}
    with connect(city.city.url) as connection:
        everything = str(connection.execute("select * from onemap.ledger").fetchall())
        everything += str(connection.execute("select * from onemap.ledger_text").fetchall())
    assert "13812345678" not in everything
    assert held not in everything
    (theirs,) = (await city.open311(f"/requests/{other}.json", extensions="true")).json()
    assert (theirs["status_notes"], theirs["extended_attributes"]["rating"]) == ("Reported", None)


async def test_the_holder_of_a_token_makes_no_other_move_and_each_refusal_has_a_name(city):
    held = (await city.report()).json()[0]["token"]
    for move, told, status, said in (
        ("accept", {}, 403, "not for a citizen"), ("rate", {"rating": 5}, 409, "reported"),
        ("reopen", {"reason": "x"}, 409, "reported"), ("rate", {"rating": 6}, 400, "rating"),
        ("rate", {"rating": "5"}, 400, "rating"), ("rate", {"unit": "roads"}, 400, "unit"),
        ("reopen", {"reason": "x" * 1001}, 400, "reason"), ("reopen", {"reason": "a\0b"}, 400, "reason: it holds a NUL"),
    ):  # fmt: skip
        answer = await ask(city, held, move, **told)
        assert (answer.status_code, said in answer.json()["title"]) == (status, True), answer.text
    await city.move(1, 0, "decline", reason="not ours")
    assert (await ask(city, held, "reopen", reason=" ")).status_code == 400
    assert (await ask(city, held, "rate")).status_code == 400
    key = {"Authorization": f"Bearer {city.key(Role.ADMIN)}"}
    refused = await city.client.post(f"{V2}/tokens/{held}/moves", json={"move": "dispatch"}, headers=key)
    assert refused.status_code == 409
    assert (await city.get("/cases/1")).json()["case"]["version"] == 1
    for number in range(1, 6):
        assert (await ask(city, held, "rate", rating=number)).status_code == 200
    refused = await ask(city, held, "reopen", reason="again")
    assert (refused.status_code, "5 times" in refused.json()["title"]) == (409, True)
    (shown,) = (await city.open311(f"/requests/{held}.json", extensions="true")).json()
    assert (shown["extended_attributes"]["rating"], shown["extended_attributes"]["moves"]) == (5, [])


async def test_a_merged_report_is_moved_by_nobodys_token_but_its_main_ones(city):
    main, own = [(await city.report()).json()[0]["token"] for _ in range(2)]
    await city.post("/cases/2/merge", {"into": 1})
    await city.move(1, 0, "decline", reason="not ours")
    (shown,) = (await city.open311(f"/requests/{own}.json", extensions="true")).json()
    assert (shown["status"], shown["extended_attributes"]["moves"]) == ("closed", [])
    assert (await ask(city, own, "rate", rating=1)).status_code == 409
    assert (await ask(city, main, "rate", rating=1)).status_code == 200
    (shown,) = (await city.open311(f"/requests/{own}.json", extensions="true")).json()
    assert shown["extended_attributes"]["rating"] is None


async def test_tokens_are_not_guessed_and_moves_not_made_by_the_hundred(city):
    limits = city.settings.limits.model_copy(update={"wrong_tokens_burst": 3.0, "wrong_tokens_per_s": 0.001})
    slow = city.settings.model_copy(update={"limits": limits})
    async with running(slow, city.city.url) as app, asking(app) as client:
        guesses = [await ask(Client(app, client, slow, city.city), f"t{n}", "rate", rating=1) for n in range(5)]
    assert [answer.status_code for answer in guesses] == [404, 404, 404, 429, 429]
    limits = city.settings.limits.model_copy(update={"public_burst": 250.0, "public_per_s": 0.001})
    slow = city.settings.model_copy(update={"limits": limits})
    async with running(slow, city.city.url) as app, asking(app) as client:
        one = Client(app, client, slow, city.city)
        held = (await one.report()).json()[0]["token"]
        moves = [await ask(one, held, "rate", rating=1) for _ in range(3)]
    assert [answer.status_code for answer in moves] == [409, 429, 429]


async def test_signs_that_xml_does_not_know_are_left_out_of_it(city):
    taken = await city.report(
        role=Role.DISPATCHER,
        description="a\x0bb & <c> 井盖\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    )
    number = taken.json()[0]["service_request_id"]
    (found,) = flat((await city.open311(f"/requests/{number}.xml", Role.DISPATCHER)).content)
    assert found["description"] == "ab & <c> 井盖😀"
