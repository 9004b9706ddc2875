from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from etl.feed_options import FeedOptions

ON = {"url": "https://feed.example/v2", "watermark": "at", "begin": "2025-01-01"}
JSON = ON | {"since_param": "start", "until_param": "end"}
PAGED = JSON | {"paging": "page", "page_param": "no"}


def options(**values):
    return FeedOptions.model_validate(values)


def test_lengths_of_time_and_days_are_read_as_text_or_as_toml_has_them():
    found = options(**ON | {"overlap": "36h", "window": "90d"})
    assert (found.begin, found.overlap, found.window) == (
        date(2025, 1, 1),
        timedelta(hours=36),
        timedelta(days=90),
    )
    assert options(**ON | {"begin": date(2025, 1, 1)}).begin == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"url": "ftp://feed.example"}, "url", "begins with https://"),
        ({"url": "file:///etc/passwd"}, "url", "begins with https://"),
        ({"url": "https://me:secret@feed.example"}, "url", "holds no password"),
        ({"overlap": "2 days"}, "overlap", "'2 days' is no length of time"),
        ({"window": "0d"}, "window", "greater than 0"),
        ({"begin": "2025-13-01"}, "begin", "month must be in 1..12"),
        ({"page_size": 0}, "page_size", "greater than or equal to 1"),
        ({"paging": "scroll"}, "paging", "'page', 'offset', 'cursor' or 'next'"),
        ({"colour": "red"}, "colour", "Extra inputs"),
        ({"begin": None}, "", "begin: a feed with a watermark needs a day"),
        ({"watermark": None}, "", "begin: only a feed with a watermark"),
        ({"body": {"a": 1}}, "", "body: only a POST has one"),
    ],
)
def test_an_option_that_cannot_be_followed_is_named(changes, key, said):
    with pytest.raises(ValidationError) as caught:
        options(**{k: v for k, v in (ON | changes).items() if v is not None})
    first = caught.value.errors()[0]
    assert ".".join(map(str, first["loc"])) == key
    assert said in first["msg"]


@pytest.mark.parametrize(
    ("kind", "mode", "values", "said"),
    [
        ("open311", "append", ON, None),
        ("open311", "append", ON | {"since_param": "updated_after"}, None),
        ("open311", "append", {"url": ON["url"]}, "watermark: open311 cannot be read whole"),
        ("open311", "append", ON | {"window": "91d"}, "window: open311 answers for 90 days at most"),
        ("open311", "append", ON | {"items": "data"}, "items: open311 has no use for it"),
        ("arcgis", "append", ON, None),
        ("arcgis", "snapshot", {"url": ON["url"]}, None),
        ("arcgis", "snapshot", ON, "watermark: a snapshot is read whole"),
        ("arcgis", "append", ON | {"since_param": "start"}, "since_param: arcgis has no use for it"),
        ("ogcapi", "append", ON | {"method": "POST"}, "method: ogcapi has no use for it"),
        ("json", "append", JSON, None),
        ("json", "append", PAGED, None),
        ("json", "append", ON, "since_param: it goes together with watermark"),
        (
            "json",
            "append",
            {"url": ON["url"], "until_param": "end"},
            "until_param: it goes together with since_param",
        ),
        (
            "json",
            "append",
            PAGED | {"until_param": None},
            "until_param: a feed paged by page is asked for closed windows",
        ),
        ("json", "append", PAGED | {"page_param": None}, "page_param: paging by page needs it"),
        ("json", "append", JSON | {"page_param": "no"}, "page_param: a feed without paging has no use for it"),
        ("json", "append", JSON | {"paging": "next"}, "next: paging by next needs it"),
        ("json", "append", PAGED | {"next": "data.next"}, "next: paging by page has no use for it"),
    ],
)
def test_what_a_kind_of_feed_lacks_or_has_no_use_for_is_named(kind, mode, values, said):
    found = list(options(**{k: v for k, v in values.items() if v is not None}).misfits(kind, mode, keyed=True))
    assert found == [] if said is None else any(line.startswith(said) for line in found)


def test_what_is_read_again_needs_a_key():
    assert list(options(**ON).misfits("arcgis", "append", keyed=False)) == [
        "watermark: what is read again is known by its key, and there is none"
    ]
