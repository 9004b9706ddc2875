import stat
import tempfile
import zipfile

import pytest

from etl.readers import archive
from etl.readers.archive import unpacked
from layers.core.errors import UnreadableFile

SUFFIXES = (".shp", ".dbf")


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    (folder := tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


def packed(folder, members, **options):
    path = folder / "f.zip"
    with zipfile.ZipFile(path, "w", **options) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def refused(path, said, layer=None):
    with (
        pytest.raises(UnreadableFile, match=rf"f\.zip: this zip archive .*{said}"),
        unpacked(path, SUFFIXES, layer),
    ):
        pass


def test_the_parts_of_the_one_dataset_come_under_names_of_the_house(tmp_path):
    path = packed(
        tmp_path, {"a/x.SHP": "1", "a/x.dbf": "2", "a/x.exe": "3", "b/x.dbf": "4", "__MACOSX/a/._x.shp": "5"}
    )
    with unpacked(path, SUFFIXES, None) as (folder, name):
        assert {part.name: part.read_text() for part in folder.iterdir()} == {"data.shp": "1", "data.dbf": "2"}
        assert name == "a/x.SHP"


@pytest.mark.parametrize("layer", ["y", "b/y", "b/y.shp"])
def test_a_layer_names_one_of_several(tmp_path, layer):
    with unpacked(packed(tmp_path, {"a/x.shp": "1", "b/y.shp": "2"}), SUFFIXES, layer) as (folder, name):
        assert (folder / "data.shp").read_text() == "2"
        assert name == "b/y.shp"


def test_which_dataset_is_meant_must_be_clear(tmp_path):
    path = packed(tmp_path, {"a/x.shp": "1", "b/x.shp": "2"})
    refused(path, "'layer' must name one dataset of those in it: a/x.shp, b/x.shp")
    refused(path, "there is more than one 'x' in it", "x")
    refused(path, "there is no 'y' in it; it holds a/x.shp, b/x.shp", "y")
    refused(packed(tmp_path, {"readme.txt": "1"}), "of those in it: none")


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_a_name_of_whatever_writer_is_never_garbled(tmp_path, codec):
    path = packed(tmp_path, {"XXXXXXXX.shp"[: len("网格".encode(codec))] + ".shp": "1"})
    raw = path.read_bytes().replace(b"X" * len("网格".encode(codec)), "网格".encode(codec))
    path.write_bytes(raw)
    with unpacked(path, SUFFIXES, "网格") as (_, name):
        assert name == "网格.shp"


@pytest.mark.parametrize("name", ["../x.shp", "a/../../x.shp", "/x.shp", "..\\x.shp"])
def test_a_way_out_of_the_folder_is_refused(tmp_path, name):
    refused(packed(tmp_path, {"x.shp": "1", name: "2"}), "would leave the folder")
    assert {path.name for path in tmp_path.iterdir()} == {"f.zip", "scratch"}


def test_a_symbolic_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("x.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(packed(tmp_path, {link: "/etc/passwd"}), "member 'x.shp' is a symbolic link")


def test_an_archive_in_the_archive_is_refused(tmp_path):
    refused(packed(tmp_path, {"x.shp": "1", "y.ZIP": "2"}), "member 'y.ZIP' is an archive in the archive")


def test_an_encrypted_member_is_refused(tmp_path):
    path = packed(tmp_path, {"x.shp": "1"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    refused(path, "member 'x.shp' is encrypted")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = packed(tmp_path, {"x.shp": bytes(1 << 22)}, compression=zipfile.ZIP_DEFLATED)
    refused(path, "more than 100 times its size, like a zip bomb")
    monkeypatch.setattr(archive, "_UNPACKED_BYTES", 1 << 20)
    refused(path, "it would unpack to 4194304 bytes, and 1048576 are the most")


def test_a_member_that_is_longer_than_it_says_is_refused(tmp_path):
    path = packed(tmp_path, {"x.shp": bytes(1 << 16)}, compression=zipfile.ZIP_DEFLATED)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(raw)
    refused(path, "cannot be read: Bad CRC-32")


def test_too_many_members_are_refused(tmp_path):
    refused(packed(tmp_path, {f"{n}.txt": "" for n in range(201)}), "it has 201 members, and 200 are the most")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_archive_is_refused(tmp_path, share):
    path = packed(tmp_path, {"x.shp": "1" * 100})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path, "cannot be read: File is not a zip file")
