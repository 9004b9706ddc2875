"""Suggestions and merges over HTTP: who may, and what the queue and the figures then show."""

from layers.core.audience import Role
from tests import toy
from tests.conftest import heated


async def test_a_merged_case_leaves_the_queue_and_the_figures_and_a_split_brings_it_back(loop):
    heated(loop.city.url, loop.settings.heat_folder(loop.city.url), toy.CITY)
    main, own = await loop.register("a"), await loop.register("b", lon=10.0255)
    before = (await loop.get("/summary")).json()["open"]
    file_before = (await loop.get(f"/cases/{own}")).json()
    (found,) = (await loop.get(f"/cases/{own}/duplicates")).json()["duplicates"]
    assert (found["id"], found["same_category"], found["distance_m"]) == (main, True, 35.7)
    assert 0.8 < found["score"] < 0.83

    merged = await loop.post(f"/cases/{own}/merge", {"into": main})
    assert merged.json() == {"id": own, "merged_into": main, "merged": []}
    assert [case["id"] for case in (await loop.get("/cases")).json()["cases"]] == [main]
    assert (await loop.get("/summary")).json()["open"] == before - 1
    shown = (await loop.get(f"/cases/{own}")).json()
    assert (shown["case"]["merged_into"], shown["moves"]) == (main, [])
    assert (await loop.get(f"/cases/{main}")).json()["merged"] == [own]
    assert (await loop.get(f"/cases/{own}", role=Role.ROOM)).json()["case"]["merged_into"] == main
    refused = await loop.move(own, 0, "accept")
    assert (refused.status_code, refused.json()["into"]) == (409, main)

    assert (await loop.post(f"/cases/{own}/split", {})).json() == {"id": own, "merged_into": None, "merged": []}
    assert (await loop.get(f"/cases/{own}")).json() == file_before
    assert (await loop.get("/summary")).json()["open"] == before
    assert (await loop.move(own, 0, "accept")).status_code == 200


async def test_what_cannot_be_merged_is_refused_by_name(loop):
    main, own, third = [await loop.register(key) for key in "abc"]
    await loop.post(f"/cases/{own}/merge", {"into": main})
    for path, body, status, said in (
        (f"/cases/{own}/merge", {"into": third}, 409, "merged into another"),
        (f"/cases/{main}/merge", {"into": third}, 409, "split them off"),
        (f"/cases/{third}/merge", {"into": third}, 400, "into itself"),
        (f"/cases/{third}/merge", {"into": 10**9}, 404, "there are no cases"),
        (f"/cases/{third}/merge", {}, 400, "into"),
        (f"/cases/{third}/split", {}, 409, "no other"),
        ("/cases/999999/split", {}, 404, "no case"),
        ("/cases/999999/duplicates", None, 404, "no case"),
    ):
        answer = await (loop.get(path) if body is None else loop.post(path, body))
        assert (answer.status_code, said in answer.json()["title"]) == (status, True), answer.text


async def test_only_dispatchers_of_the_whole_city_merge_and_the_room_sees_no_suggestions(loop):
    main, own = await loop.register("a"), await loop.register("b")
    for role, area in ((Role.DISPATCHER, "V1"), (Role.ROOM, None), (Role.PLANNER, None), (None, None)):
        assert (await loop.post(f"/cases/{own}/merge", {"into": main}, role, area)).status_code == 403
        assert (await loop.post(f"/cases/{own}/split", {}, role, area)).status_code == 403
    assert (await loop.get(f"/cases/{own}/duplicates", role=Role.PLANNER)).status_code == 403
    assert (await loop.get(f"/cases/{own}/duplicates", role=Role.DISPATCHER, area="V2")).status_code == 404


async def test_what_is_merged_into_a_case_that_a_reader_may_not_see_is_as_secret_as_that(loop):
    plain, secret, other = [
        await loop.register(key, category=category)
        for key, category in (("a", "theft"), ("b", "domestic"), ("c", "theft"))
    ]
    await loop.post(f"/cases/{plain}/merge", {"into": secret})
    assert (await loop.get(f"/cases/{plain}")).json()["case"]["merged_into"] == secret
    for role in (Role.ROOM, Role.PLANNER):
        assert (await loop.get(f"/cases/{plain}", role=role)).status_code == 404
        assert (await loop.get(f"/open311/v2/requests/{plain}.json", role=role)).status_code == 404
        everything = (await loop.get("/open311/v2/requests.json?extensions=true", role=role)).json()
        assert [row["service_request_id"] for row in everything] == [str(other)]
    await loop.post(f"/cases/{plain}/split", {})
    await loop.post(f"/cases/{secret}/merge", {"into": plain})
    assert (await loop.get(f"/cases/{plain}")).json()["merged"] == [secret]
    assert (await loop.get(f"/cases/{plain}", role=Role.ROOM)).json()["merged"] == []


async def test_the_number_of_a_main_case_outside_an_area_is_not_told_there(loop):
    own, main = await loop.register("a", lon=10.0255), await loop.register("b", lon=10.075)
    await loop.post(f"/cases/{own}/merge", {"into": main})
    office = {"role": Role.DISPATCHER, "area": "V1"}
    found = (await loop.get(f"/cases/{own}", **office)).json()
    assert (found["case"]["merged_into"], found["moves"]) == (None, [])
    refused = await loop.move(own, 0, "handle", **office)
    assert (refused.status_code, refused.json()["into"]) == (409, None)
    assert (await loop.get(f"/cases/{own}", role=Role.ROOM, area="V1")).status_code == 404
