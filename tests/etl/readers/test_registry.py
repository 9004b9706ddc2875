import typing

from etl.readers.registry import READERS, read
from etl.spec import FEEDS, Source
from tests.workshop import INCIDENTS, call


def test_every_format_of_files_that_a_source_may_declare_has_a_reader():
    every = set(typing.get_args(Source.model_fields["format"].annotation))
    assert set(READERS) == every - FEEDS - {"push"}


def test_only_the_columns_that_the_source_names_enter(shop):
    shop.csv("calls.csv", [call(1, phone="13800000000")])
    reading = read(shop.source(INCIDENTS), shop.folder / "calls.csv")
    assert reading.path == shop.folder / "calls.csv"
    assert "phone" not in reading.whole().table.column_names
