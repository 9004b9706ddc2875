"""News on its way to real servers on loopback: signed, tried again, never lost, and not sent twice once it is noted."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from psycopg.errors import CheckViolation

from etl import courier
from etl.senders import webhook
from layers.cases import reminders
from layers.core.audience import Role
from layers.core.db import connect
from layers.core.settings import PushSettings
from layers.push import subscription
from layers.push.subscription import Quiet
from tests.etl.push.receivers import office
from tests.etl.push.street import HOUR, MINUTE
from tests.layers.cases.desk import AT

ROOT = Path(__file__).parents[3]
KILLED = """
import sys
from datetime import datetime
from etl.courier import Courier
from layers.core.db import connect
from layers.core.settings import PushSettings
from tests import toy
from tests.mapserver.conftest import Moving
with connect(sys.argv[1]) as connection:
    now = Moving(datetime.fromisoformat(sys.argv[2]))
    Courier(connection, toy.CITY, now, PushSettings(private_targets=True)).deliver(int(sys.argv[3]))
"""


def bodies(desk):
    return [json.loads(body) for _, body in desk.got]


def test_news_is_signed_and_sent_once(street):
    with office() as desk:
        to = street.wish(desk.url)
        case_id = street.register()
        street.move(case_id, "accept")
        for _ in range(3):
            street.spread()
            street.deliver(to)
    assert [(body["what"], body["case"], body["state"]) for body in bodies(desk)] == [
        ("registered", case_id, "reported"), ("moved", case_id, "accepted"),
    ]  # fmt: skip
    assert (
        bodies(desk)[0]["text"] == f"New case · Theft · #{case_id} · Reported · V1G2 · 2026-03-02T10:00:00+00:00"
    )
    headers, body = desk.got[0]
    stamp, told = headers["Onemap-Signature"].removeprefix("t=").split(",v1=")
    assert stamp == str(int(AT.timestamp()))
    assert hmac.new(b"top", stamp.encode() + b"." + body, hashlib.sha256).hexdigest() == told
    assert headers["path"] == "/hook?channel=1"
    assert len({headers["Idempotency-Key"] for headers, _ in desk.got}) == 2
    assert street.log(to) == [("sent", "status 200")] * 2


def test_what_an_office_does_not_take_is_tried_again_ever_later_and_in_order(street):
    with office() as desk:
        desk.answers = [500, 503, 429]
        to = street.wish(desk.url)
        first, second = street.register("1"), street.register("2")
        street.spread()
        for pause_s in (0, 30, 60, 120):
            street.clock.at += timedelta(seconds=pause_s)
            street.deliver(to)
            street.deliver(to)
    assert [body["case"] for body in bodies(desk)] == [first] * 4 + [second]
    assert len({headers["Idempotency-Key"] for headers, _ in desk.got[:4]}) == 1
    assert [outcome for outcome, _ in street.log(to)] == ["failed"] * 3 + ["sent"] * 2


def test_what_is_refused_for_what_it_says_holds_nothing_up_and_a_redirect_is_not_followed(street):
    with office() as desk:
        desk.answers = [400, 302]
        to = street.wish(desk.url)
        for key in "123":
            street.register(key)
        street.spread()
        street.deliver(to)
    assert len(desk.got) == 2
    assert street.log(to) == [("failed", "status 400"), ("failed", "status 302")]


def test_news_that_cannot_be_made_into_a_message_is_an_attempt_too(street):
    to = street.wish("https://[broken/")
    street.register()
    street.spread()
    street.deliver(to)
    assert street.log(to) == [("failed", "something went wrong here; it is in the worker's log")]


def test_an_office_that_never_answers_is_given_up_in_the_end_and_each_attempt_ends(street, monkeypatch):
    monkeypatch.setattr(courier, "MOST_ATTEMPTS", 2)
    with office() as desk:
        desk.stalls.set()
        assert webhook.post(desk.url, b"{}", {}, private=True, within_s=0.2).detail == "no answer in time"
    to = street.wish(desk.url)  # nobody listens there any more
    street.register()
    street.spread()
    for _ in range(4):
        street.deliver(to)
        street.clock.at += HOUR
    assert [outcome for outcome, _ in street.log(to)] == ["failed", "dead"]


def test_the_pauses_of_all_attempts_are_more_than_a_day():
    pauses = [courier.pause(attempt) for attempt in range(1, courier.MOST_ATTEMPTS)]
    assert pauses == sorted(pauses)
    assert timedelta(hours=12) < sum(pauses, timedelta()) < timedelta(days=3)


def test_a_worker_killed_before_it_noted_the_answer_has_it_sent_again_under_the_same_key(street):
    with office() as desk:
        to = street.wish(desk.url)
        street.register()
        street.spread()
        desk.stalls.set()
        words = [sys.executable, "-c", KILLED, street.url, street.clock.at.isoformat(), str(to)]
        process = subprocess.Popen(words, cwd=ROOT)
        assert desk.arrived.acquire(timeout=30)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        desk.stalls.clear()
        street.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        street.connection.commit()
        street.deliver(to)
        street.deliver(to)
    assert len(desk.got) == 2
    assert len({headers["Idempotency-Key"] for headers, _ in desk.got}) == 1
    assert street.log(to) == [("sent", "status 200")]


def test_two_workers_at_once_spread_and_send_everything_once(street):
    with office() as desk:
        to = street.wish(desk.url)
        for number in range(8):
            street.register(str(number))
        together = Barrier(2)

        def work():
            with connect(street.url) as connection:
                one = street.courier(connection)
                together.wait()
                while one.spread():
                    pass
                while one.deliver(to):
                    pass

        threads = [Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        street.deliver(to)
    assert len(desk.got) == 8
    assert len({headers["Idempotency-Key"] for headers, _ in desk.got}) == 8


def test_quiet_hours_hold_news_back_and_lose_none_and_red_may_pass(street):
    with office() as desk:
        hours = Quiet.parse("08:00-20:00")  # of Berlin, an hour before ours
        to = street.wish(desk.url, quiet_from=hours.start, quiet_to=hours.end, red_passes=True)
        case_id = street.register()
        street.move(case_id, "accept", "triage", "dispatch", "handle")
        for after in (4.2, 8.2):
            street.desk.run(reminders.remind(AT + after * HOUR))
            street.connection.commit()
        street.spread()
        street.deliver(to)
        assert [body["what"] for body in bodies(desk)] == ["red"]
        street.clock.at = datetime(2026, 3, 2, 19, tzinfo=UTC)
        street.deliver(to)
    assert [body["what"] for body in bodies(desk)[1:]] == ["registered", *["moved"] * 4, "overdue"]


def test_hours_that_begin_while_news_waits_are_kept(street):
    with office() as desk:
        to = street.wish(
            desk.url, quiet_from=Quiet.parse("12:00-13:00").start, quiet_to=Quiet.parse("12:00-13:00").end
        )
        street.register()
        street.spread()
        street.clock.at = AT + 2 * HOUR + MINUTE
        street.deliver(to)
        assert desk.got == []
        street.clock.at = AT + 3 * HOUR
        street.deliver(to)
    assert len(desk.got) == 1


def test_each_audience_gets_its_own_view(street):
    with office() as desk:
        told = [role for role in Role if role is not Role.PUBLIC]
        who = {role: street.wish(f"{desk.url}&{role.slug}", audience=role.slug) for role in told}
        far = street.wish(
            f"{desk.url}&far",
            area_id=street.rows("select area_id from onemap.area where code = 'V2'")[0]["area_id"],
        )
        street.register("s", category="domestic", report="secret quarrel")
        for number in range(11):
            street.register(str(number), report="a bin burns")
        street.spread()
        for to in (*who.values(), far):
            street.deliver(to)
    got = {
        role: [json.loads(body) for headers, body in desk.got if headers["path"].endswith(role.slug)]
        for role in told
    }
    assert {role: len(found) for role, found in got.items()} == {
        Role.ROOM: 11, Role.ANALYST: 11, Role.PLANNER: 11, Role.DISPATCHER: 12, Role.ADMIN: 12,
    }  # fmt: skip
    everything = str(desk.got)
    assert "burns" not in everything
    assert "quarrel" not in everything
    assert "10.025" not in everything
    assert not [headers for headers, _ in desk.got if headers["path"].endswith("far")]


@pytest.mark.parametrize(
    "change", ["category = 'domestic' where case_id = 1", "merged_into = 2, merged_at = now() where case_id = 1"]
)
def test_what_has_become_sensitive_while_it_waited_is_sent_to_those_alone_who_see_such_points(street, change):
    with office() as desk:
        who = {
            role: street.wish(f"{desk.url}&{role.slug}", audience=role.slug)
            for role in (Role.ROOM, Role.DISPATCHER)
        }
        street.register("1")
        street.register("2", category="domestic")
        street.spread()
        street.rows(f"update onemap.case_file set {change} returning 1")
        for to in who.values():
            street.deliver(to)
    paths = [headers["path"] for headers, _ in desk.got]
    assert len([path for path in paths if path.endswith("dispatcher")]) == 2
    assert not [path for path in paths if path.endswith("room")]
    assert street.log(who[Role.ROOM]) == [("dead", "it is not for that audience any more")]


def test_a_name_of_a_closed_network_is_not_gone_to(street):
    street.settings = PushSettings()
    with office() as desk:
        to = street.wish(f"http://localhost:{desk.port}/")
        street.register()
        street.spread()
        street.deliver(to)
        assert desk.got == []
    assert street.log(to) == [("failed", "the address is of a closed network")]


def test_what_waits_for_a_subscription_that_has_ended_is_not_sent_and_its_address_is_forgotten(street):
    with office() as desk:
        to = street.wish(desk.url)
        street.register()
        street.spread()
        street.desk.run(subscription.end(to, AT))
        street.connection.commit()
        street.deliver(to)
        assert desk.got == []
    assert street.log(to) == [("dead", "the subscription has ended")]
    (kept,) = street.rows("select address, secret from onemap.subscription")
    assert (kept["address"], kept["secret"]) == (None, None)


def test_old_news_is_forgotten_while_what_waits_stays_and_the_log_too(street):
    with office() as desk:
        desk.answers = [200, 400]
        to, feed = street.wish(desk.url), street.wish(None, "cap")
        for key in "12":
            street.register(key)
        street.spread()
        street.deliver(to)
        street.deliver(feed)
    courier.forget(street.connection, AT + timedelta(days=30))
    assert [row["subscription_id"] for row in street.rows("select subscription_id from onemap.delivery")] == [to]
    assert street.rows("select from onemap.cap_alert") == []
    assert len(street.log(to)) == 2


def test_the_log_is_only_added_to(street):
    with pytest.raises(Exception, match="only added to"):
        street.connection.execute("delete from onemap.delivery_log")
    street.connection.rollback()


def test_an_alert_of_a_feed_is_there_once_for_its_audience_and_area(street):
    room = street.wish(None, "cap", topics=["registered"])
    for number in range(10):
        street.register(str(number))
    street.spread()
    for to in (room, room):
        street.deliver(to)
    found = street.rows(
        "select audience, count(*) as n, bool_and(content ? 'case') as named from onemap.cap_alert group by 1 order by 1"
    )
    assert [tuple(row.values()) for row in found] == [("room", 10, True)]


def test_there_is_no_subscription_of_single_events_for_the_public(street):
    with pytest.raises(CheckViolation, match="subscription_of_single_events"):
        street.wish(None, "cap", audience="public")
    street.connection.rollback()
