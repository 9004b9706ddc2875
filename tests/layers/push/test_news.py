"""What is pushed to whom, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.core.audience import Audience, Role
from layers.core.errors import BadValue
from layers.push.news import TOPICS, News
from layers.push.subscription import Quiet, Subscription, check_mailbox, check_url

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
PAYLOAD = {
    "id": 7, "workflow": "closed_loop", "category": "theft", "sensitive": False, "state": "handling", "open": True,
    "version": 4, "unit": "roads", "area": "V1G2", "lon": 10.02, "lat": 50.02, "due_at": "2026-03-03T12:00:00+00:00",
    "report": "a bin burns", "exact": [10.0251, 50.0252], "reason": "because",
}  # fmt: skip


def news(topic="case", **payload):
    row = {"seq": 9, "topic": topic, "at": AT, "zones": 1, "area_ids": [1, 2, 4]}
    return News.of(row | {"payload": PAYLOAD | payload})


def wish(**given):
    plain = Subscription(
        1, "webhook", "https://x.example", "s", Audience(Role.ROOM), frozenset(), 0, frozenset(TOPICS), "en", None,
        red_passes=False, digest=timedelta(), since=AT - timedelta(days=1),
    )  # fmt: skip
    return replace(plain, **given)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PUBLIC])
def test_nobody_is_pushed_a_text_or_a_true_point(role):
    said = str(news(sensitive=False).told(Audience(role)))
    assert said
    for secret in ("a bin burns", "10.0251", "because"):
        assert secret not in said


@pytest.mark.parametrize("topic", ["case", "reminder"])
def test_the_public_is_told_of_no_single_event(topic):
    assert news(topic, colour="red").told(Audience(Role.PUBLIC)) is None


@pytest.mark.parametrize(("role", "told"), [(role, role >= Role.DISPATCHER) for role in Role])
def test_sensitive_news_is_for_those_who_see_such_points(role, told):
    assert (news(sensitive=True).told(Audience(role)) is not None) == told


def test_an_audience_of_an_area_is_told_of_that_area_alone():
    assert news().told(Audience(Role.ROOM, 2)) is not None
    assert news().told(Audience(Role.ROOM, 3)) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True), ({"categories": frozenset({"noise"})}, False), ({"categories": frozenset({"theft"})}, True),
        ({"zones": 1}, True), ({"zones": 2}, False), ({"zones": 3}, True), ({"topics": frozenset({"red"})}, False),
        ({"since": AT + timedelta(seconds=1)}, False),
    ],
)  # fmt: skip
def test_a_subscription_chooses_by_category_zone_type_topic_and_time(changes, told):
    assert (wish(**changes).told(news()) is not None) == told


@pytest.mark.parametrize(
    ("payload", "topic"),
    [({"version": 0}, "registered"), ({}, "moved"), ({"version": 0, "followed": True}, "moved")],
)
def test_a_case_without_moves_is_a_new_one_unless_it_has_changed_with_its_source(payload, topic):
    assert news(**payload).topic == topic


def test_a_reminder_is_news_of_its_colour_and_only_red_is_urgent():
    for colour in ("warn", "overdue", "red"):
        one = news("reminder", colour=colour)
        assert (one.topic, one.urgent) == (colour, colour == "red")


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    hours=st.tuples(st.times(), st.times()).filter(lambda pair: pair[0] != pair[1]),
)
def test_quiet_hours_end_outside_themselves_and_within_a_day(at, hours):
    quiet = Quiet(*(each.replace(microsecond=0) for each in hours))
    if quiet.start == quiet.end:
        return
    after = quiet.over(at, BERLIN)
    assert at <= after <= at + timedelta(hours=25)
    assert (
        quiet.over(after, BERLIN) == after
        or after.astimezone(BERLIN).utcoffset() != at.astimezone(BERLIN).utcoffset()
    )
    assert (after == at) or after.astimezone(BERLIN).time() == quiet.end


def test_only_red_news_passes_quiet_hours_and_only_where_that_is_wished():
    night = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # half past eleven in Berlin
    calm = wish(quiet=Quiet.parse("22:00-07:00"))
    morning = datetime(2026, 3, 3, 6, tzinfo=UTC)
    assert calm.opens(night, BERLIN, urgent=False) == calm.opens(night, BERLIN, urgent=True) == morning
    assert replace(calm, red_passes=True).opens(night, BERLIN, urgent=True) == night
    assert replace(calm, red_passes=True).opens(night, BERLIN, urgent=False) == morning


def test_a_digest_ends_on_the_same_marks_for_all_its_news():
    mail = wish(kind="mail", digest=timedelta(minutes=15))
    firsts = {mail.first(AT + timedelta(minutes=minute), BERLIN, urgent=False) for minute in (0, 1, 7, 14)}
    assert firsts == {AT + timedelta(minutes=15)}
    assert mail.first(AT, BERLIN, urgent=True) == AT


BAD = [
    "ftp://x.example/", "http://x.example/", "https://user:pw@x.example/", "https://user@x.example", "https:///x", "x",
    "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/latest", "https://localhost/",
    "https://[::ffff:10.0.0.1]/", "https://a.b.internal/", "https://x.example/#f", "https://x.example/\nHost: y",
    "https://x.example:99999/", "https://[64:ff9b::a00:1]/", "https://224.0.0.1/", "https://0.0.0.0/", "https://[fe80::1%25eth0]/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_a_webhook_goes_to_the_open_internet_without_credentials(url):
    with pytest.raises(BadValue):
        check_url(url, private=False)


def test_closed_networks_and_plain_http_are_for_those_who_allow_them():
    for url in ("http://127.0.0.1:8080/hook", "https://10.1.2.3/", "https://x.example/a?b=c"):
        check_url(url, private=True)
    check_url("https://x.example/a?b=c", private=False)
    with pytest.raises(BadValue, match="credentials"):
        check_url("http://u:p@127.0.0.1/", private=True)


OFFICES = ("district.example", "duty.v2@free.example")


def test_a_mailbox_is_one_of_an_office_that_the_city_names():
    for good in ("duty-office@district.example", "Duty@Desk.District.example", "duty.v2@free.example"):
        check_mailbox(good, OFFICES)
    for bad, why in (
        *((each, "no mailbox") for each in ("a", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c", "@b")),
        ("zhang@free.example", "free.example is no office's; office_mail in city.toml has district.example"),
        ("a@notdistrict.example", "no office's"), ("a@district.example.evil.example", "no office's"),
        *((f"{each}@district.example", "is a person's") for each in ("13812345678", "+86-138.1234", "10482", "11010519491231002X")),
    ):  # fmt: skip
        with pytest.raises(BadValue, match=why):
            check_mailbox(bad, OFFICES)
    with pytest.raises(BadValue, match=r"city\.toml has no office_mail"):
        check_mailbox("duty-office@district.example", ())
