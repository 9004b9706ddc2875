import datetime as dt
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from etl.readers import sheet
from etl.readers.workbook import read_xlsx
from layers.core.errors import MissingColumn, UnreadableFile

FIXTURES = Path(__file__).parent / "fixtures"
CALLS = FIXTURES / "calls_1900.xlsx"


def book(folder, *rows, others=(), **cells):
    """A workbook with `rows`, and `cells` by their address."""
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    for address, value in cells.items():
        workbook.active[address] = value
    for name in others:
        workbook.create_sheet(name).append(["a"])
    path = folder / "f.xlsx"
    workbook.save(path)
    return path


def altered(folder, member, old, new):
    """The fixture with one text in one of its members replaced."""
    path = folder / "f.xlsx"
    with zipfile.ZipFile(CALLS) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            assert name != member or old in content
            target.writestr(name, content.replace(old, new) if name == member else content)
    return path


def whole(path, columns, layer=None):
    return read_xlsx(path, columns, layer).whole()


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_cells_are_text_as_another_program_stored_them(epoch):
    reading = read_xlsx(
        FIXTURES / f"calls_{epoch}.xlsx",
        ["编号", "代码", "时间", "经度", "属实", "备注", "时刻", "合计", "时长", "日期", "街道"],
    )
    assert reading.told == {
        "layer": "投诉",
        "other layers": "说明",
        "merged areas": "1, each cell of which has the area's value",
    }
    raw = reading.whole()
    assert raw.rows.tolist() == [1, 2, 4]
    assert raw.table.to_pydict() == {
        "编号": ["1", "2", "3"],
        "代码": ["441602", "0441602", "441603"],
        "时间": ["2025-01-02T08:30:05", "2025-01-02T23:59:59", "2025-01-03"],
        "经度": ["114.25", "114.5", "-0.125"],
        "属实": ["true", "false", None],
        "备注": ["路灯不亮", None, None],  # #N/A and #DIV/0!
        "时刻": ["08:30:00", None, None],
        "合计": ["441603", "229", None],  # formulas
        "时长": ["26:30:00", None, None],
        "日期": ["2025-01-02", "2025-01-03", None],
        "街道": ["长江路", "长江路", "解放路"],  # the first two are one merged cell
    }


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", None), ("x", "x"), (True, "true"), (441602.0, "441602"), (-3.0, "-3"), (0.1, "0.1"), (1e-7, "1e-07"),
        (2.0**60, "1.152921504606847e+18"), (dt.time(8, 5), "08:05:00"), (dt.date(1899, 12, 31), "1899-12-31"),
        (dt.datetime(2025, 1, 2, 3, 4, 5, 678000), "2025-01-02T03:04:05.678000"), (dt.timedelta(hours=100), "100:00:00"),
    ],
)  # fmt: skip
def test_a_value_as_text(cell, said):
    assert sheet.text(cell) == said


def test_only_the_columns_asked_for_enter_in_the_order_they_are_asked_for():
    assert whole(CALLS, ["街道", "编号"]).table.column_names == ["街道", "编号"]


def test_a_sheet_is_taken_by_its_name_and_otherwise_the_first_that_shows(tmp_path):
    path = book(tmp_path, ["a"], ["1"], others=["b"])
    assert read_xlsx(path, ["a"], "b").told == {"layer": "b", "other layers": "Sheet"}
    workbook = openpyxl.load_workbook(path)
    workbook["Sheet"].sheet_state = "hidden"
    workbook.save(path)
    assert read_xlsx(path, ["a"]).told["layer"] == "b"
    with pytest.raises(UnreadableFile, match=r"f\.xlsx: there is no sheet '投诉'; it has Sheet, b"):
        read_xlsx(path, ["a"], "投诉")


def test_merged_areas_hold_in_each_of_their_rows_and_columns_and_no_further(tmp_path):
    path = book(tmp_path, ["a", "b", "c"], ["x", None, "1"], [None, None, "2"], [None, None, "3"], ["y", "z", "4"])
    workbook = openpyxl.load_workbook(path)
    workbook.active.merge_cells("A2:B3")
    workbook.save(path)
    assert whole(path, ["b", "a"]).table.to_pydict() == {"b": ["x", "x", None, "z"], "a": ["x", "x", None, "y"]}


def test_a_header_that_is_merged_with_the_row_below_it_says_nothing_about_that_row(tmp_path):
    path = book(tmp_path, ["a", "b"], [None, "1"])
    workbook = openpyxl.load_workbook(path)
    workbook.active.merge_cells("A1:A2")
    workbook.save(path)
    reading = read_xlsx(path, ["a", "b"])
    assert reading.told == {"layer": "Sheet"}
    assert reading.whole().table.to_pydict() == {"a": [None], "b": ["1"]}


def test_a_table_that_does_not_begin_in_the_first_column_keeps_its_columns_and_merged_areas(tmp_path):
    path = book(tmp_path, B1="a", C1="b", B2="x", C2="1", C3="2", C4="3")
    workbook = openpyxl.load_workbook(path)
    workbook.active.merge_cells("B2:B3")
    workbook.active.merge_cells("A4:B4")
    workbook.save(path)
    raw = whole(path, ["a", "b"])
    assert raw.table.to_pydict() == {"a": ["x", "x", None], "b": ["1", "2", "3"]}
    assert raw.rows.tolist() == [1, 2, 3]


def test_rows_come_in_batches_that_say_how_far_they_are(tmp_path):
    path = book(tmp_path, ["a"], *([n] for n in range(1, sheet.BATCH_ROWS + 2)))
    first, second = read_xlsx(path, ["a"]).batches
    assert (len(first), second.rows.tolist(), second.table["a"].to_pylist()) == (65536, [65537], ["65537"])
    assert first.through < second.through == 1


def test_a_header_alone_is_one_batch_without_rows(tmp_path):
    (batch,) = read_xlsx(book(tmp_path, ["a", "b"]), ["b"]).batches
    assert batch.table.to_pydict() == {"b": []}


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    with pytest.raises(MissingColumn, match=r"f\.xlsx: there is no column 'lat'; it has a, b, 2024"):
        read_xlsx(book(tmp_path, ["a", "b", 2024]), ["lat"])


def test_a_column_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="column 'a' stands 2 times"):
        read_xlsx(book(tmp_path, ["a", "a"], [1, 2]), ["a"])


def encrypted():
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le")


def archive(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for name, text in members.items():
            target.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CALLS.read_bytes()[:-200], "truncated or damaged"),
        (CALLS.read_bytes().replace(b"PK\x05\x06", b"PK\x05\x07"), "truncated or damaged"),
        (CALLS.read_bytes()[:600] + bytes(60) + CALLS.read_bytes()[660:], "truncated or damaged"),
        ((FIXTURES / "calls_1900.xls").read_bytes(), "this is an XLS workbook, not XLSX"),
        (encrypted(), "this workbook is encrypted"),
        (b"\xef\xbb\xbf<html><table><tr><td>a</td></tr></table></html>", "this is HTML or XML, not XLSX"),
        (archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "a zip archive, but no XLSX"),
        (archive(**{"[Content_Types].xml": "<Types/>"}), "truncated or damaged"),
        (b"a,b\n1,2\n", "truncated or damaged"),
        (b"", "truncated or damaged"),
    ],
    ids=["cut", "no end", "zeros", "xls", "encrypted", "html", "ods", "other", "csv", "empty"],
)
def test_what_is_no_whole_xlsx_is_named(tmp_path, content, said):
    (tmp_path / "f.xlsx").write_bytes(content)
    with pytest.raises(UnreadableFile, match=said) as caught:
        read_xlsx(tmp_path / "f.xlsx", ["a"])
    assert str(caught.value).startswith(f"{tmp_path}/f.xlsx: ")


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [("xl/worksheets/sheet1.xml", b"</c>", b"</v>"), ("xl/sharedStrings.xml", b"</si>", b"</t>")],
)
def test_a_sheet_that_is_no_xml_is_named(tmp_path, member, old, new):
    with pytest.raises(UnreadableFile, match="truncated or damaged"):
        read_xlsx(altered(tmp_path, member, old, new), ["编号"])


def test_an_entity_is_not_followed_to_a_file(tmp_path):
    (tmp_path / "secret").write_text("secret")
    start = b"<sst"
    doctype = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'.encode()
    text = "长江路".encode()
    with zipfile.ZipFile(CALLS) as source:
        members = {name: source.read(name) for name in source.namelist()}
    strings = members["xl/sharedStrings.xml"].replace(start, doctype + start)
    (tmp_path / "f.xlsx").write_bytes(archive(**members | {"xl/sharedStrings.xml": strings}))
    assert whole(tmp_path / "f.xlsx", ["街道"]).table["街道"][0].as_py() == "长江路"
    strings = strings.replace(text, b"&e;")
    (tmp_path / "f.xlsx").write_bytes(archive(**members | {"xl/sharedStrings.xml": strings}))
    with pytest.raises(UnreadableFile, match="truncated or damaged"):
        read_xlsx(tmp_path / "f.xlsx", ["街道"])


@pytest.mark.parametrize("rows", [[], [[None]], [[], ["a"]]])
def test_a_sheet_without_a_header_in_its_first_row_is_named(tmp_path, rows):
    with pytest.raises(UnreadableFile, match="row 1 of sheet 'Sheet' is empty, where its header should be"):
        read_xlsx(book(tmp_path, *rows, A2="a" if rows else None), ["a"])


@pytest.mark.parametrize("address", ["XFD6000", "XFD1048576"])
def test_a_cell_far_outside_the_table_costs_no_more_memory_than_is_granted(tmp_path, address):
    with pytest.raises(UnreadableFile, match=r"f\.xlsx: this XLSX needs more than 2048 MiB of memory"):
        read_xlsx(book(tmp_path, ["a"], **{address: 1}), ["a"])


@pytest.mark.parametrize("says", [5 << 20, 100])
def test_a_zip_bomb_is_refused_whatever_its_directory_says(tmp_path, monkeypatch, says):
    monkeypatch.setattr(sheet, "UNPACKED_BYTES", 1 << 20)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("[Content_Types].xml", bytes(5 << 20))
    size = (5 << 20).to_bytes(4, "little")
    (tmp_path / "f.xlsx").write_bytes(content.getvalue().replace(size, says.to_bytes(4, "little")))
    with pytest.raises(SystemExit, match="this XLSX unpacks to more than 1 MiB"):
        sheet.check_package(tmp_path / "f.xlsx")
