from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.cases.case import Case
from layers.cases.sla import FILE, Colour, Policies, Subject
from layers.cases.workflow import workflows
from layers.cases.worktime import WorkTime
from layers.catalog.city import City
from layers.core.errors import BadCity
from layers.core.span import Span

TOY = City.load(Path(__file__).parents[3] / "tests" / "cities" / "toy")
WORK = WorkTime.of(
    TOY.model_copy(
        update={
            "time_zone": "Asia/Shanghai",
            "calendar": TOY.calendar.model_copy(
                update={"working_days": [1, 2, 3, 4, 5], "hours": ["08:00-12:00", "14:00-18:00"]}
            ),
        }
    )
)
LOOP = workflows(Path("/nowhere"))["closed_loop"]
FILE_TEXT = """
[[policies]]
stage = "handle"
term = { amount = 5, unit = "working_day" }
warn = { amount = 4, unit = "working_day" }
red = { amount = 10, unit = "working_day" }

[[policies]]
stage = "handle"
category = "rubbish"
term = { amount = 4, unit = "working_hour" }

[[policies]]
stage = "handle"
severity_from = 5
area = "T01"
term = { amount = 2, unit = "urgent_hour" }

[[policies]]
stage = "handle"
category = "rubbish"
severity_from = 3
term = { amount = 3, unit = "working_hour" }
"""
MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # nine in the morning there


@pytest.fixture
def policies(tmp_path):
    return loaded(tmp_path, FILE_TEXT)


def loaded(folder: Path, text: str) -> Policies:
    (folder / FILE).write_text(text, "utf-8")
    return Policies.load(folder, WORK)


def subject(category: str = "noise", severity: int = 1, *areas: str) -> Subject:
    return Subject(category, severity, frozenset(areas))


@pytest.mark.parametrize(
    ("who", "amount"),
    [
        (subject(), 5),
        (subject("rubbish"), 4),
        (subject("noise", 5), 5),
        (subject("noise", 5, "T01", "T"), 2),
        (subject("rubbish", 4), 3),
        (subject("rubbish", 9, "T01"), 2),
    ],
)
def test_the_narrowest_policy_that_fits_holds_and_of_equal_ones_the_first(policies, who, amount):
    assert policies.policy("handle", who).term.amount == amount


def test_a_stage_without_a_policy_has_no_deadline(policies):
    assert policies.deadline("arbitrate", subject(), MONDAY) is None
    assert Policies.load(Path("/nowhere"), WORK).deadline("handle", subject(), MONDAY) is None


def test_a_deadline_warns_is_over_and_turns_red_at_its_moments(policies):
    deadline = policies.deadline("handle", subject(), MONDAY)
    moments = [deadline.warn, deadline.due, deadline.red]
    ends = [datetime(2026, 3, day, 10, tzinfo=UTC) for day in (6, 9, 16)]  # six in the evening there
    assert moments == ends
    second = timedelta(seconds=1)
    seen = [deadline.colour(moment + late) for moment in moments for late in (-second, 0 * second)]
    assert seen == [Colour.GREEN, Colour.WARN, Colour.WARN, Colour.OVERDUE, Colour.OVERDUE, Colour.RED]


def test_a_pause_takes_a_term_that_runs_and_leaves_one_that_is_over(policies):
    term = policies.deadline("handle", subject("noise"), MONDAY)
    assert None not in (term.warn, term.red)
    before = term.standing(term.due - timedelta(seconds=1))
    assert (before.warn, before.due, before.red) == (None, None, None)
    assert (before.stage, before.start) == (term.stage, term.start)
    over = term.standing(term.due)
    assert (over.warn, over.due, over.red) == (term.warn, term.due, None)
    assert over.colour(term.red) == Colour.OVERDUE
    assert term.standing(term.red) == term


def test_a_pause_moves_every_moment_of_it(policies):
    pause = Span(MONDAY, MONDAY + timedelta(days=7))
    before = policies.deadline("handle", subject("rubbish"), MONDAY)
    after = policies.deadline("handle", subject("rubbish"), MONDAY, (pause,))
    assert after.due - before.due == pause.length


def test_a_case_that_has_ended_has_no_deadline_whatever_its_clock(policies):
    running = replace(Case.registered(LOOP, MONDAY), state="handling", started=MONDAY)
    assert [each.stage for each in policies.running(running, LOOP, subject())] == ["handle"]
    assert policies.running(replace(running, state="closed"), LOOP, subject()) == []


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=8))
def test_as_time_goes_on_a_deadline_only_gets_worse(tmp_path_factory, minutes):
    policies = loaded(tmp_path_factory.mktemp("city"), FILE_TEXT)
    deadline = policies.deadline("handle", subject(), MONDAY)
    order = list(Colour)
    seen = [order.index(deadline.colour(MONDAY + timedelta(minutes=each))) for each in sorted(minutes)]
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[policies]]\nstage = "handle"', "term: Field required"),
        ('[[policies]]\nstage = "handle"\nterm = { amount = 0, unit = "working_day" }', "ascend"),
        (FILE_TEXT.replace('amount = 4, unit = "working_day"', 'amount = 6, unit = "working_day"'), "ascend"),
        (FILE_TEXT.replace('amount = 4, unit = "working_day"', 'amount = 4, unit = "urgent_hour"'), "one unit"),
        (FILE_TEXT.replace("urgent_hour", "week"), "term.unit"),
        (FILE_TEXT + "colour = 'red'", "colour"),
        ("holidays = 3", "unknown key holidays"),
        ("[[policies", "is not TOML"),
    ],
)
def test_policies_that_cannot_be_followed_are_refused_by_name(tmp_path, text, why):
    with pytest.raises(BadCity, match=why):
        loaded(tmp_path, text)
