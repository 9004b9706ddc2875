"""JSON read a value at a time, so that a file may be larger than memory: one long list, or records one by one."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from layers.core.errors import UnreadableFile
from layers.records.personal import printable

_PIECE_BYTES = 1 << 20
_LONGEST = 1 << 26
"""Of one value in characters, or one record in bytes."""
_CUT = 16
"""Characters at the end of what is read within which a value may look wrong only because it is cut there."""
_SPACE = re.compile(r"[ \t\n\r]*")
_RECORD_SEPARATOR = b"\x1e"

Item = tuple[object, float]
"""A value, or the ValueError that it is none, and the share of the file that is read by then."""


class Collection:
    """An object with one long list as a member.

    members : its other members, as far as they are read.
    """

    def __init__(self, path: Path, list_name: str, format_name: str) -> None:
        self.members: dict[str, object] = {}
        self._path, self._list_name, self._format_name = path, list_name, format_name

    def __iter__(self) -> Iterator[Item]:
        """The items of the list, in order.

        Raises
        ------
        UnreadableFile : this is not JSON in UTF-8, it is cut off, it is no object, or it has no such list.
        """
        count, listed = 0, False
        size = self._path.stat().st_size
        with self._path.open("rb") as file:
            text = _Text(file)
            try:
                for name in _names(text):
                    if name != self._list_name or text.peek() != "[":
                        self.members[name] = text.value()
                        continue
                    for item in _items(text):
                        yield item, file.tell() / size
                        count += 1
                    listed = True
                if not listed:
                    raise ValueError(f"it has no list '{self._list_name}'")  # noqa: TRY301
            except ValueError as exc:
                where = f" after item {count} of '{self._list_name}'" if count else ""
                raise UnreadableFile(
                    f"{self._path}: this {self._format_name} cannot be read{where}: {exc}", file=str(self._path)
                ) from exc


def records(path: Path) -> Iterator[Item]:
    """Values one to a line, or between record separators where the file begins with one (RFC 8142).

    Raises
    ------
    UnreadableFile : one is longer than 64 MiB.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        rest = file.read(1).removeprefix(_RECORD_SEPARATOR)
        separator = b"\n" if rest else _RECORD_SEPARATOR
        while piece := file.read(_PIECE_BYTES):
            *whole, rest = (rest + piece).split(separator)
            for record in whole:
                yield from _record(record, file.tell() / size)
            if len(rest) > _LONGEST:
                raise UnreadableFile(f"{path}: a record in it is longer than 64 MiB", file=str(path))
        yield from _record(rest, 1.0)


def _record(record: bytes, through: float) -> Iterator[Item]:
    record = record.removeprefix(codecs.BOM_UTF8).strip()
    if record:
        try:
            yield orjson.loads(record), through
        except orjson.JSONDecodeError as exc:
            yield ValueError(f"this is not JSON: {exc}"), through


class _Text:
    """The text of a file, from where it is read so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._parse = json.JSONDecoder().raw_decode
        self._text, self._at, self._ended = "", 0, False

    def peek(self) -> str:
        """The next character that is no space; none at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more(_PIECE_BYTES)

    def take(self, allowed: str) -> str:
        """The next character, which must be among `allowed`."""
        found = self.peek()
        if not found:
            raise ValueError("it is cut off" if self._file.tell() else "it is empty")
        if found not in allowed:
            raise ValueError(f"{printable(found)} stands where {' or '.join(allowed)} is needed")
        self._at += 1
        return found

    def value(self) -> object:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._parse(self._text, self._at)
            except RecursionError:
                raise ValueError("it is nested too deep") from None
            except json.JSONDecodeError as exc:
                wrong = exc.pos + _CUT < len(self._text) and not exc.msg.startswith("Unterminated string")
                if wrong or self._ended:
                    raise ValueError(exc.msg if wrong else f"it is cut off: {exc.msg}") from exc
            else:
                if end < len(self._text) or self._ended:  # a number may go on
                    self._at = end
                    return value
            held = len(self._text) - self._at
            if held > _LONGEST:
                raise ValueError("a value in it is longer than 64 MiB")
            self._more(max(_PIECE_BYTES, held))

    def _more(self, size: int) -> None:
        piece = self._file.read(size)
        try:
            self._text = self._text[self._at :] + self._decode(piece, not piece)
        except UnicodeDecodeError as exc:
            raise ValueError("it is not in UTF-8") from exc
        self._at, self._ended = 0, not piece


def _names(text: _Text) -> Iterator[str]:
    """The name of each member of an object, whose value is to be taken in between."""
    text.take("{")
    if text.peek() == "}":
        text.take("}")
    else:
        mark = ","
        while mark == ",":
            if text.peek() != '"':
                text.take('"')
            name = str(text.value())
            text.take(":")
            yield name
            mark = text.take(",}")
    if text.peek():
        raise ValueError("something stands after its end")


def _items(text: _Text) -> Iterator[object]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    yield text.value()
    while text.take(",]") == ",":
        yield text.value()
