"""Service load over HTTP: the room does not see what is small, the public sees nothing."""

import pytest

from etl import service_kind
from layers.core.audience import Role
from layers.core.db import connect
from tests.mapserver.conftest import asking, bearer, running, token

SPAN = "from=2025-01-01T00:00:00Z&to=2025-04-01T00:00:00Z"
COUNTS = [("D", "care", 1, 64, 30), ("V1", "care", 1, 60, 28), ("V2", "care", 1, 4, 2), ("V2", "visit", 1, 40, 20),
          ("V1", "care", 2, 50, 0), ("V1", "care", 4, 50, 0)]  # fmt: skip


@pytest.fixture
async def ask(own_toy, toy_settings):
    with connect(own_toy.url) as connection:
        for area, kind, month, due, done in COUNTS:
            connection.execute(
                """insert into onemap.service_load (source, source_key, area_id, class, since, until, due, done,
                  content_hash, run_id) values ('office', %s, %s, %s, %s, %s, %s, %s, '', 1)""",
                [f"{area}{kind}{month}", own_toy.area_id(area), kind, f"2025-0{month}-01T00:00Z",
                 f"2025-0{month + 1}-01T00:00Z", due, done],
            )  # fmt: skip
        service_kind.hide(connection)
    async with running(toy_settings, own_toy.url) as app, asking(app) as client:

        async def get(query="", role=Role.ROOM, area=None, span=SPAN):
            area_id = None if area is None else own_toy.area_id(area)
            headers = {} if role is None else bearer(token(toy_settings, own_toy.url, role, area_id))
            return await client.get(f"/service-load?{span}{query}", headers=headers)

        get.toy = own_toy
        yield get


def told(answer):
    return {(each["area"], each["class"], each["since"][6]): (each["due"], each["done"], each["hidden"])
            for each in answer.json()["counts"]}  # fmt: skip


async def test_the_room_sees_no_small_count_and_none_that_tells_it_and_an_analyst_sees_all(ask):
    full = {(area, kind, str(month)): (due, done, False) for area, kind, month, due, done in COUNTS if month < 4}
    hidden = dict.fromkeys([("V1", "care", "1"), ("V2", "care", "1")], (None, None, True))
    assert told(await ask()) == full | hidden
    assert told(await ask(role=Role.ANALYST)) == full
    body = (await ask("&class=visit")).json()
    assert [each["code"] for each in body["classes"]] == ["care", "visit"]
    assert [each["class"] for each in body["counts"]] == ["visit"]


async def test_however_a_question_is_cut_the_same_counts_stay_hidden(ask):
    whole = told(await ask())
    for query in ("&class=care", "&level=village", f"&area={ask.toy.area_id('V2')}"):
        part = told(await ask(query))
        assert part
        assert part.items() <= whole.items()
    for role in (Role.ROOM, Role.ANALYST):
        scoped = told(await ask(role=role, area="V2"))
        assert {area for area, *_ in scoped} == {"V2"}
    assert told(await ask(area="V2")).items() <= whole.items()


async def test_the_database_itself_gives_the_room_no_small_count(ask):
    with connect(ask.toy.url) as connection:
        connection.execute("set local role onemap_room")
        connection.execute("select set_config('onemap.area_id', '', true)")
        rows = connection.execute("select due, done from onemap.service_figure where hidden").fetchall()
        assert rows == [{"due": None, "done": None}] * 2
        connection.execute("select set_config('onemap.area_id', null, true)")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute("select due from onemap.service_load")


async def test_the_public_and_whoever_asks_wrongly_get_nothing(ask):
    assert (await ask(role=None)).status_code == 403
    for query, field in (("&class=person", "class"), ("&level=grid", "level"), ("&name=x", "name")):
        refused = await ask(query)
        assert (refused.status_code, refused.json()["parameter"]) == (400, field), refused.text
    assert (await ask(span="from=2025-01-01T00:00:00Z")).status_code == 400
    assert (await ask(f"&area={ask.toy.area_id('V1')}", area="V2")).status_code == 404
