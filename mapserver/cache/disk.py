"""Answers on disk, so that a server that starts while its database is away has something to show.

Several processes share the folder. A file is written aside and put in place, so that nobody reads half of it; what
a crash of the machine leaves of it does not have the checksum that it says, and is thrown away. Nothing waits for
the disk: an answer that cannot be written is made again.
"""

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import orjson

_DIGEST_BYTES = 16
_SWEEP_PART = 16  # of all that may be kept is written until the folder is swept, and left free by a sweep
_KEPT_PART = 0.9
_MOST_WAITING = 256
_LEFTOVER_S = 60.0
_REST_S = 60.0

Record = dict[str, object]

_log = logging.getLogger(__name__)


class Disk:
    """A folder of records with their bytes, each by a key; the ones read or written least lately go first.

    A process never has it pass its bound; each further one that writes there too may by a sixteenth.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._writer = ThreadPoolExecutor(1, "cache")
        self._names: set[str] = set()
        self._waiting = 0
        self._written = 0
        self._rests_until = 0.0

    def open(self) -> None:
        """Make the folder, for this account alone, and look what it has."""
        self._submit(self._sweep)

    def close(self) -> None:
        """Write what waits."""
        self._writer.shutdown()

    def __contains__(self, key: str) -> bool:
        """Whether there seems to be a record; another process may have one that is not known here yet."""
        return _name(key) in self._names

    def read(self, key: str) -> tuple[Record, bytes] | None:
        """A record and its bytes; none where there is none, or none that is whole."""
        path = self._path(key)
        try:
            raw = path.read_bytes()
            os.utime(path)
        except OSError:
            self._names.discard(path.name)
            return None
        found = _unpacked(raw, key)
        if found is None:
            _log.warning("a cached answer is broken", extra={"file": str(path)})
            self._remove(path)
        return found

    def write(self, key: str, record: Record, content: bytes) -> None:
        """Keep a record as soon as there is time for it; where much waits already, do not."""
        if self._waiting < _MOST_WAITING and time.monotonic() >= self._rests_until:
            self._submit(partial(self._write, key, record, content))

    def _submit(self, work: Callable[[], None]) -> None:
        def done() -> None:
            try:
                work()
            except OSError as exc:
                self._rests_until = time.monotonic() + _REST_S
                _log.warning("answers are not kept on disk for a while", extra={"reason": str(exc)})
            finally:
                self._waiting -= 1

        self._waiting += 1
        with suppress(RuntimeError):  # it is closed already
            self._writer.submit(done)

    def _write(self, key: str, record: Record, content: bytes) -> None:
        packed = _packed(record | {"key": key}, content)
        if len(packed) > self._most_bytes / _SWEEP_PART:
            return  # it would drive out many others
        if self._written + len(packed) > self._most_bytes / _SWEEP_PART:
            self._sweep()
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(packed)
            Path(aside).replace(path)
        except OSError:
            Path(aside).unlink(missing_ok=True)
            raise
        self._names.add(path.name)
        self._written += len(packed)

    def _sweep(self) -> None:
        """Remove what is too much, and learn what other processes wrote."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._written = 0
        files = sorted(self._files())
        bytes_left = sum(size for _, size, _ in files)
        most = self._most_bytes * (1 - 1 / _SWEEP_PART)
        room = most if bytes_left <= most else self._most_bytes * _KEPT_PART
        self._names = {path.name for _, _, path in files}
        for _, size, path in files:
            if bytes_left <= room:
                break
            self._remove(path)
            bytes_left -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Time of the last use in seconds, bytes and path of each record; what a killed process left goes."""
        for path in self._folder.glob("??/*"):
            with suppress(FileNotFoundError):
                seen = path.stat()
                if not path.name.startswith("."):
                    yield seen.st_mtime, seen.st_size, path
                elif seen.st_mtime < time.time() - _LEFTOVER_S:
                    path.unlink()

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._names.discard(path.name)

    def _path(self, key: str) -> Path:
        name = _name(key)
        return self._folder / name[:2] / name


def _name(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _packed(record: Record, content: bytes) -> bytes:
    whole = orjson.dumps(record) + b"\n" + content
    return hashlib.blake2b(whole, digest_size=_DIGEST_BYTES).digest() + whole


def _unpacked(raw: bytes, key: str) -> tuple[Record, bytes] | None:
    digest, whole = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if digest != hashlib.blake2b(whole, digest_size=_DIGEST_BYTES).digest():
        return None
    head, _, content = whole.partition(b"\n")
    record: Record = orjson.loads(head)
    return (record, content) if record.pop("key") == key else None
