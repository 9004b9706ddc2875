"""Rows for the benchmarks: the sample city's real incidents, repeated with other ids, times and a jitter of place."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
TORONTO = ROOT / "data" / "toronto"

SOURCE = """id = "bench"
target = "incidents"
title = {{ zh = "基准", en = "Benchmark" }}
file = "{file}"
format = "{format}"
mode = "append"
key = ["id"]
datum = "EPSG:4326"
licence = "Open Government Licence - Toronto"
attribution = "made from the sample city"
columns = {{ occurred_at = "occurred_at_local", category = "category", lon = "lon", lat = "lat" }}
attributes = {{ premises_type = "premises_type", reported_neighbourhood = "neighbourhood" }}
constants = {{ origin = "citizen" }}
[values.category]
"Assault" = "assault"
"Break and Enter" = "break_and_enter"
"Auto Theft" = "auto_theft"
"Robbery" = "robbery"
"Theft Over" = "theft_over"
"""


def rows(count: int, first_id: int, seed: int = 1) -> pa.Table:
    """`count` incidents with ids from `first_id`, in the columns of the sample city's file and `id`."""
    real = pq.read_table(TORONTO / "incidents.parquet")
    random = np.random.default_rng(seed + first_id)
    table = real.take(pa.array(random.integers(0, len(real), count)))
    shift = pa.array(random.integers(0, 3600, count).astype("timedelta64[s]"))
    at = table.column("occurred_at_local").cast(pa.timestamp("s"))
    table = table.set_column(
        table.schema.get_field_index("occurred_at_local"),
        "occurred_at_local",
        pc.add(at, shift.cast(pa.duration("s"))),
    )
    for name in ("lon", "lat"):
        place = table.schema.get_field_index(name)
        moved = table.column(name).to_numpy() + random.uniform(-1e-4, 1e-4, count)
        table = table.set_column(place, name, pa.array(moved))
    ids = pa.array(np.arange(first_id, first_id + count)).cast(pa.string())
    return table.append_column("id", pc.binary_join_element_wise("T-", ids, ""))


def write_parquet(table: pa.Table, path: Path) -> None:
    """As a Parquet file."""
    pq.write_table(table, path)


def write_csv(count: int, path: Path) -> None:
    """`count` rows as CSV, a million at a time."""
    for start in range(0, count, 1_000_000):
        part = rows(min(1_000_000, count - start), start)
        options = pyarrow.csv.WriteOptions(include_header=start == 0)
        with path.open("ab") as file:
            pyarrow.csv.write_csv(part, file, options)
