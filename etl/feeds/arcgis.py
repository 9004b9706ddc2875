"""Features of a layer of an ArcGIS FeatureServer or MapServer.

A window is asked for the ids of its features, then for the features by their ids. Offsets would shift when a
feature is changed meanwhile, and a server may lack paging and sorting; ids it has.

Source: https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from etl.feed_options import FeedOptions
from etl.feeds.client import Answer, Client, Params, explained, failure
from etl.feeds.esri import shape
from etl.feeds.page import Page, Record, Window
from etl.feeds.wording import EPOCH_MS, Wording, pick
from layers.core.errors import MissingColumn

_DATE = "esriFieldTypeDate"
_WGS84 = 4326


@dataclass(frozen=True)
class Layer:
    """A layer as a feed.

    id_field : the field of its object ids.
    columns : the fields that are taken.
    reference : the zone in which it reads times in a question; it answers in UTC.
    shaped : whether its features have shapes.
    most : how many features it answers at most.
    """

    client: Client
    options: FeedOptions
    wording: Wording
    id_field: str
    columns: tuple[str, ...]
    reference: ZoneInfo
    shaped: bool
    most: int
    closes: bool = True

    @property
    def url(self) -> str:
        """Where it is."""
        return self.options.url

    @property
    def crs(self) -> str | None:
        """What its shapes are in: what it was asked for, and says."""
        return f"EPSG:{_WGS84}" if self.shaped else None

    def question(self, window: Window) -> Params:
        """The condition that features of a window meet, ends included, in whole seconds."""
        column, parts = self.options.watermark, []
        if window.since is not None:
            parts.append(f"{column} >= TIMESTAMP '{self._written(window.since)}'")
        if window.until is not None:
            parts.append(f"{column} <= TIMESTAMP '{self._written(window.until + timedelta(seconds=1))}'")
        return {"where": " AND ".join(parts) or "1=1"}

    def pages(self, window: Window) -> Iterator[Page]:
        """Its features of a window, in the order of their ids.

        Raises
        ------
        FeedError : an answer lacks what it must have, or has a feature twice.
        """
        found = self._query({**self.question(window), "returnIdsOnly": "true"})
        ids = pick(found.value, "objectIds")
        if ids is None:  # so it says that there are none
            ids = []
        if not isinstance(ids, list) or not all(type(oid) is int for oid in ids):
            raise failure(self.url, "its answer has no list of whole numbers at 'objectIds'")
        rest = sorted(ids)
        while rest:
            page, answered, cut = self._features(rest[: self.most])
            if cut and not answered:
                raise failure(self.url, f"it cannot answer feature {rest[0]}: its transfer limit is too small")
            # Of what it left out for its limit, nothing is given up; the rest was deleted meanwhile.
            rest = [oid for oid in rest[: self.most] if cut and oid not in answered] + rest[self.most :]
            yield page

    def _features(self, ids: list[int]) -> tuple[Page, set[int], bool]:
        wanted = sorted({*self.columns, self.id_field, *filter(None, [self.options.watermark])})
        answer = self._query(
            {
                "objectIds": ",".join(map(str, ids)),
                "outFields": ",".join(wanted),
                "returnGeometry": str(self.shaped).lower(),
                "outSR": _WGS84,
            }
        )
        features = pick(answer.value, "features")
        if not isinstance(features, list):
            raise failure(self.url, "its answer has no list at 'features'")
        if self.shaped and features:
            self._check_reference(answer)
        oids = [pick(feature, f"attributes.{self.id_field}") for feature in features]
        if not all(type(oid) is int for oid in oids):
            raise failure(self.url, f"a feature of its answer has no whole number at '{self.id_field}'")
        answered, asked = Counter(oids), set(ids)
        if strange := [oid for oid, count in answered.items() if count > 1 or oid not in asked]:
            raise failure(
                self.url, f"feature {strange[0]} comes {answered[strange[0]]} times, or was not asked for"
            )
        page = Page([self._record(feature) for feature in features], answer.body)
        return page, set(answered), pick(answer.value, "exceededTransferLimit") is True

    def _record(self, feature: Any) -> Record:
        try:
            return Record.of(feature, pick(feature, "attributes"), shape(pick(feature, "geometry")))
        except ValueError as exc:
            return Record.of(feature, pick(feature, "attributes"), broken=str(exc))

    def _check_reference(self, answer: Answer) -> None:
        reference = pick(answer.value, "spatialReference")
        said = {pick(reference, "wkid"), pick(reference, "latestWkid")}
        if _WGS84 not in said:
            raise failure(self.url, f"its shapes are in {reference}, not in {_WGS84}, which it was asked for")

    def _query(self, params: Params) -> Answer:
        # By POST, since ids make long questions.
        url = f"{self.url.rstrip('/')}/query"
        return _told(self.client.post(url, form={"f": "json", **params}), url)

    def _written(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.reference):%Y-%m-%d %H:%M:%S}"


def arcgis(client: Client, options: FeedOptions, wording: Wording, taken: list[str]) -> Layer:
    """The layer, as it describes itself.

    Raises
    ------
    MissingColumn : it lacks a field that the TOML names.
    FeedError : it is no layer, or its watermark is no date.
    """
    said = _told(client.get(options.url, {"f": "json"}), options.url).value
    listed = pick(said, "fields")
    fields = {str(pick(f, "name")): pick(f, "type") for f in (listed if isinstance(listed, list) else [])}
    id_field = next((name for name, kind in fields.items() if kind == "esriFieldTypeOID"), None)
    if id_field is None:
        raise failure(options.url, "it is no layer with fields and object ids; its address ends in a number")
    for column in [*taken, *filter(None, [options.watermark])]:
        if column not in fields:
            names = ", ".join(fields)
            raise MissingColumn(f"{options.url}: there is no column '{column}'; it has {names}", column=column)
    if options.watermark and fields[options.watermark] != _DATE:
        raise failure(options.url, f"its field '{options.watermark}' is no date, so it cannot be read on by it")
    dates = {name: EPOCH_MS for name, kind in fields.items() if kind == _DATE}
    most = pick(said, "maxRecordCount")
    return Layer(
        client,
        options,
        Wording(wording.zone, dates),
        id_field,
        tuple(taken),
        _reference(said, wording.zone, options.url),
        shaped=pick(said, "geometryType") is not None,
        most=min(options.page_size, most if type(most) is int and most > 0 else options.page_size),
    )


def _told(answer: Answer, url: str) -> Answer:
    """The answer, unless it tells of a failure, which ArcGIS does with status 200."""
    if not isinstance(answer.value, dict) or "error" in answer.value:
        raise failure(url, f"it answers {explained(answer.value) or 'an error'}")
    return answer


def _reference(said: Any, zone: ZoneInfo, url: str) -> ZoneInfo:
    """The zone of times in questions: named by IANA, or by Windows, which is taken for the source's own."""
    reference = pick(said, "dateFieldsTimeReference")
    name = pick(reference, "timeZoneIANA")
    if name:
        try:
            return ZoneInfo(str(name))
        except (KeyError, ValueError, OSError) as exc:
            raise failure(url, f"its dates are in '{name}', which is no time zone") from exc
    return ZoneInfo("UTC") if pick(reference, "timeZone") in {None, "UTC"} else zone
