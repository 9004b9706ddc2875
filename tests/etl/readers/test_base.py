import pytest

from etl.readers.base import existing, require, sha256
from layers.core.errors import MissingColumn, UnreadableFile


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UnreadableFile, match=r"none\.csv: there is no such file"):
        existing(tmp_path / "none.csv")
    with pytest.raises(UnreadableFile, match="there is no such file"):
        existing(tmp_path)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    with pytest.raises(MissingColumn, match=r"f\.csv: there is no column 'lng'; it has lon, lat") as caught:
        require(tmp_path / "f.csv", ["lon", "lng"], ["lon", "lat"])
    assert caught.value.context["column"] == "lng"


def test_a_column_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="column 'a' stands 2 times"):
        require(tmp_path / "f.csv", ["a"], ["a", "b", "a"])


def test_a_hash_is_that_of_the_bytes(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
