"""FlatGeobuf, streamed."""

from contextlib import ExitStack
from pathlib import Path

from etl.readers.base import Reading, existing, sha256
from etl.readers.gdal import Dataset, held, neutral
from etl.readers.rows import decoded
from layers.core.errors import UnreadableFile

_MAGIC = b"fgb\x03fgb"


def read_flatgeobuf(path: Path, columns: list[str]) -> Reading:
    """Read the rows of a FlatGeobuf file, in bounded memory.

    Raises
    ------
    UnreadableFile : missing, truncated or no FlatGeobuf.
    MissingColumn : it lacks one of `columns`.
    """
    file = existing(path)
    with file.open("rb") as head:
        if head.read(len(_MAGIC)) != _MAGIC:
            raise UnreadableFile(f"{path}: this is no FlatGeobuf: it begins otherwise", file=str(path))
    with ExitStack() as stack:
        place = stack.enter_context(neutral({"data.fgb": file})) / "data.fgb"
        data = Dataset.open(path, place, "FlatGeobuf")
        frames = held((decoded(frame, "utf-8") for frame in data.frames(columns)), stack.pop_all())
    return Reading(path, sha256(file), frames, crs=data.crs)
