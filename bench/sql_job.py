"""The same settlement in DuckDB SQL over the same files, twice in one session; the second run is the warm one.

`python -m bench.sql_job <lake> <analyst|fastest> <folder for the results>`: every result table is written as Parquet.
Prints {"first": s, "warm": s}.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
from deltalake import DeltaTable

INPUTS = ("metering_point_periods", "time_series_points", "grid_loss_metering_points")
RESULTS = ("energy", "per_brp", "per_es", "per_neighbour", "grid_loss_points")
PERIOD = ("2024-12-31T23:00:00Z", "2025-01-31T23:00:00Z")


def settle(connection: duckdb.DuckDBPyConnection, lake: Path, form: str, results: Path) -> None:
    """One settlement: open the files, calculate, write."""
    for table in INPUTS:
        files = [uri.removeprefix("file://") for uri in DeltaTable(lake / "input" / table).file_uris()]
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * FROM read_parquet({files})")
    connection.execute((Path(__file__).parent / f"{form}_energy.sql").read_text(encoding="utf-8"))
    for result in RESULTS:
        order = "ga, kind" if result in ("energy", "per_brp", "per_es") else "ga"
        connection.execute(f"COPY (SELECT * FROM {result} ORDER BY {order}, time) TO '{results / result}.parquet'")


def main() -> None:
    """Settle twice and tell."""
    lake, form, results = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    results.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'; SET threads = 2; SET memory_limit = '12GB'")
    for name, instant in zip(("period_start", "period_end"), PERIOD, strict=True):
        connection.execute(f"SET VARIABLE {name} = TIMESTAMPTZ '{instant}'")
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        settle(connection, lake, form, results)
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"first": seconds[0], "warm": seconds[1]}))


if __name__ == "__main__":
    main()
