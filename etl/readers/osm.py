"""OpenStreetMap extracts in PBF: roads as lines, places and points of interest as points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import osmium
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from osmium.filter import EntityFilter, KeyFilter
from osmium.osm import NODE, NOTHING, WAY, Node, Way, osm_entity_bits

from etl.readers import osm_tags
from etl.readers.base import BATCH_ROWS, RawFrame, Reading, existing, require, sha256
from layers.core.errors import UnreadableFile

_WKB = osmium.geom.WKBFactory()


@dataclass(frozen=True)
class _Kind:
    """Objects with one of `keys` of which `row` makes a row with the columns `fields`."""

    objects: osm_entity_bits
    keys: tuple[str, ...]
    row: Callable[[osm_tags.Tags], osm_tags.Row | None]
    fields: dict[str, pa.DataType]


_ROADS = _Kind(WAY, ("highway",), osm_tags.road, osm_tags.ROAD)
_PLACES = _Kind(NODE, ("place",), osm_tags.place, osm_tags.PLACE)
_POIS = _Kind(NODE | WAY, osm_tags.INTEREST, osm_tags.interest, osm_tags.PLACE)
_KINDS = {"roads": _ROADS, "places": _PLACES, "pois": _POIS}


def read_osm(path: Path, columns: list[str], kind: str) -> Reading:
    """Read one kind of objects: `roads`, `places` or `pois`. The number of a row is that among its kind.

    A road is a way; its columns are id ("way/123"), name, name_zh, name_en, class, oneway (no, forward, backward),
    layer, bridge and tunnel. A place is a node, a point of interest a node or a point inside a closed way; their
    columns are id, name, name_zh, name_en and kind. What is mapped as a relation does not come.

    A way of which the file lacks a node is a broken row. Where the nodes are is held in memory, 16 bytes each:
    some 20 MB for a district, 2 GB for a hundred million nodes.

    Raises
    ------
    UnreadableFile : missing, truncated, no PBF, or it holds the history of its objects.
    MissingColumn : the kind lacks one of `columns`.
    """
    file = existing(path)
    wanted = _KINDS[kind]
    require(path, columns, list(wanted.fields))
    pbf = osmium.io.File(str(file), "pbf")
    try:
        with osmium.io.Reader(pbf, NOTHING) as reader:
            if reader.header().has_multiple_object_versions:
                raise UnreadableFile(f"{path}: this PBF holds the history of its objects", file=str(path))
    except RuntimeError as exc:
        raise _unreadable(path, exc) from exc
    return Reading(path, sha256(file), _batches(path, pbf, wanted, columns), crs="EPSG:4326")


class _Found(NamedTuple):
    """An object: its row, and its geometry as WKB in hex or why it has none."""

    row: osm_tags.Row
    wkb: str
    flaw: str = ""


def _batches(path: Path, pbf: osmium.io.File, kind: _Kind, columns: list[str]) -> Iterator[RawFrame]:
    schema = pa.schema([(name, kind.fields[name]) for name in columns])
    objects = _objects(pbf, kind)
    first = 1
    try:
        while (part := list(islice(objects, BATCH_ROWS))) or first == 1:
            numbers = np.arange(first, first + len(part))
            flawed = np.array([one.flaw != "" for one in part], np.bool_)
            good = [one for one in part if not one.flaw]
            lines = shapely.from_wkb([one.wkb for one in good])
            yield RawFrame(
                pa.Table.from_pylist([one.row for one in good], schema),
                numbers[~flawed],
                shapes=lines if kind is _ROADS else _points(lines),
                broken=[(first + index, part[index].flaw) for index in np.flatnonzero(flawed).tolist()],
            )
            first += max(len(part), 1)
    except RuntimeError as exc:
        raise _unreadable(path, exc) from exc


def _objects(pbf: osmium.io.File, kind: _Kind) -> Iterator[_Found]:
    processor = osmium.FileProcessor(pbf, NODE | WAY).with_locations()
    for one in processor.with_filter(KeyFilter(*kind.keys)).with_filter(EntityFilter(kind.objects)):
        row = kind.row(dict(one.tags))
        if row is None:
            continue
        if isinstance(one, Node):
            yield _Found(row | {"id": f"node/{one.id}"}, _WKB.create_point(one))
        elif isinstance(one, Way) and (kind is not _POIS or one.is_closed()):
            yield _way(one, row | {"id": f"way/{one.id}"})


def _way(way: Way, row: osm_tags.Row) -> _Found:
    lost = [node.ref for node in way.nodes if not node.location.valid()]
    if lost:
        return _Found(row, "", f"{row['id']}: its node/{lost[0]} is not in the file")
    if len({(node.x, node.y) for node in way.nodes}) <= 1:
        return _Found(row, "", f"{row['id']} has fewer than two nodes")
    return _Found(row, _WKB.create_linestring(way))


def _points(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Each point as it is, and a point inside each closed line."""
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    rings = shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING
    inside = rings[owner]
    _, index = np.unique(owner[inside], return_inverse=True)
    found = shapes.copy()
    found[rings] = shapely.make_valid(shapely.polygons(shapely.linearrings(corners[inside], indices=index)))
    return np.asarray(shapely.point_on_surface(found), np.object_)


def _unreadable(path: Path, exc: Exception) -> UnreadableFile:
    return UnreadableFile(f"{path}: this PBF cannot be read: {exc}", file=str(path))
