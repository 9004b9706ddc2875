"""Alerts as the Common Alerting Protocol has them (OASIS CAP 1.2), and the Atom feed that lists them.

A community office's screen shows the feed. An alert tells what the room was told, in both languages, and expires;
it names an area by its code, and a circle around the cell.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from layers.catalog.city import City
from layers.core.statement import Statement
from layers.geo import hexgrid
from layers.push.words import Language, Words
from layers.records.personal import printable

CAP, ATOM = "urn:oasis:names:tc:emergency:cap:1.2", "http://www.w3.org/2005/Atom"
CAP_TYPE, ATOM_TYPE = "application/cap+xml", "application/atom+xml"
MOST = 100
"""Alerts of a feed; the newest are there."""

_URGENCY = {"red": "Immediate", "overdue": "Expected", "warn": "Future"}
_SEVERITY = {"red": "Moderate", "overdue": "Minor"}
_RESTRICTION = "For the command room and community offices; not for the public."
_LONGEST_HEADLINE = 160
_LANGUAGES: tuple[tuple[Language, str], ...] = (("zh", "zh-CN"), ("en", "en"))

_ALERTS = """select alert.delivery_id, alert.sent_at, alert.expires_at, alert.content,
  named.name_zh, named.name_en
from onemap.cap_alert alert left join lateral (
  select name_zh, name_en from onemap.area
  where area.area_id = any (alert.area_ids) and area.code = alert.content ->> 'area' limit 1
) named on true
where onemap.is_plain((alert.content ->> 'case')::bigint)"""


def current(at: datetime) -> Statement:
    """Alerts that have not expired, newest first, as `Crier` reads them."""
    return Statement(
        f"""{_ALERTS} and expires_at > %(at)s and sent_at <= %(at)s
        order by sent_at desc, delivery_id desc limit %(n)s""",
        {"at": at, "n": MOST},
    )


def one(alert_id: int) -> Statement:
    """The same of one alert, also after it has expired."""
    return Statement(f"{_ALERTS} and alert.delivery_id = %(id)s", {"id": alert_id})


@dataclass(frozen=True)
class Crier:
    """Makes a city's alerts and its feed of rows of `current`."""

    city: City
    words: Words

    def alert(self, row: Mapping[str, Any]) -> bytes:
        """One alert as XML."""
        root = Element("alert", xmlns=CAP)
        _put(
            root,
            identifier=self._identifier(row),
            sender=f"onemap.{self.city.code}",
            sent=_time(row["sent_at"]),
        )
        _put(root, status="Actual", msgType="Alert", scope="Restricted", restriction=_RESTRICTION)
        for language, tag in _LANGUAGES:
            self._info(SubElement(root, "info"), row, language, tag)
        return _bytes(root)

    def feed(self, rows: Sequence[Mapping[str, Any]], url: str, language: Language, now: datetime) -> bytes:
        """The Atom feed of alerts; `url` is where the feed is, and alerts beside it."""
        root = Element("feed", xmlns=ATOM)
        name = self.city.name.zh if language == "zh" else self.city.name.en
        updated = max((row["sent_at"] for row in rows), default=now)
        _put(root, id=url, title=name, updated=_time(updated))
        SubElement(root, "link", rel="self", href=url, type=ATOM_TYPE)
        for row in rows:
            entry = SubElement(root, "entry")
            href = f"{url.rpartition('/')[0]}/{row['delivery_id']}.xml"
            line = self.words.line(row["content"], language)
            _put(entry, id=href, title=line, updated=_time(row["sent_at"]))
            SubElement(SubElement(entry, "author"), "name").text = name
            SubElement(entry, "link", rel="alternate", href=href, type=CAP_TYPE)
        return _bytes(root)

    def _identifier(self, row: Mapping[str, Any]) -> str:
        return f"onemap.{self.city.code}.{row['delivery_id']}"

    def _info(self, info: Element, row: Mapping[str, Any], language: Language, tag: str) -> None:
        content, line = row["content"], self.words.line(row["content"], language)
        event = self.words.category(content, language)
        _put(info, language=tag, category="Other", event=event, responseType="Monitor")
        urgency, severity = (known.get(content["what"], "Unknown") for known in (_URGENCY, _SEVERITY))
        _put(info, urgency=urgency, severity=severity, certainty="Observed", expires=_time(row["expires_at"]))
        name = self.city.name.zh if language == "zh" else self.city.name.en
        _put(info, senderName=name, headline=line[:_LONGEST_HEADLINE], description=line)
        area = SubElement(info, "area")
        _put(area, areaDesc=row[f"name_{language}"] or name)
        _put(area, circle=f"{content['lat']:.5f},{content['lon']:.5f} {self._radius_km(content):.3f}")
        if content.get("area"):
            code = SubElement(area, "geocode")
            _put(code, valueName="onemap.area", value=content["area"])

    def _radius_km(self, content: Mapping[str, Any]) -> float:
        """From the centre of the cell to its corners."""
        cell = hexgrid.at(content["lon"], content["lat"], self.city.base_resolution)
        size_m2 = float(hexgrid.area_m2(np.array([cell], np.uint64))[0])
        return math.sqrt(2 * size_m2 / (3 * math.sqrt(3))) / 1000


def _put(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = printable(text)


def _time(at: datetime) -> str:
    """Whole seconds with an offset, which CAP wants to be no Z."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat()


def _bytes(root: Element) -> bytes:
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text
