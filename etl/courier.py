"""The courier: spreads news over subscriptions, once each, and brings every piece to its address.

Spreading moves a cursor over the outbox in the transaction that writes deliveries: none is spread twice or lost.
A delivery is held by its row's lock while it is sent, and what became of it is written down after that. So it is
sent at least once: a worker that dies between the answer and its note has it sent again, under the same
Idempotency-Key.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import orjson
import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from etl.senders import mail, webhook
from etl.senders.outcome import Outcome
from layers.cases.workflow import workflows
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.errors import BadValue
from layers.core.settings import PushSettings
from layers.push import news, subscription
from layers.push.news import News
from layers.push.subscription import Subscription
from layers.push.words import Words

_log = logging.getLogger(__name__)

Connection = psycopg.Connection[DictRow]

MOST_ATTEMPTS = 12
"""What was tried so often is dead; with the pauses between them that takes more than a day."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 6 * 3600.0
SHOWN = timedelta(days=1)
"""So long an alert of a feed is shown."""
_BATCH = 500
_MAILED = 200

_CURSOR = "select seq from onemap.delivery_cursor for update"
_WRITE = """insert into onemap.delivery (subscription_id, key, at, urgent, content, area_ids, next_at)
values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing"""
_NEWS = """select exists (select from onemap.outbox where topic in ('case', 'reminder')
  and seq > (select seq from onemap.delivery_cursor)) or not exists (select from onemap.delivery_cursor) as so"""
_DUE = "select distinct subscription_id from onemap.delivery where outcome is null and next_at <= %s"
_CLAIM = """select delivery_id, key, at, urgent, content, area_ids, attempts,
  onemap.is_plain((content ->> 'case')::bigint) as plain from onemap.delivery
where subscription_id = %s and outcome is null and next_at <= %s order by delivery_id limit %s
for update skip locked"""


def has_news(connection: Connection) -> bool:
    """Whether there is something to spread."""
    found = connection.execute(_NEWS).fetchone()
    return bool(found and found["so"])


def due(connection: Connection, at: datetime) -> list[int]:
    """The subscriptions for which something is to be sent."""
    return [row["subscription_id"] for row in connection.execute(_DUE, [at])]


def forget(connection: Connection, before: datetime) -> None:
    """Drop news that ended before that time; what was tried stays in the log."""
    connection.execute("delete from onemap.cap_alert where expires_at < %s", [before])
    connection.execute(
        """delete from onemap.delivery where outcome is not null and next_at < %s
        and not exists (select from onemap.cap_alert where cap_alert.delivery_id = delivery.delivery_id)""",
        [before],
    )


def pause(attempts: int) -> timedelta:
    """How long is waited after so many attempts."""
    return timedelta(seconds=min(FIRST_PAUSE_S * 2 ** (attempts - 1), LONGEST_PAUSE_S))


@dataclass(frozen=True)
class Courier:
    """Brings a city's news out; `connection` is the owner's, its transactions are the courier's."""

    connection: Connection
    city: City
    clock: Clock
    settings: PushSettings

    def spread(self) -> int:
        """Write down for each subscription the next news that it wants; how many events were looked at."""
        with self.connection.transaction():
            self.connection.execute(news.begin().sql.encode())
            cursor = self.connection.execute(_CURSOR).fetchone()
            living = self._living()
            asked = news.after(cursor["seq"] if cursor else 0, _BATCH)
            rows = self.connection.execute(asked.sql.encode(), asked.params).fetchall()
            deliveries = [made for row in rows for made in self._wanted(News.of(row), living)]
            with self.connection.cursor() as writing:
                writing.executemany(_WRITE, deliveries)
            if rows:
                self.connection.execute("update onemap.delivery_cursor set seq = %s", [rows[-1]["seq"]])
        return len(rows)

    def deliver(self, subscription_id: int) -> bool:
        """Send the next of what waits for a subscription; false where nothing does for now."""
        now = self.clock.now()
        with self.connection.transaction():
            to = next((each for each in self._living() if each.subscription_id == subscription_id), None)
            most = _MAILED if to is not None and to.kind == "mail" else 1
            rows = self.connection.execute(_CLAIM, [subscription_id, now, most]).fetchall()
            if not rows:
                return False
            if to is None:
                self._note(
                    subscription_id, rows, Outcome(sent=False, detail="the subscription has ended"), dead=True
                )
                return True
            told = [row for row in rows if row["plain"] or to.audience.policy.sensitive_points]
            if len(told) < len(rows):
                secret = [row for row in rows if row not in told]
                self._note(
                    subscription_id,
                    secret,
                    Outcome(sent=False, detail="it is not for that audience any more"),
                    dead=True,
                )
            open_ = [row for row in told if not self._held(to, row, now)]
            if not open_:
                return True
            outcome = self._tried(to, open_, now)
            self._note(subscription_id, open_, outcome)
            return outcome.sent or outcome.theirs

    def _living(self) -> list[Subscription]:
        bits = subscription.bits([zone.code for zone in self.city.zone_types])
        return [Subscription.of(row, bits) for row in self.connection.execute(subscription.living().sql.encode())]

    def _wanted(self, one: News, living: Sequence[Subscription]) -> list[list[Any]]:
        now = self.clock.now()
        found = []
        for each in living:
            said = each.told(one)
            if said is not None:
                first = each.first(now, self.city.zone, urgent=one.urgent)
                areas = sorted(one.area_ids)
                found.append([each.subscription_id, one.key, one.at, one.urgent, Jsonb(said), areas, first])
        return found

    def _held(self, to: Subscription, row: DictRow, now: datetime) -> bool:
        """Whether quiet hours have begun meanwhile; then it waits for their end."""
        later = to.opens(now, self.city.zone, urgent=row["urgent"])
        if later > now:
            self.connection.execute(
                "update onemap.delivery set next_at = %s where delivery_id = %s", [later, row["delivery_id"]]
            )
        return later > now

    def _tried(self, to: Subscription, rows: Sequence[DictRow], now: datetime) -> Outcome:
        """Send; what cannot even be made into a message is an attempt too, or it would be tried for ever."""
        try:
            return self._send(to, rows, now)
        except psycopg.Error:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the news must not be tried for ever
            _log.exception("news could not be sent", extra={"subscription": to.subscription_id})
            return Outcome(sent=False, detail="something went wrong here; it is in the worker's log", theirs=True)

    def _send(self, to: Subscription, rows: Sequence[DictRow], now: datetime) -> Outcome:
        if to.kind == "webhook":
            body = self._body(to, rows[0])
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "onemap",
                "Idempotency-Key": str(rows[0]["delivery_id"]),
                "Onemap-Signature": webhook.sign(to.secret or "", now, body),
            }
            return webhook.post(to.address or "", body, headers, private=self.settings.private_targets)
        if to.kind == "mail":
            try:  # what was an office's when it was added may be none by now
                subscription.check_mailbox(to.address or "", self.city.office_mail)
            except BadValue as exc:
                return Outcome(sent=False, detail=str(exc), theirs=True)
            server = self.settings.smtp_url
            return mail.send(None if server is None else server.get_secret_value(), self._mail(to, rows, now))
        self.connection.execute(
            """insert into onemap.cap_alert (delivery_id, audience, area_ids, sent_at, expires_at, content)
            values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
            [rows[0]["delivery_id"], to.audience.role.slug, rows[0]["area_ids"], now, now + SHOWN,
             Jsonb(rows[0]["content"])],
        )  # fmt: skip
        return Outcome(sent=True, detail="shown in the feed")

    def _body(self, to: Subscription, row: DictRow) -> bytes:
        said = {"id": row["delivery_id"], "city": self.city.code, "subscription": to.subscription_id}
        return orjson.dumps(said | row["content"] | {"text": self._words.line(row["content"], to.language)})

    def _mail(self, to: Subscription, rows: Sequence[DictRow], now: datetime) -> EmailMessage:
        """All of them in one mail; the same ones are the same mail by its Message-ID."""
        zh, count = to.language == "zh", len(rows)
        lines = [self._words.line(row["content"], to.language) for row in rows]
        message = EmailMessage()
        name = self.city.name.zh if zh else self.city.name.en
        message["Subject"] = f"[{name}] {count} 条通知" if zh else f"[{name}] {count} notice{'s' * (count > 1)}"
        message["From"] = Address(addr_spec=self.settings.mail_from)
        message["To"] = Address(addr_spec=to.address or "")
        message["Date"] = now
        message["Message-ID"] = f"<{rows[0]['delivery_id']}.{rows[-1]['delivery_id']}@{self.city.code}.onemap>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n".join(lines) + "\n")
        return message

    @property
    def _words(self) -> Words:
        return Words.of(self.city, workflows(self.city.folder))

    def _note(self, to: int, rows: Sequence[DictRow], outcome: Outcome, *, dead: bool = False) -> None:
        """Write down what became of an attempt; where the address fails, all that waits for it waits on."""
        now = self.clock.now()
        for row in rows:
            attempt = row["attempts"] + 1
            ends = "sent" if outcome.sent else "dead" if dead or attempt >= MOST_ATTEMPTS else None
            self.connection.execute(
                """update onemap.delivery set attempts = %s, outcome = %s, next_at = %s where delivery_id = %s""",
                [attempt, ends, now if outcome.sent else now + pause(attempt), row["delivery_id"]],
            )
            self.connection.execute(
                """insert into onemap.delivery_log (at, subscription_id, delivery_id, attempt, outcome, detail)
                values (%s, %s, %s, %s, %s, %s)""",
                [now, to, row["delivery_id"], attempt, ends or "failed", outcome.detail],
            )
        if not (outcome.sent or outcome.theirs or dead):
            self.connection.execute(
                """update onemap.delivery set next_at = greatest(next_at, %s)
                where subscription_id = %s and outcome is null""",
                [now + pause(rows[0]["attempts"] + 1), to],
            )
