"""Make Chicago's folder from the city's own files, which are not shipped.

Run as `python data/chicago/build.py FOLDER [DATA]`. DATA, else the environment's CHICAGO_DATA, holds the folders
`chicago` and `chicago_roads_osm`; without either it is `../shared/data` beside the checkout. Then

    ONEMAP_CITIES=<parent of FOLDER> ONEMAP_CITY=<name of FOLDER> onemap etl run

loads the city. The TOML files are copied, large files are linked, areas and risk areas are derived: a sector, a
district and the city are the unions of their beats, and a risk area is a distinct point of its set. No chance is
involved: the same files give the same bytes.
"""

import csv
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

HERE = Path(__file__).parent
CITY = "CHI"
# Set, zone type, distance of influence in metres, names. A block is about 100 m by 200 m; a shop reaches less far
# than what has gone wrong in a street.
SETS = [
    ("liquorRetail", "liquor", 150, ("酒类零售", "Liquor retail")),
    ("abandonBuildings", "abandoned", 200, ("空置建筑", "Abandoned building")),
    ("streetLightsOut", "lights", 200, ("路灯失修", "Street lights out")),
    ("sanitation", "sanitation", 200, ("环境卫生投诉", "Sanitation complaint")),
]

Shapes = NDArray[np.object_]


def beats(data: Path) -> tuple[list[str], Shapes]:
    """Code and outline of each beat, in the order of codes; one of them is three polygons."""
    features = json.loads((data / "boundaries" / "police_beats.geojson").read_text("utf-8"))["features"]
    found: dict[str, list[shapely.Geometry]] = {}
    for each in features:
        shape = shapely.from_geojson(json.dumps(each["geometry"]))
        found.setdefault(each["properties"]["beat_num"], []).append(shape)
    codes = sorted(found)
    return codes, np.array([shapely.coverage_union_all(found[code]) for code in codes], np.object_)


def unions(codes: list[str], outlines: Shapes, digits: int) -> tuple[list[str], Shapes]:
    """Codes of so many digits, and the union of the beats that begin with each."""
    above = np.array([code[:digits] for code in codes])
    known = sorted(set(above.tolist()))
    return known, np.array([shapely.coverage_union_all(outlines[above == code]) for code in known], np.object_)


def features(data: Path) -> Iterator[str]:
    """The areas, each a line of GeoJSON, from the city down to its beats."""
    codes, outlines = beats(data)
    yield _feature("city", CITY, ("芝加哥", "Chicago"), None, shapely.coverage_union_all(outlines))
    for level, digits, (zh, en) in (
        ("district", 2, ("第{}警区", "District {}")),
        ("sector", 3, ("{}片区", "Sector {}")),
        ("beat", 4, ("{}巡区", "Beat {}")),
    ):
        for code, shape in zip(*unions(codes, outlines, digits), strict=True):
            said = str(int(code)) if level == "district" else code
            parent = CITY if level == "district" else code[:-1]
            yield _feature(level, code, (zh.format(said), en.format(said)), parent, shape)


def places(data: Path) -> Iterator[list[object]]:
    """The risk areas, each a row; many requests of one place are one, and numbers run from south to north."""
    for name, zone, influence_m, (zh, en) in SETS:
        shapes = shapely.from_wkb(pq.read_table(data / "risk_points" / f"{name}.parquet")["geometry"].to_pylist())
        lonlat = np.unique(np.round(shapely.get_coordinates(shapes)[:, ::-1], 6), axis=0)[:, ::-1]
        for number, (lon, lat) in enumerate(lonlat.tolist(), start=1):
            code = f"{zone}{number:05d}"
            yield [code, zone, f"{zh}{number}", f"{en} {number}", influence_m, lon, lat]


def main(folder: Path, data: Path) -> None:
    """Fill `folder` from `data`; what an earlier call left there is replaced."""
    chicago, roads = data / "chicago", data / "chicago_roads_osm"
    for each in (chicago, roads):
        if not each.is_dir():
            sys.exit(f"{each}: there is no such folder; name the one that holds it as DATA or in CHICAGO_DATA")
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    for path in sorted(HERE.rglob("*.toml")):
        shutil.copyfile(path, folder / path.relative_to(HERE))
    lines = ",\n".join(features(chicago))
    (folder / "areas.geojson").write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', "utf-8")
    with (folder / "risk_areas.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "zone_type", "name_zh", "name_en", "influence_m", "lon", "lat"])
        writer.writerows(places(chicago))
    for path in sorted(chicago.glob("incidents_*.parquet")):
        _link(folder / path.name, path)
    _link(folder / "roads.parquet", roads / "edges.parquet")


def _feature(level: str, code: str, names: tuple[str, str], parent: str | None, shape: shapely.Geometry) -> str:
    properties = {"level": level, "code": code, "name_zh": names[0], "name_en": names[1], "parent_code": parent}
    geometry = json.loads(shapely.to_geojson(shapely.orient_polygons(shape)))
    body = {"type": "Feature", "properties": properties, "geometry": geometry}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target.resolve())


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    beside = HERE.parents[2] / "shared" / "data"
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else os.environ.get("CHICAGO_DATA", beside)))
