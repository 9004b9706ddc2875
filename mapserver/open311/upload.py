"""A form in parts, as RFC 7578 has it: texts, and one file, the photo."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message

from fastapi import Request

from layers.core.errors import BadValue, TooLarge
from layers.records import photo
from mapserver.body import body_of

MULTIPART = "multipart/form-data"
MEDIA = "media"

_MOST_TEXT_BYTES = 100_000
_MOST_PARTS = 500
_DARKROOM = ThreadPoolExecutor(1, "photo")  # one at a time, and in the way of nothing else


@dataclass(frozen=True)
class Upload:
    """The texts by name, in their order, and the bytes of the photo if one came."""

    texts: list[tuple[str, str]]
    media: bytes | None = None


async def upload_of(request: Request) -> Upload:
    """Read it.

    Raises
    ------
    HTTPException, TooLarge : as `body_of` does.
    BadValue : it is no such form; or it has two photos, or a file that is none.
    """
    body = await body_of(request, MULTIPART, photo.MOST_BYTES + _MOST_TEXT_BYTES)
    boundary = _header("Content-Type", request.headers["content-type"]).get_boundary()
    if not boundary:
        raise BadValue("Content-Type: it names no boundary", parameter="Content-Type")
    # The delimiter begins with the line's end before it; the first one has none.
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(), _MOST_PARTS + 1)
    if not parts or not parts[-1].startswith(b"--"):
        raise BadValue(f"the form has no end, or more than {_MOST_PARTS} parts", parameter="body")
    return _read(parts[:-1])


async def developed(media: bytes) -> bytes:
    """What is kept of a photo. Raises as `photo.cleaned` does."""
    return await asyncio.get_running_loop().run_in_executor(_DARKROOM, photo.cleaned, media)


def _read(parts: list[bytes]) -> Upload:
    texts: list[tuple[str, str]] = []
    media: list[bytes] = []
    for part in parts:
        head, there, content = part.partition(b"\r\n\r\n")
        name, is_file = _named(head)
        if not there or name is None:
            raise BadValue("a part of the form has no name", parameter="body")
        if name == MEDIA:
            media += [content] if content else []  # a page whose file field was left empty sends it all the same
        elif is_file:
            raise BadValue(f"{name[:60]}: a file is taken as {MEDIA} only", parameter=name[:60])
        else:
            texts.append((name, _text(name, content)))
    if len(media) > 1:
        raise BadValue(f"{MEDIA}: one photo is taken", parameter=MEDIA)
    if sum(len(text) for _, text in texts) > _MOST_TEXT_BYTES:
        raise TooLarge(f"the texts are longer than {_MOST_TEXT_BYTES:,} bytes", most=_MOST_TEXT_BYTES)
    return Upload(texts, media[0] if media else None)


def _named(head: bytes) -> tuple[str | None, bool]:
    """The name that a part's head gives it, and whether it is a file."""
    for line in head.decode(errors="replace").split("\r\n"):
        field, _, value = line.partition(":")
        if field.strip().lower() == "content-disposition":
            said = _header("Content-Disposition", value.strip())
            name = said.get_param("name", header="Content-Disposition")
            return (name if isinstance(name, str) else None), said.get_filename() is not None
    return None, False


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise BadValue(f"{name[:60]}: it is not UTF-8", parameter=name[:60]) from exc
