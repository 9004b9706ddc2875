"""In which encoding the texts of a .dbf are: by its .cpg, else by the texts themselves."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from etl.readers.encoding import encoding
from etl.readers.gdal import Dataset
from etl.readers.rows import uncut
from layers.core.errors import UnreadableFile

BYTES = "ISO-8859-1"
"""Texts are asked of GDAL as if in this: each byte comes as the one character of its number."""
_GB18030 = {"936", "cp936", "gbk", "gb2312", "gb18030", "54936"}
"""It, and what is called its parts."""
_CODE_PAGE = re.compile(r"(?:ansi|oem|windows|cp)?[ -]?(\d{3,5})")
_ISO = re.compile(r"(?:iso)?[ _-]?8859[ _-]?(\d+)")


def codec_of(data: Dataset, folder: Path) -> tuple[str, str]:
    """How the encoding is told to a person, and what the codecs call it; `folder` has the parts, as `data`.

    Raises
    ------
    UnreadableFile : the .cpg says what no codec is called, or without one no encoding fits.
    """
    label = folder / "data.cpg"
    word = label.read_bytes()[:64].decode("ascii", "replace").strip() if label.exists() else ""
    if word.lower() in {"", "system"}:
        return _found(data, folder / "texts")
    codec = _codec(word.lower())
    try:
        b" ".decode(codec)
    except (LookupError, ValueError) as exc:
        raise UnreadableFile(
            f"{data.path}: its .cpg says '{word}', which is no encoding known here", file=str(data.path)
        ) from exc
    return word, codec


def as_in_file(held: bytes) -> bytes:
    """The bytes of a text in the .dbf from those that it has when GDAL took it for `BYTES`."""
    return held.decode().encode(BYTES)


def _codec(word: str) -> str:
    if word.removeprefix("ansi ").removeprefix("oem ") in _GB18030:
        return "gb18030"
    if word in {"65001", "utf8"}:
        return "utf-8"
    if iso := _ISO.fullmatch(word):
        return f"iso8859-{iso[1]}"
    page = _CODE_PAGE.fullmatch(word)
    return f"cp{page[1]}" if page else word


def _found(data: Dataset, scratch: Path) -> tuple[str, str]:
    """What fits the names of the columns and every text; they are written to `scratch`, one to a line."""
    columns = [name for name, kind in zip(data.names, data.kinds, strict=True) if kind == "OFTString"]
    with scratch.open("wb") as lines:
        lines.writelines(as_in_file(name.encode()) + b"\n" for name in data.names)
        for frame in data.frames(columns, numbered=True):
            for column in frame.table.columns:
                wide = column.filter(pc.invert(pc.string_is_ascii(column))).cast(pa.binary()).to_pylist()
                lines.writelines(_line(as_in_file(held)) for held in wide)
    try:
        return encoding(scratch)
    except UnreadableFile as exc:
        raise UnreadableFile(
            f"{data.path}: it has no .cpg, and its texts are neither UTF-8 nor GB18030", file=str(data.path)
        ) from exc


def _line(text: bytes) -> bytes:
    """A text and the end of its line; in UTF-8 it may be cut within its last character."""
    try:
        return uncut(text, "utf-8").encode() + b"\n"
    except UnicodeDecodeError:
        return text + b"\n"
