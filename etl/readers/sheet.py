"""A sheet of an XLSX as lines of JSON: a program of its own, run by `etl.readers.workbook`.

The library that unpacks a workbook holds the sheet whole, up to its outermost cell. A file of a few kilobytes can
ask it for any amount of memory, and that ends the process. So this one is a process to lose.

It writes one line on the sheet (`layer`, `others`, `header`, `height`, `merged`) and one for each batch of `rows`
and `columns`. Why it does not is said on stderr, with status 1; with another status it had not enough.
"""

import json
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, time, timedelta
from itertools import islice
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MEMORY_BYTES = 2 << 30  # of address space
UNPACKED_BYTES = 1 << 30
CPU_SECONDS = 300
BATCH_ROWS = 1 << 16
_PIECE_BYTES = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0"
_EXACT = 1 << 53

Cell = str | bool | int | float | date | time | timedelta
Row = tuple[int, list[Cell]]
Area = tuple[tuple[int, int], tuple[int, int]]


def main(path: Path, layer: str, columns: list[str]) -> None:
    """Write a sheet, the first visible one where `layer` is empty."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        check_package(path)
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as book:
            names = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
            seen = [one.name for one in book.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
            name = layer or next((name for name in names if name in seen), "")
            if name not in names:
                sys.exit(f"there is no sheet '{name}'; it has {', '.join(names) or 'none'}")
            write(book.get_sheet_by_name(name), [other for other in names if other != name], columns)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, CalamineError) as exc:
        sys.exit(f"this XLSX is truncated or damaged: {exc}")
    except MemoryError:
        sys.exit(2)


def check_package(path: Path) -> None:
    """Refuse what is no XLSX, and one that unpacks to more than it should, whatever its directory says."""
    with path.open("rb") as file:
        head = file.read(_PIECE_BYTES)
    if head.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in path.read_bytes()
        sys.exit("this workbook is encrypted" if locked else "this is an XLS workbook, not XLSX")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        sys.exit("this is HTML or XML, not XLSX")
    with zipfile.ZipFile(path) as archive:
        if "[Content_Types].xml" not in archive.namelist():
            sys.exit("this is a zip archive, but no XLSX")
        left = UNPACKED_BYTES
        for member in archive.infolist():
            member.file_size = left + 2 * _PIECE_BYTES  # further than it may go, whatever it says
            with archive.open(member) as unpacked:
                while piece := unpacked.read(_PIECE_BYTES):
                    left -= len(piece)
                    if left < 0:
                        sys.exit(f"this XLSX unpacks to more than {UNPACKED_BYTES >> 20} MiB")


def write(sheet: CalamineSheet, others: list[str], columns: list[str]) -> None:
    """Write the rows of a sheet that have a value anywhere; the first is the one below the header."""
    lines = sheet.iter_rows()
    header = [text(cell) or "" for cell in next(lines, [])]
    if sheet.start is None or sheet.end is None or not any(header):
        sys.exit(f"row 1 of sheet '{sheet.name}' is empty, where its header should be")
    taken = [header.index(name) for name in columns if name in header]
    merged = [area for area in sheet.merged_cell_ranges or [] if area[0][0] > 0]
    say(layer=sheet.name, others=others, header=header, height=sheet.end[0], merged=len(merged))
    rows = filled(enumerate(lines, 1), merged, sheet.start[1], taken)
    while part := list(islice(rows, BATCH_ROWS)):
        values = [[text(cells[index]) for _, cells in part] for index in taken]
        say(rows=[number for number, _ in part], columns=values)


def filled(lines: Iterator[Row], merged: list[Area], left: int, taken: list[int]) -> Iterator[Row]:
    """Rows that are not blank, with the value of a merged area in each of its cells."""
    # Areas count from the first column of the sheet, cells from `left`, its first that is not empty.
    begin = {
        (top, index): (bottom, first - left)
        for (top, first), (bottom, last) in merged
        for index in taken
        if left <= first <= index + left <= last
    }
    held: dict[int, tuple[int, Cell]] = {}
    for number, cells in lines:
        if any(cell != "" for cell in cells):
            for index in taken if begin else []:
                if (number, index) in begin:
                    bottom, source = begin[number, index]
                    held[index] = bottom, cells[source]
                if index in held and number <= held[index][0]:
                    cells[index] = held[index][1]
            yield number, cells


def text(cell: Cell) -> str | None:
    """A value as text: a whole number without a point, a time in ISO 8601, a duration as hours:minutes:seconds.

    An empty cell and one that holds an error are missing.
    """
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return str(int(cell)) if cell == int(cell) and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return cell.isoformat()


def say(**what: object) -> None:
    """Write one line."""
    print(json.dumps(what, ensure_ascii=False))  # noqa: T201 (a program speaks on stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
