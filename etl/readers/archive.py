"""A zip archive with a dataset of several files in it, taken out under names of the house's own."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from layers.core.errors import UnreadableFile

MAGIC = b"PK\x03\x04"
_MEMBERS = 200
_UNPACKED_BYTES = 1 << 32
_RATIO = 100
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags of a member


@contextmanager
def unpacked(path: Path, suffixes: tuple[str, ...], layer: str | None) -> Iterator[tuple[Path, str]]:
    """A folder with the parts of one dataset, each called `data` and its suffix; and the dataset's own name.

    The first of `suffixes` makes a dataset, the others go with it. `layer` names it, with or without its folder
    and suffix; where there is only one it need not. The folder goes when the context ends.

    Raises
    ------
    UnreadableFile : no archive, a broken or a hostile one, or not one dataset is meant.
    """
    try:
        with zipfile.ZipFile(path) as archive, TemporaryDirectory(prefix="onemap-") as folder:
            members = _members(path, archive)
            main = _chosen(path, [name for name in members if name.suffix.lower() == suffixes[0]], layer)
            for name, member in members.items():
                suffix = name.suffix.lower()
                if name.with_suffix("") == main.with_suffix("") and suffix in suffixes:
                    place = Path(folder) / f"data{suffix}"
                    with archive.open(member) as packed, place.open("wb") as part:
                        shutil.copyfileobj(packed, part)
            yield Path(folder), str(main)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as exc:
        raise UnreadableFile(f"{path}: this zip archive cannot be read: {exc}", file=str(path)) from exc


def _members(path: Path, archive: zipfile.ZipFile) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The files in the archive by their names, if it promises to be harmless; unpacking holds it to that."""
    found = archive.infolist()
    size = sum(member.file_size for member in found)
    if len(found) > _MEMBERS:
        raise _refused(path, f"it has {len(found)} members, and {_MEMBERS} are the most")
    if size > _UNPACKED_BYTES:
        raise _refused(path, f"it would unpack to {size} bytes, and {_UNPACKED_BYTES} are the most")
    if size > _RATIO * path.stat().st_size:
        raise _refused(path, f"it would unpack to more than {_RATIO} times its size, like a zip bomb")
    names = {}
    for member in found:
        name = PurePosixPath(_name(member))
        if name.is_absolute() or ".." in name.parts or "\\" in str(name):
            raise _refused(path, f"member '{name}' would leave the folder it is unpacked in")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refused(path, f"member '{name}' is a symbolic link")
        if name.suffix.lower() == ".zip":
            raise _refused(path, f"member '{name}' is an archive in the archive")
        if member.flag_bits & _ENCRYPTED:
            raise _refused(path, f"member '{name}' is encrypted")
        if not member.is_dir() and "__MACOSX" not in name.parts:
            names[name] = member
    return names


def _chosen(path: Path, mains: list[PurePosixPath], layer: str | None) -> PurePosixPath:
    fitting = [
        name for name in mains if layer is None or layer in {str(name), str(name.with_suffix("")), name.stem}
    ]
    if len(fitting) == 1:
        return fitting[0]
    held = ", ".join(map(str, mains)) or "none"
    if layer is None:
        raise _refused(path, f"'layer' must name one dataset of those in it: {held}")
    raise _refused(path, f"there is {'more than one' if fitting else 'no'} '{layer}' in it; it holds {held}")


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name; without the flag for UTF-8 it is in whatever its writer used, which here is Chinese."""
    if member.flag_bits & _UTF8:
        return member.filename
    raw = member.filename.encode("cp437")
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return member.filename


def _refused(path: Path, why: str) -> UnreadableFile:
    return UnreadableFile(f"{path}: this zip archive is not taken: {why}", file=str(path))
