"""Write the invented files of Jiangdong New Area: `python -m data.jiangdong.make [FOLDER]`.

They go beside villages.csv, or into FOLDER. The same seed gives the same bytes.
"""

import csv
import sys
from pathlib import Path

import pyarrow.parquet as pq

from data.jiangdong.make import areas, events, places, roads
from data.partition import collection

HERE = Path(__file__).parents[1]
RESOURCES = ["code", "kind", "name_zh", "name_en", "unit", "device_id", "lon", "lat", "synthetic"]


def main(target: Path = HERE) -> None:
    """Write all files to `target` and print what they hold."""
    land = areas.partition()
    network = roads.network(land)
    zones = places.zones(land)
    lines = {
        "areas.geojson": areas.features(land),
        "roads.geojson": roads.features(network),
        "risk_areas.geojson": places.zone_features(zones),
    }
    for name, features in lines.items():
        (target / name).write_text(collection(features), "utf-8")
        print(f"{name}: {len(features)}")
    with (target / "resources.csv").open("w", encoding="utf-8", newline="") as file:
        rows = places.resources(land, zones, network)
        csv.writer(file, lineterminator="\n").writerows([RESOURCES, *rows])
    print(f"resources.csv: {len(rows)}")
    incidents = events.table(land, zones, network)
    pq.write_table(incidents, target / "incidents.parquet", compression="zstd", compression_level=19)
    print(f"incidents.parquet: {len(incidents)}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
