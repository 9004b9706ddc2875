"""The supervision office's list and its files over HTTP, and the chain beneath them."""

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from layers.cases import ledger
from layers.core.audience import Role
from layers.core.db import connect
from tests.mapserver.conftest import Moving

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def put(city, *changes):
    """Cases whose terms stand as told: (unit, state, due, met, category) each, days from now."""
    with connect(city.url) as connection:
        for number, (unit, state, due, met, category) in enumerate(changes):
            is_open = state != "closed"
            (case,) = connection.execute(
                """insert into onemap.case_file (workflow, source, source_key, category, severity, origin, reported_at,
                  cell, zones, spot, geom, area_id, state, is_open, version, entered_at, changed_at, bounces, paused,
                  stills, unit, due_at, red_at, warn_at)
                select 'closed_loop', 'made', %(key)s, %(category)s, 1, origin, %(reported)s, cell, zones, spot, geom,
                  (select area_id from onemap.area where code = %(area)s), %(state)s, %(open)s, 1, %(at)s, %(at)s, 0,
                  false, '{}', %(unit)s, %(due)s, %(red)s, %(warn)s
                from onemap.incident limit 1 returning case_id""",
                {"key": f"m{number}", "category": category, "reported": NOW - (50 - number) * DAY, "at": NOW - 40 * DAY,
                 "area": "V1G1" if number % 2 else "V2G1", "state": state, "open": is_open, "unit": unit,
                 "due": None if due is None or not is_open else NOW + due * DAY,
                 "red": None if due is None or not is_open else NOW + (due + 5) * DAY,
                 "warn": None if due is None or not is_open else NOW + (due - 1) * DAY},
            ).fetchall()  # fmt: skip
            if due is not None:
                connection.execute(
                    "insert into onemap.case_deadline (case_id, stage, start_at, due_at, met_at) values (%s, 'handle', %s, %s, %s)",
                    [case["case_id"], NOW - 40 * DAY, NOW + due * DAY, None if met is None else NOW + met * DAY],
                )


CASES = [
    ("roads", "handling", 3, None, "theft"),
    ("roads", "handling", 0.5, None, "noise"),
    ("=cmd()", "handling", -2, None, "noise"),
    ("parks", "handling", -9, None, "theft"),
    ("parks", "closed", -20, -19, "noise"),
    ("parks", "closed", -20, -25, "noise"),
    (None, "reported", None, None, "domestic"),
]


@pytest.fixture
async def office(loop):
    put(loop.city, *CASES)
    return loop


async def listed(office, query="", **who):
    answer = await office.get(f"/ledger{query}", **who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_line_says_what_is_over_and_by_how_much(office):
    found = await listed(office)
    assert [line["colour"] for line in found["items"]] == [
        "overdue",
        "green",
        "red",
        "overdue",
        "warn",
        "green",
        "none",
    ]
    by_due = {line["colour"]: line for line in found["items"]}
    assert (by_due["red"]["unit"], by_due["red"]["calendar_days_over"]) == ("parks", 9)
    assert by_due["red"]["working_days_over"] in (5, 6, 7)
    assert by_due["none"] | {"unit": None, "due_at": None, "working_days_over": None} == by_due["none"]
    closed = found["items"][0]
    assert (closed["open"], closed["calendar_days_over"]) == (False, 1)
    assert found["items"][1]["calendar_days_over"] is None


COUNTS = {
    "?unit=parks": 3, "?state=closed": 2, "?colour=red": 1, "?colour=none": 1, "?category=noise": 4, "?open=false": 2,
    "?workflow=mediation": 0, "?colour=overdue&open=true": 1, "?unit=parks&colour=green": 1,
}  # fmt: skip


async def test_filters_restrict_together(office):
    assert {query: len((await listed(office, query))["items"]) for query in COUNTS} == COUNTS


async def test_an_area_and_a_span_restrict_and_an_office_sees_its_own(office):
    area = office.city.area_id("V1")
    assert len((await listed(office, f"?area={area}"))["items"]) == 3
    assert len((await listed(office, role=Role.DISPATCHER, area="V1"))["items"]) == 3
    start, end = (NOW - days * DAY for days in (49, 47))
    query = f"?from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}"
    assert len((await listed(office, query))["items"]) == 2


async def test_pages_follow_one_another_without_loss_in_every_order(office):
    for sort in ("due", "-due", "over", "-over", "reported", "-reported"):
        whole = (await listed(office, f"?sort={sort}"))["items"]
        paged, after = [], ""
        while after is not None:
            page = await listed(office, f"?sort={sort}&limit=2{after}")
            paged += page["items"]
            after = None if page["next"] is None else "&after=" + page["next"].replace("+", "%2B")
        assert [line["id"] for line in paged] == [line["id"] for line in whole], sort
    assert [line["unit"] for line in (await listed(office, "?sort=-over"))["items"][:2]] == ["parks", "=cmd()"]


BAD = [
    "after=x", "after=due~2026-01-01T00:00:00Z~none~case~x", "after=over~2026-01-01T00:00:00Z~nan~case~1&sort=over",
    "sort=name", "colour=blue", "from=yesterday", "area=0", "f=pdf", "f=csv&limit=3", "limit=0", "lang=de", "unit=%00",
]  # fmt: skip


async def test_what_cannot_be_read_is_named(office):
    for query in BAD:
        assert (await office.get(f"/ledger?{query}")).status_code == 400, query
    for query in ("after=-1", "from=x", "limit=0"):
        assert (await office.get(f"/ledger/rows?{query}")).status_code == 400, query


async def test_the_list_and_the_chain_are_for_those_who_move_cases(office):
    for role in (None, Role.ROOM, Role.PLANNER):
        for path in ("/ledger", "/ledger?f=csv", "/ledger/rows"):
            assert (await office.get(path, role=role)).status_code in (401, 403)
    assert (await office.get("/ledger/rows", role=Role.DISPATCHER, area="V1")).status_code == 403


async def test_a_workbook_has_frozen_headings_real_times_and_no_formulas(office):
    answer = await office.get("/ledger?f=xlsx&lang=zh&sort=due")
    assert answer.status_code == 200, answer.text
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    page = book.active
    assert (page.title, page.freeze_panes) == ("台账", "A2")
    rows = list(page.iter_rows())
    heads = [cell.value for cell in rows[0]]
    assert heads[:2] == ["类型", "编号"]
    assert len(rows) == 1 + len(CASES)
    units = [row[heads.index("责任单位")] for row in rows[1:]]
    danger = next(cell for cell in units if cell.value == "=cmd()")
    assert danger.data_type == "s"
    due = rows[1][heads.index("时限")]
    assert (due.is_date, due.value.tzinfo) == (True, None)
    assert rows[1][heads.index("类别")].value == "噪音"
    assert rows[1][heads.index("亮灯")].value == "超期"


async def test_csv_says_the_same_in_english(office):
    answer = await office.get("/ledger?f=csv&lang=en&unit==cmd()")
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["Owner unit"], line["State"], line["Colour"]) == ("'=cmd()", "Being handled", "Overdue")
    assert line["Calendar days over"] == "2"


async def test_each_item_says_how_late_it_is_in_every_state_up_to_its_end_and_after_it(loop):
    clock = loop.app.state.clock = Moving(datetime(2026, 3, 2, 9, tzinfo=UTC))
    case_id = await loop.register()
    seen = []
    for version, (code, told) in enumerate((
        ("accept", {}), ("triage", {}), ("dispatch", {"unit": "sanitation"}), ("handle", {}),
        ("feed_back", {"reason": "done"}), ("evaluate", {"rating": 4}), ("close", {}), ("reopen", {"reason": "again"}),
        ("dispatch", {"unit": "sanitation"}), ("handle", {}), ("feed_back", {"reason": "done"}), ("close", {}),
    )):  # fmt: skip
        clock.at += 2 * DAY if code in ("feed_back", "accept") else timedelta(minutes=1)
        answer = await loop.move(case_id, version, code, **told)
        assert answer.status_code == 200, answer.text
        clock.at += timedelta(minutes=1)
        (line,) = (await listed(loop))["items"]
        assert line["due_at"] is not None, code
        ended = line["met_at"] is not None
        seen.append((line["state"], line["unit"], line["colour"], line["calendar_days_over"], ended))
        if code == "handle":
            clock.at += DAY
            (line,) = (await listed(loop))["items"]
            seen.append((line["state"], line["unit"], line["colour"], line["calendar_days_over"], False))
    assert seen == [
        ("accepted", None, "overdue", 2, True), ("triaged", None, "overdue", 2, True),
        ("dispatched", "sanitation", "green", None, False), ("handling", "sanitation", "green", None, False),
        ("handling", "sanitation", "overdue", 1, False), ("fed_back", "sanitation", "overdue", 3, True),
        ("evaluated", "sanitation", "overdue", 3, True), ("closed", "sanitation", "overdue", 3, True),
        ("reopened", "sanitation", "green", None, False),
        # It goes on with the term that it had, and from its deadline on the days count.
        ("dispatched", "sanitation", "overdue", 3, False), ("handling", "sanitation", "overdue", 3, False),
        ("handling", "sanitation", "overdue", 4, False), ("fed_back", "sanitation", "overdue", 6, True),
        ("closed", "sanitation", "overdue", 6, True),
    ]  # fmt: skip


async def test_every_file_is_a_row_of_the_chain_and_the_chain_holds(office):
    await office.get("/ledger?f=csv&unit=parks&category=13812345678")
    await office.get("/ledger?f=xlsx", role=Role.ADMIN)
    rows = (await office.get("/ledger/rows?kind=export")).json()["rows"]
    assert [row["payload"] for row in rows] == [
        {
            "role": "dispatcher",
            "area_id": None,
            "by": "token",
            "format": "csv",
            "filter": {"unit": "parks", "category": "[phone]"},  # a row that is there for ever
            "count": 0,
        },
        {"role": "admin", "area_id": None, "by": "token", "format": "xlsx", "filter": {}, "count": 7},
    ]
    with connect(office.city.url) as connection:
        assert connection.execute(ledger.broken().sql).fetchall() == []


async def test_so_is_every_file_of_the_layer_of_cases_whoever_takes_it_and_no_page_on_a_screen(office):
    for query, role, area in (
        ("f=csv&category=noise&limit=2", Role.ROOM, None),
        ("f=geojsonseq&state=13812345678", Role.DISPATCHER, "V1"),
        ("f=geojson", Role.DISPATCHER, None),
    ):
        answer = await office.get(f"/collections/cases/items?{query}", role=role, area=area)
        assert answer.status_code == 200, answer.text
    await office.client.head("/collections/cases/items?f=csv", headers=office._headers(Role.ROOM, None))
    await office.get("/collections/incidents/items?f=csv")
    rows = (await office.get("/ledger/rows?kind=export&subject=cases")).json()["rows"]
    common = {"layer": "cases", "by": "token"}
    assert [row["payload"] for row in rows] == [
        common | {"role": "room", "area_id": None, "format": "csv", "count": 2,
                  "filter": {"category": "noise", "limit": "2"}},
        common | {"role": "dispatcher", "area_id": office.city.area_id("V1"), "format": "geojsonseq", "count": 0,
                  "filter": {"state": "[phone]"}},
    ]  # fmt: skip
    assert len((await office.get("/ledger/rows?kind=export")).json()["rows"]) == 2


async def test_the_chain_is_read_by_subject_kind_and_time_in_pages(office):
    case_id = await office.register()
    await office.walk(case_id, "accept", "triage")
    seen, after = [], 0
    while after is not None:
        page = (await office.get(f"/ledger/rows?subject=case:{case_id}&limit=2&after={after}")).json()
        seen += page["rows"]
        after = page["next"]
    assert [row["kind"] for row in seen].count("moved") == 2
    assert all(row["subject"] == f"case:{case_id}" for row in seen)
    assert (await office.get("/ledger/rows?to=2020-01-01T00:00:00Z")).json()["rows"] == []
    whole = (await office.get("/ledger/rows")).json()["rows"]
    assert [row["previous"] for row in whole[1:]] == [row["hash"] for row in whole[:-1]]


async def test_a_measure_stands_beside_the_cases_with_the_first_period_that_lacks_evidence(office):
    with connect(office.city.url) as connection:
        connection.execute(
            """with made as (
              insert into onemap.measure (key, name_zh, name_en, zone_type, unit, every, target, registered_at)
              values ('m', '查', 'Check', 'school', 'school office', 'daily', 2, now()) returning measure_id
            ), terms as (
              insert into onemap.measure_term select measure_id, number, now() - make_interval(days => 9 - number),
                now() - make_interval(days => 8 - number) from made, generate_series(1, 3) number
            ) select from made"""
        )
        connection.execute(
            "insert into onemap.measure_evidence select measure_id, 'e', 1, now(), 2 from onemap.measure"
        )
    (line,) = (await listed(office, "?workflow=measure"))["items"]
    assert (line["item"], line["unit"], line["colour"], line["category"]) == (
        "measure",
        "school office",
        "overdue",
        None,
    )
    assert line["calendar_days_over"] == 6
    answer = await office.get("/ledger?f=csv&lang=zh&workflow=measure")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["类型"], row["状态"], row["类别"]) == ("措施", "进行中", "")
