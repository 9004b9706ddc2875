"""The closed loop over HTTP: who sees and moves what, and what happens where two move at once."""

import asyncio
from urllib.parse import quote

from layers.cases import queue
from layers.core.audience import Role
from layers.core.db import connect
from tests import toy
from tests.conftest import heated
from tests.mapserver.asked import PLACE


async def test_a_case_goes_from_its_registration_to_its_end(loop):
    case_id = await loop.register(report="a bin burns")
    found = await loop.walk(case_id, "accept", "triage", "dispatch", "handle", "feed_back", "evaluate", "close")
    case = found["case"]
    assert (case["state"], case["open"], case["version"], case["rating"]) == ("closed", False, 7, 5)
    assert [step["move"] for step in found["steps"]][-1] == "close"
    assert {term["stage"]: term["colour"] for term in found["terms"]} == dict.fromkeys(
        ("accept", "acknowledge", "handle"), "green"
    )
    assert [move["code"] for move in found["moves"]] == ["reopen"]
    assert found["report"] == "a bin burns"


async def test_a_rating_is_for_those_who_read_texts(loop):
    case_id = await loop.register()
    await loop.walk(case_id, "accept", "triage", "dispatch", "handle", "feed_back", "evaluate", "close")
    for role, rating in ((Role.ROOM, None), (Role.ANALYST, None), (Role.DISPATCHER, 5)):
        assert (await loop.get(f"/cases/{case_id}", role=role)).json()["case"]["rating"] == rating
        assert [case["rating"] for case in (await loop.get("/cases", role=role)).json()["cases"]] == [rating]


async def test_a_key_has_one_case(loop):
    body = {"source_key": "same", "category": "theft", **PLACE}
    first, again = [await loop.post("/cases", body) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == {"id": again.json()["id"], "fresh": True}
    assert first.headers["location"] == f"/cases/{first.json()['id']}"


async def test_a_case_stands_for_an_incident_that_has_none_and_is_counted_once(loop):
    heated(loop.city.url, loop.settings.heat_folder(loop.city.url), toy.CITY)
    with connect(loop.city.url) as connection:
        one, two, closed = [
            row["incident_id"]
            for row in connection.execute(
                "select incident_id from onemap.incident order by incident_id limit 3"
            ).fetchall()
        ]
        connection.execute(
            "update onemap.incident set state = null, closed_at = null where incident_id = %s", [one]
        )
        connection.execute(
            "update onemap.incident set state = 'x', closed_at = null where incident_id = %s", [two]
        )
        connection.execute(
            "update onemap.incident set state = 'x', closed_at = now() where incident_id = %s", [closed]
        )
        fact = "select category, st_x(spot) as lon, occurred_at from onemap.incident where incident_id = %s"
        said = connection.execute(fact, [one]).fetchone()
    before = (await loop.get("/summary")).json()["open"]
    body = {"source_key": "i1", "incident": one, "workflow": "mediation"}
    made = await loop.post("/cases", body)
    assert made.status_code == 201, made.text
    case = (await loop.get(f"/cases/{made.json()['id']}")).json()["case"]
    assert (case["incident"], case["category"], case["lon"]) == (one, said["category"], said["lon"])
    assert (await loop.get("/summary")).json()["open"] == before + 1
    assert (await loop.post("/cases", {"source_key": "i2", "incident": two})).status_code == 201
    assert (await loop.get("/summary")).json()["open"] == before + 1  # its source said that it is open
    assert (await loop.post("/cases", body)).json() == {"id": case["id"], "fresh": False}
    for given, status, named in (
        (body | {"source_key": "other"}, 409, f"case {case['id']}"), (body | {"incident": two}, 409, f"case {case['id']}"),
        (body | {"source_key": "k", "incident": closed}, 409, "closed"), (body | {"incident": 10**9}, 400, "incident"),
        (body | {"category": "theft"}, 400, "category"), (body | {"lon": 10.0}, 400, "lon"),
        ({"source_key": "k", "category": "theft", "lat": 50.0}, 400, "lon"), (body | {"incident": 0}, 400, "incident"),
    ):  # fmt: skip
        answer = await loop.post("/cases", given)
        assert (answer.status_code, named in answer.json()["title"]) == (status, True), answer.text
    with connect(loop.city.url) as connection:
        assert connection.execute("select count(*) from onemap.case_file").fetchone() == {"count": 2}


async def test_persons_in_texts_are_masked_before_they_are_kept(loop):
    case_id = await loop.register(report="打扰请电13812345678")
    found = (await loop.move(case_id, 0, "decline", reason="call 13812345678")).json()
    assert "13812345678" not in str(found)
    assert "[phone]" in found["report"]
    assert "[phone]" in found["steps"][0]["reason"]
    case_id = await loop.register("k2")
    await loop.walk(case_id, "accept", "triage")
    sent = (await loop.move(case_id, 2, "dispatch", unit="road crew 13812345678")).json()
    assert sent["case"]["unit"] == "road crew [phone]"
    with connect(loop.city.url) as connection:
        everything = str(connection.execute("select * from onemap.ledger").fetchall())
        everything += str(connection.execute("select report from onemap.case_file").fetchall())
    assert "13812345678" not in everything


async def test_who_comes_second_is_told_how_the_case_stands_now(loop):
    case_id = await loop.register()
    answers = await asyncio.gather(*(loop.move(case_id, 0, "accept") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert (refused["state"], refused["version"]) == ("accepted", 1)
    assert len((await loop.get(f"/cases/{case_id}")).json()["steps"]) == 1


async def test_a_move_that_there_is_not_names_those_that_there_are(loop):
    case_id = await loop.register()
    refused = await loop.move(case_id, 0, "close")
    assert refused.status_code == 409
    assert refused.json()["moves"] == ["accept", "decline"]


async def test_an_office_makes_its_own_moves_in_its_own_area_alone(loop):
    case_id = await loop.register()
    await loop.walk(case_id, "accept", "triage", "dispatch")
    office = {"role": Role.DISPATCHER, "area": "V1"}
    assert (await loop.get(f"/cases/{case_id}", **office)).json()["moves"][0]["code"] == "bounce"
    assert (await loop.move(case_id, 3, "pause", reason="strike", **office)).status_code == 403
    assert (await loop.move(case_id, 3, "handle", role=Role.DISPATCHER, area="V2")).status_code == 404
    assert (await loop.move(case_id, 3, "handle", **office)).status_code == 200


async def test_the_room_reads_the_queue_without_texts_and_moves_nothing(loop):
    case_id = await loop.register(report="a bin burns")
    found = (await loop.get(f"/cases/{case_id}", role=Role.ROOM)).json()
    assert (found["report"], found["steps"], found["moves"]) == (None, [], [])
    assert (found["case"]["lon"], found["case"]["lat"]) != (PLACE["lon"], PLACE["lat"])
    assert (await loop.move(case_id, 0, "accept", role=Role.ROOM)).status_code == 403
    assert (await loop.move(case_id, 0, "accept", role=Role.PLANNER)).status_code == 403


async def test_a_sensitive_case_is_only_for_those_who_see_such_points(loop):
    case_id = await loop.register(category="domestic")
    await loop.walk(case_id, "accept", "triage", "dispatch")
    assert (await loop.get("/cases/choices", role=Role.ROOM)).json()["units"] == []
    for role, status in ((Role.ROOM, 404), (Role.PLANNER, 404), (Role.DISPATCHER, 200)):
        assert (await loop.get(f"/cases/{case_id}", role=role)).status_code == status
        shown = (await loop.get("/cases", role=role)).json()["cases"]
        assert len(shown) == (status == 200)


async def test_the_public_reads_no_cases_and_registers_and_moves_none(loop):
    for path in ("/cases", "/cases/1"):
        assert (await loop.get(path, role=None)).status_code == 403
    assert (
        await loop.post("/cases", {"source_key": "k", "category": "theft", **PLACE}, role=None)
    ).status_code == 401
    assert (await loop.post("/cases/1/moves", {"move": "accept", "version": 0}, role=None)).status_code == 403


async def test_the_queue_is_soonest_due_first_page_by_page_and_each_filter_narrows_it(loop):
    ids = [await loop.register(f"k{number}") for number in range(7)]
    await loop.walk(ids[0], "accept", "triage", "dispatch")
    await loop.walk(ids[1], "accept")
    with connect(loop.city.url) as connection:  # some are due at the same moment
        connection.execute(
            "update onemap.case_file set due_at = (select min(due_at) from onemap.case_file) where case_id = any(%s)",
            [ids[2:6]],
        )
    seen, after = [], ""
    while after is not None:
        page = (await loop.get(f"/cases?limit=2{after and '&after=' + after.replace('+', '%2B')}")).json()
        seen += [case["id"] for case in page["cases"]]
        after = page["next"]
    assert seen == [*ids[2:], ids[0], ids[1]]

    async def found(query):
        return {case["id"] for case in (await loop.get(f"/cases?{query}")).json()["cases"]}

    assert await found("state=reported") == set(ids[2:])
    assert await found("unit=sanitation") == {ids[0]}
    assert await found("open=true&workflow=closed_loop&category=theft") == set(ids)
    assert await found("open=false") == await found("category=noise") == await found("late=true") == set()
    assert await found("late=false") == set(ids)
    assert await found(f"area={loop.city.area_id('V1')}") == set(ids)
    assert await found(f"area={loop.city.area_id('V2')}") == set()
    with connect(loop.city.url) as connection:
        connection.execute(
            "update onemap.case_file set due_at = now() - interval '1 s' where case_id = %s", [ids[3]]
        )
    assert await found("late=true") == {ids[3]}


async def test_the_queue_tells_what_it_can_be_narrowed_to_and_when_a_case_changes_its_colour(loop):
    case_id = await loop.register()
    await loop.walk(case_id, "accept", "triage", "dispatch")
    choices = (await loop.get("/cases/choices")).json()
    assert choices["units"] == ["sanitation"]
    areas = (await loop.get("/cases/areas")).json()["areas"]
    first = areas[0]
    assert (first["level"], first["code"]) == ("district", "D")
    assert first["id"] == loop.city.area_id("D")
    (case,) = (await loop.get(f"/cases?area={first['id']}&unit={choices['units'][0]}")).json()["cases"]
    assert case["red_at"] is None
    with connect(loop.city.url) as connection:
        connection.execute(
            "update onemap.case_file set warn_at = due_at - interval '1 h', red_at = due_at + interval '1 h'"
        )
    case = (await loop.get(f"/cases/{case_id}")).json()["case"]
    assert case["warn_at"] < case["due_at"] < case["red_at"]
    named = next(area for area in areas if area["code"] == case["area"])
    assert case["area_name"] == named["name"]
    assert (await loop.get("/cases/choices", role=Role.DISPATCHER, area="V2")).json()["units"] == []
    assert (await loop.get("/cases/choices", role=None)).status_code == 403


async def test_an_area_is_found_among_any_number_by_a_part_of_its_name_or_how_its_code_begins(loop):
    with connect(loop.city.url) as connection:
        connection.execute(
            """insert into onemap.area (level_rank, code, name_zh, name_en, source)
            select 2, format('X%s', lpad(n::text, 4, '0')), format('第%s网格', n), format('Grid 100%% _%s', n), 'test'
            from generate_series(1, 1500) n"""
        )

    async def found(text):
        answer = await loop.get(f"/cases/areas?text={quote(text)}", role=None)
        return [each["code"] for each in answer.json()["areas"]]

    assert await found("x1499") == ["X1499"]
    assert await found("第1500网") == ["X1500"]
    assert await found("grid 100% _777") == ["X0777"]
    assert await found("nowhere%") == []
    assert len(await found("")) == 50


async def test_the_queue_tells_how_many_cases_are_in_it_with_its_first_page(loop, monkeypatch):
    for key in range(5):
        await loop.register(f"k{key}", category="domestic" if key == 4 else "theft")
    await loop.post("/cases/1/merge", {"into": 2})
    first = (await loop.get("/cases?limit=2")).json()
    assert (len(first["cases"]), first["total"]) == (2, 4)
    rest = (await loop.get(f"/cases?limit=2&after={quote(first['next'])}")).json()
    assert rest["total"] is None
    assert (await loop.get("/cases?limit=2", role=Role.ROOM)).json()["total"] == 3
    assert (await loop.get("/cases?category=noise")).json()["total"] == 0
    monkeypatch.setattr(queue, "MOST_COUNTED", 3)
    assert (await loop.get("/cases?limit=2")).json()["total"] is None


async def test_a_case_that_cannot_be_is_refused_by_name_and_nothing_is_stored(loop):
    for parameter, given in (
        ("category", "murder"), ("lon", 99.0), ("lon", "10"), ("workflow", "none"), ("source_key", "two words"),
        ("source_key", ""), ("source_key", "13812345678"), ("colour", "red"), ("report", "x" * 4001), ("origin", "rumour"), ("report", "a\0b"),
    ):  # fmt: skip
        answer = await loop.post("/cases", {"source_key": "k", "category": "theft", **PLACE, parameter: given})
        assert answer.status_code == 400
        assert answer.json()["parameter"] == parameter
    with connect(loop.city.url) as connection:
        assert connection.execute("select count(*) from onemap.case_file").fetchone() == {"count": 0}


async def test_a_move_that_cannot_be_is_refused_and_leaves_the_case(loop):
    case_id = await loop.register()
    for given, status in (
        ({"move": "decline", "version": 0}, 400),
        ({"move": "accept", "version": 0, "rating": 3}, 400),
        ({"move": "accept", "version": 5}, 409),
        ({"move": "decline", "version": 0, "reason": "a\0b"}, 400),
        ({"move": "accept", "version": "0"}, 400),
        ({"move": "accept"}, 400),
        ({"move": "accept", "version": 0, "rating": 6}, 400),
    ):
        answer = await loop.post(f"/cases/{case_id}/moves", given)
        assert answer.status_code == status, answer.text
    assert (await loop.get(f"/cases/{case_id}")).json()["case"]["version"] == 0


async def test_a_place_in_the_queue_that_is_none_is_refused(loop):
    for after in ("x", "never~", "2026-01-01~5", "never~9999999999999999999"):
        answer = await loop.get(f"/cases?after={after}")
        assert (answer.status_code, answer.json()["parameter"]) == (400, "after")


async def test_the_workflows_are_told_with_their_names(loop):
    found = (await loop.get("/cases/workflows")).json()["workflows"]
    assert {each["code"]: len(each["states"]) for each in found} == {"closed_loop": 11, "mediation": 6}


async def test_what_is_open_in_the_figures_is_what_is_open_in_the_queue(loop):
    heated(loop.city.url, loop.settings.heat_folder(loop.city.url), toy.CITY)
    before = (await loop.get("/summary")).json()["open"]
    case_id = await loop.register()
    assert (await loop.get("/summary")).json()["open"] == before + 1
    await loop.move(case_id, 0, "decline", reason="not ours")
    assert (await loop.get("/summary")).json()["open"] == before
