"""DuckDB, in a process and an environment of its own: DuckDB and NumPy are all that it imports.

Reads a job as JSON from its input: the Parquet file, the database to keep it in, threads, repeats and statements.
Writes the best time of each statement and its columns, `cell` and `value`, to the .npz file that the job names.
"""

import json
import sys
import time

import duckdb
import numpy as np


def main() -> None:
    """Load once, then ask each statement `repeat` times; the answer is fetched as NumPy arrays."""
    job = json.load(sys.stdin)
    connection = duckdb.connect(job["database"], config={"threads": job["threads"]})
    if not connection.execute("from duckdb_tables()").fetchall():
        connection.execute(
            "create type code as enum (select distinct category from read_parquet($1))", [job["parquet"]]
        )
        connection.execute(
            "create table incident as select * replace (category::code as category) from read_parquet($1) order by t",
            [job["parquet"]],
        )
    seconds, answers = [], {}
    for number, statement in enumerate(job["statements"]):
        best = np.inf
        for _ in range(job["repeat"]):
            start = time.perf_counter()
            answer = connection.execute(statement).fetchnumpy()
            best = min(best, time.perf_counter() - start)
        seconds.append(best)
        answers[f"cell{number}"], answers[f"value{number}"] = answer["cell"], answer["value"]
    np.savez(job["answer"], seconds=np.array(seconds), version=duckdb.__version__, **answers)


if __name__ == "__main__":
    main()
