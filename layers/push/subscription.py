"""A subscription: which news an office is sent, where to, for what audience, and when it is not disturbed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from layers.core.audience import Audience, Role
from layers.core.errors import BadValue
from layers.core.statement import Statement
from layers.push.news import News
from layers.records.personal import find

Kind = Literal["webhook", "mail", "cap"]

_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_NUMBER = re.compile(r"\+?\d[\d._-]{4,}")
_LONGEST = 2000
_TRANSLATED = ip_network("64:ff9b::/96")  # an address of IPv4 behind a translator, whichever that is


@dataclass(frozen=True)
class Quiet:
    """Hours of each local day in which nothing is sent: from `start` up to, without, `end`, also over midnight."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """From a text like 22:00-07:00.

        Raises
        ------
        BadValue : it is not like that, or spans no time.
        """
        try:
            start, end = map(time.fromisoformat, text.split("-"))
        except ValueError as exc:
            raise BadValue(f"--quiet: '{text[:40]}' is not like 22:00-07:00", parameter="quiet") from exc
        if start == end or start.tzinfo or end.tzinfo:
            raise BadValue(f"--quiet: '{text[:40]}' is no span of hours", parameter="quiet")
        return cls(start, end)

    def over(self, at: datetime, zone: ZoneInfo) -> datetime:
        """`at`, or where that is quiet the moment at which it no longer is."""
        local = at.astimezone(zone)
        now = local.time()
        inside = self.start <= now < self.end if self.start < self.end else not (self.end <= now < self.start)
        if not inside:
            return at
        day = local.date() if now < self.end else local.date() + timedelta(days=1)
        return datetime.combine(day, self.end, zone).astimezone(UTC)


@dataclass(frozen=True)
class Subscription:
    """One office's wish; what is empty or none does not restrict it. zones : bits of the zone types.

    audience : whose view the news is; its area is that of the subscription.
    digest : mails gather what comes within such a time.  since : news of before is none.
    """

    subscription_id: int
    kind: Kind
    address: str | None
    secret: str | None
    audience: Audience
    categories: frozenset[str]
    zones: int
    topics: frozenset[str]
    language: Literal["zh", "en"]
    quiet: Quiet | None
    red_passes: bool
    digest: timedelta
    since: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], zone_bits: Mapping[str, int]) -> Self:
        """From a row of `living`, in a city whose zone types have those bits."""
        zones = sum(1 << zone_bits[code] for code in row["zone_types"] if code in zone_bits)
        return cls(
            row["subscription_id"],
            row["kind"],
            row["address"],
            row["secret"],
            Audience(Role[row["audience"].upper()], row["area_id"]),
            frozenset(row["categories"]),
            zones,
            frozenset(row["topics"]),
            row["language"],
            None if row["quiet_from"] is None else Quiet(row["quiet_from"], row["quiet_to"]),
            row["red_passes"],
            timedelta(minutes=row["digest_min"]),
            row["created_at"],
        )

    def told(self, news: News) -> dict[str, Any] | None:
        """What it is told of the news; none where that is not what it wants, or not for its audience."""
        wanted = (
            news.topic in self.topics
            and news.at >= self.since
            and (not self.categories or news.category in self.categories)
            and (self.zones == 0 or news.zones & self.zones)
        )
        return news.told(self.audience) if wanted else None

    def opens(self, at: datetime, zone: ZoneInfo, *, urgent: bool) -> datetime:
        """`at`, or the end of the quiet hours that it falls into; urgent news may pass them."""
        if self.quiet is None or (urgent and self.red_passes):
            return at
        return self.quiet.over(at, zone)

    def first(self, at: datetime, zone: ZoneInfo, *, urgent: bool) -> datetime:
        """When news of `at` is first sent: mails wait for the end of their digest's time, urgent ones do not."""
        if self.kind == "mail" and self.digest and not urgent:
            at += self.digest - (at - datetime.min.replace(tzinfo=UTC)) % self.digest
        return self.opens(at, zone, urgent=urgent)


def check_url(url: str, *, private: bool) -> None:
    """Refuse an address that no webhook may have; `private` allows plain HTTP and addresses of closed networks.

    Raises
    ------
    BadValue : it is no such URL, carries credentials, or names a closed network.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise BadValue("address: this is no URL", parameter="address") from exc
    if not host or len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise BadValue("address: this is no URL of a webhook", parameter="address")
    if parts.username is not None or parts.password is not None:
        raise BadValue("address: a URL may not carry credentials; bodies are signed", parameter="address")
    if parts.fragment:
        raise BadValue("address: a fragment is never sent", parameter="address")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise BadValue("address: it has to begin with https://", parameter="address")
    if not private and (closed(host) or host.lower().rstrip(".").endswith(("localhost", ".local", ".internal"))):
        raise BadValue("address: it names a closed network; see ONEMAP_PUSH__PRIVATE_TARGETS", parameter="address")


def closed(host: str) -> bool:
    """Whether a host is written as an address that is not of the open Internet."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None) or found
    if found in _TRANSLATED:
        return True
    return not (found.is_global and inner.is_global) or found.is_multicast or inner.is_multicast


def check_mailbox(address: str, offices: Sequence[str]) -> None:
    """Refuse what is no mailbox of an office; `offices` are domains, or whole mailboxes, as the city names them.

    Raises
    ------
    BadValue : it is none, it is a number, as telephones and accounts of persons are, or it is of no such office.
    """
    if not _MAILBOX.fullmatch(address):
        raise BadValue(f"address: '{address[:80]}' is no mailbox", parameter="address")
    local, _, domain = address.lower().rpartition("@")
    if _NUMBER.fullmatch(local) or find(local):
        raise BadValue("address: a mailbox that is a number is a person's; give the office's", parameter="address")
    if not offices:
        raise BadValue(
            "address: city.toml has no office_mail, which names the domains of offices", parameter="address"
        )
    if not any(f".{domain}".endswith(f".{each}") or f"{local}@{domain}" == each for each in offices):
        known = ", ".join(offices)
        raise BadValue(
            f"address: {domain[:80]} is no office's; office_mail in city.toml has {known}", parameter="address"
        )


def living() -> Statement:
    """All subscriptions that have not ended, with their secrets: for the worker alone."""
    return Statement("select * from onemap.subscription where ended_at is null order by subscription_id")


def add(given: Mapping[str, Any]) -> Statement:
    """Add one: its number."""
    return Statement(
        """insert into onemap.subscription (kind, address, secret, audience, area_id, categories, zone_types,
          topics, language, quiet_from, quiet_to, red_passes, digest_min, note, created_at)
        values (%(kind)s, %(address)s, %(secret)s, %(audience)s, %(area_id)s, %(categories)s, %(zone_types)s,
          %(topics)s, %(language)s, %(quiet_from)s, %(quiet_to)s, %(red_passes)s, %(digest_min)s, %(note)s, %(at)s)
        returning subscription_id""",
        dict(given),
    )


def end(subscription_id: int, at: datetime) -> Statement:
    """End one, and forget its address and secret: its number; no row where there is none that lives."""
    return Statement(
        """update onemap.subscription set ended_at = %(at)s, address = null, secret = null
        where subscription_id = %(id)s and ended_at is null returning subscription_id""",
        {"id": subscription_id, "at": at},
    )


def listed() -> Statement:
    """All of them, without secrets: what each wants, and how many pieces of news wait, were sent and are dead."""
    return Statement(
        """select subscription.subscription_id, kind, address, audience, area.code as area, categories, zone_types,
          topics, language, quiet_from, quiet_to, red_passes, note, created_at, ended_at, told.waiting, told.sent,
          told.dead
        from onemap.subscription left join onemap.area using (area_id), lateral (
          select count(*) filter (where outcome is null) as waiting,
            count(*) filter (where outcome = 'sent') as sent,
            count(*) filter (where outcome = 'dead') as dead
          from onemap.delivery where delivery.subscription_id = subscription.subscription_id
        ) told order by 1"""
    )


def logged(subscription_id: int | None, limit: int) -> Statement:
    """The last attempts, newest first: at, subscription_id, delivery_id, key, attempt, outcome, detail."""
    return Statement(
        """select log.at, log.subscription_id, log.delivery_id, delivery.key, log.attempt, log.outcome, log.detail
        from onemap.delivery_log log left join onemap.delivery using (delivery_id)
        where %(id)s::bigint is null or log.subscription_id = %(id)s
        order by log.delivery_log_id desc limit %(limit)s""",
        {"id": subscription_id, "limit": limit},
    )


def bits(zone_types: Sequence[str]) -> dict[str, int]:
    """The bit of each zone type, which is its place in the city's list."""
    return {code: bit for bit, code in enumerate(zone_types)}
