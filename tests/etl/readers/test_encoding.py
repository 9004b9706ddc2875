import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.readers import encoding as module
from etl.readers.encoding import encoding
from layers.core.errors import UnreadableFile

CHINESE = "编号,事项\n1,人民路与解放路口井盖破损，雨天积水严重\n2,市民反映夜间施工噪声扰民，请有关部门尽快处理\n"


def text(folder, content):
    path = folder / "f.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"a,b\n1,2\n", "UTF-8"),
        (CHINESE.encode(), "UTF-8"),
        (CHINESE.encode("utf-8-sig"), "UTF-8 with BOM"),
        (CHINESE.encode("gb18030"), "GB18030"),
        (CHINESE.encode("utf-16"), "UTF-16LE with BOM"),
        (b"\xfe\xff" + CHINESE.encode("utf-16-be"), "UTF-16BE with BOM"),
        ("a\n𠮷家\n".encode("gb18030"), "GB18030"),  # four bytes a character
    ],
)
def test_the_encoding_is_found_and_named(tmp_path, content, name):
    assert encoding(text(tmp_path, content)).name == name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CHINESE.encode("gb18030")[:-2], r"neither UTF-8 \(not in line 1\) nor GB18030"),
        (CHINESE.encode()[:-2], "line 3 is not UTF-8"),  # cut within a character
        (CHINESE.encode().replace("积".encode(), b"\xe7\xa7"), "line 2 is not UTF-8"),
        (CHINESE.encode("utf-8-sig") + b"\xff", "line 4 is not UTF-8"),
        (CHINESE.encode("utf-16")[:-1], "line 3 is not UTF-16LE"),
        (CHINESE.encode("utf-16-le"), "this is no text: its first line holds NUL bytes"),
        ("Straße,Müller,Jürgen\n".encode("latin-1"), "line 1 is not UTF-8"),
        (b"\x1f\x8b\x08\x00\x00\x00", "this is no text"),
    ],
)
def test_what_is_in_no_encoding_is_named_with_its_line(tmp_path, content, said):
    with pytest.raises(UnreadableFile, match=r"f\.csv: ") as caught:
        encoding(text(tmp_path, content))
    assert caught.match(said)


def test_lines_are_counted_across_the_pieces_of_a_long_file(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PIECE_BYTES", 70)
    with pytest.raises(UnreadableFile, match="line 3 is not UTF-8"):
        encoding(text(tmp_path, CHINESE.encode()[:-2]))
    assert encoding(text(tmp_path, CHINESE.encode())).name == "UTF-8"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_all_that_is_utf8_is_taken_for_utf8(tmp_path_factory, content):
    path = text(tmp_path_factory.mktemp("t"), content.encode())
    assert encoding(path).codec == "utf8"
