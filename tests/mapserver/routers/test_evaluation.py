"""The evaluation of cases over HTTP: for whom, of which span, and that nothing small comes out."""

import pytest
from psycopg.errors import InsufficientPrivilege

from layers.cases import adoption
from layers.cases.workflow import workflows
from layers.core.audience import Role
from layers.core.db import connect
from tests.mapserver.conftest import asking, bearer, running, token

ENDED = "update onemap.incident set state = 'done', due_at = occurred_at + '5 d', closed_at = occurred_at + i * '1 h'::interval"


@pytest.fixture
async def ask(own_toy, toy_settings):
    """The toy city whose incidents have all ended as cases; a way to ask it in a role."""
    with connect(own_toy.url) as connection:
        connection.execute(
            f"""{ENDED} from (
          select incident_id as id, row_number() over (order by incident_id) % 200 as i from onemap.incident
        ) numbered where id = incident_id""".encode()
        )
        loop = workflows(toy_settings.city_folder)["closed_loop"]
        statement = adoption.adopt("toy", loop, connection.execute("select now() as at").fetchone()["at"])
        connection.execute(statement.sql.encode(), statement.params)
    async with running(toy_settings, own_toy.url) as app, asking(app) as client:

        async def get(query="", role=Role.ADMIN, area=None):
            area_id = None if area is None else own_toy.area_id(area)
            headers = {} if role is None else bearer(token(toy_settings, own_toy.url, role, area_id))
            return await client.get(
                f"/cases/evaluation?from=2025-01-01T00:00:00Z&to=2025-06-01T00:00:00Z{query}", headers=headers
            )

        get.toy = own_toy
        yield get


async def test_every_ended_case_is_evaluated_once_by_category_and_by_area(ask):
    for by in ("category", "area", "area&level=grid", "unit"):
        body = (await ask(f"&by={by}")).json()
        assert body["total"]["n"] == len(ask.toy.rows)
        assert sum(group["n"] for group in body["groups"]) == len(ask.toy.rows)
        for group in [*body["groups"], body["total"]]:
            assert sum(group["channels"].values()) == group["n"]
            assert group["in_time"]["cases"] == pytest.approx(group["n"] * 0.6, rel=0.2)
            assert 0 < group["handling"]["median_hours"] < group["handling"]["p90_hours"]
            assert group["rating"] is None
        assert body["notes"]
    ranks = [group["rank"] for group in (await ask("&by=category&rank_by=handling")).json()["groups"]]
    assert ranks == [1, 2, 3]


async def test_whoever_may_not_see_sensitive_points_gets_no_figures_of_them(ask):
    codes = {group["code"] for group in (await ask("&by=category", Role.ROOM)).json()["groups"]}
    assert codes == {"noise", "theft"}


async def test_an_area_is_evaluated_for_those_who_have_it(ask):
    own = (await ask("&by=category", area="V1")).json()["total"]["n"]
    assert (
        own == (await ask(f"&by=category&area={ask.toy.area_id('V1')}")).json()["total"]["n"] < len(ask.toy.rows)
    )
    room = (await ask("&by=category", Role.ROOM, "V1")).json()["total"]
    assert room["n"] < own
    assert room["in_time"]["n"] == room["n"]
    assert (await ask(f"&area={ask.toy.area_id('V2')}", area="V1")).status_code == 404


async def test_what_is_too_little_is_hidden_and_the_public_sees_nothing(ask):
    with connect(ask.toy.url) as connection:
        connection.execute("""update onemap.case_file set unit = case when case_id <= 3 then 'small' when case_id <= 53
          then 'middle' else 'large' end""")
    groups = {group["code"]: group for group in (await ask("&by=unit")).json()["groups"]}
    assert (groups["small"]["n"], groups["middle"]["n"], groups["small"]["handling"]) == (None, None, None)
    assert groups["large"]["n"] == len(ask.toy.rows) - 53
    assert (await ask("", None)).status_code == 403
    for query, field in (
        ("&by=person", "by"),
        ("&rank_by=n", "rank_by"),
        ("&level=grid", "level"),
        ("&by=area&level=x", "level"),
    ):
        refused = await ask(query)
        assert (refused.status_code, refused.json()["parameter"]) == (400, field)


async def test_what_was_said_of_a_case_is_in_figures_alone_and_not_for_the_room(ask):
    with connect(ask.toy.url) as connection:
        connection.execute("update onemap.case_file set rating = 1 + case_id % 5")
    for role, told in ((Role.ROOM, False), (Role.ANALYST, True), (Role.ADMIN, True)):
        body = (await ask("&by=category&rank_by=rating", role)).json()
        assert (body["total"]["rating"] is not None) == told
        assert {group["rating"] is not None for group in body["groups"]} == {told}
    with connect(ask.toy.url) as connection:
        connection.execute("set local role onemap_room")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("select rating from onemap.case_file")
