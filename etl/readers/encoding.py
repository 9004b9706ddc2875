"""Which encoding a text file is in: found by decoding the whole of it strictly, piece by piece."""

import codecs
import re
from pathlib import Path
from typing import NamedTuple

from layers.core.errors import UnreadableFile

_PIECE_BYTES = 1 << 20
_ALONE = re.compile(rb"(?<![\x80-\xff0-9])[\x80-\xff](?![\x80-\xff0-9])")


class Encoding(NamedTuple):
    """How an encoding is told to a person, and what the codecs call it."""

    name: str
    codec: str


_MARKED = {
    codecs.BOM_UTF8: Encoding("UTF-8 with BOM", "utf8"),
    codecs.BOM_UTF16_LE: Encoding("UTF-16LE with BOM", "utf-16-le"),
    codecs.BOM_UTF16_BE: Encoding("UTF-16BE with BOM", "utf-16-be"),
}
_UTF8 = Encoding("UTF-8", "utf8")
_GB18030 = Encoding("GB18030", "gb18030")


class _Flaw(NamedTuple):
    """The first byte that is none of an encoding: its line, 1-based, and what stands around it."""

    line: int
    around: bytes


def encoding(path: Path) -> Encoding:
    """The encoding that a byte order mark states, else UTF-8, else GB18030.

    Every file that is UTF-8 is taken for that. A file that is not, but nearly so, is broken rather than GB18030,
    though its bytes might pass as that; so is one whose high bytes stand alone, like those of Latin-1.

    Raises
    ------
    UnreadableFile : it is in none of these; names the line.
    """
    with path.open("rb") as file:
        head = file.read(_PIECE_BYTES)
    marked = next((found for mark, found in _MARKED.items() if head.startswith(mark)), None)
    if (marked is None or marked.codec == "utf8") and b"\0" in head.partition(b"\n")[0]:
        raise UnreadableFile(f"{path}: this is no text: its first line holds NUL bytes", file=str(path))
    if head.startswith(codecs.BOM_UTF32_LE):
        raise UnreadableFile(f"{path}: this text is in UTF-32, which is not read", file=str(path))
    supposed = marked or _UTF8
    flaw = _flaw(path, supposed.codec)
    if flaw is None:
        return supposed
    if marked is None and _may_be_chinese(flaw.around):
        if _flaw(path, _GB18030.codec) is None:
            return _GB18030
        raise UnreadableFile(
            f"{path}: this text is neither UTF-8 (not in line {flaw.line}) nor GB18030", file=str(path)
        )
    raise UnreadableFile(f"{path}: line {flaw.line} is not {supposed.name.partition(' ')[0]}", file=str(path))


def _flaw(path: Path, codec: str) -> _Flaw | None:
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE_BYTES)
            try:
                line += decoder.decode(piece, final=not piece).count("\n")
            except UnicodeDecodeError as exc:
                line += exc.object[: exc.start].decode(codec).count("\n")
                file.seek(max(0, file.tell() - 2 * _PIECE_BYTES))
                return _Flaw(line, file.read(2 * _PIECE_BYTES))
            if not piece:
                return None


def _may_be_chinese(around: bytes) -> bool:
    text = around.decode("utf-8", "replace")
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    good = sum(not character.isascii() for character in text) - bad
    high = len(around) - len(around.decode("ascii", "ignore"))
    return good <= bad and 2 * len(_ALONE.findall(around)) <= high
