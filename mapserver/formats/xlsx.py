"""A list as a workbook of Excel: frozen headings, real times, and texts that are never taken for formulas."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO

import xlsxwriter

from mapserver.formats.batches import Rows
from mapserver.formats.sheet import Sheet

_OPTIONS = {
    "constant_memory": True,
    "default_date_format": "yyyy-mm-dd hh:mm",
}


def write(sheet: Sheet, batches: Iterator[Rows], out: IO[bytes]) -> None:
    """Write the rows, of which one at a time is held; a datetime without a zone is a local time."""
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, _OPTIONS) as book:
            page = book.add_worksheet(sheet.title)
            page.freeze_panes(1, 0)
            bold = book.add_format({"bold": True})
            for place, (heading, width) in enumerate(zip(sheet.headings, sheet.widths, strict=True)):
                page.set_column(place, place, width)
                page.write_string(0, place, heading, bold)
            number = 0
            for rows in batches:
                for row in rows:
                    number += 1
                    for place, value in enumerate(row):
                        if isinstance(value, datetime):
                            page.write_datetime(number, place, value)
                        elif isinstance(value, int):
                            page.write_number(number, place, value)
                        elif value is not None:
                            page.write_string(number, place, str(value))  # never read as a formula
        file.seek(0)
        shutil.copyfileobj(file, out)
