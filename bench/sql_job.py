"""The same settlement in DuckDB SQL over the same files, twice in one session; the second run is the warm one.

`python -m bench.sql_job <lake> <analyst|fastest|wholesale> <folder for the results>`: every result table is written as
Parquet. `wholesale` is the whole D05: the analyst's energy, and the charges after it. Prints {"first": s, "warm": s}.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from bench.compare import files
from shared.danish_time import DEFAULT_TIME_ZONE
from shared.lake_layout import CHARGE_INPUT_TABLES, ENERGY_INPUT_TABLES, input_table

VARIABLES = {
    "period_start": "TIMESTAMPTZ '2024-12-31T23:00:00Z'",
    "period_end": "TIMESTAMPTZ '2025-01-31T23:00:00Z'",
    "time_zone": f"'{DEFAULT_TIME_ZONE}'",
}


@dataclass(frozen=True)
class Form:
    """Scripts, in order; what they read; what is written, with the order of its rows."""

    scripts: tuple[str, ...]
    inputs: tuple[str, ...]
    results: Mapping[str, str]


ENERGY_RESULTS = {
    "energy": "ga, kind, time",
    "per_brp": "ga, kind, time",
    "per_es": "ga, kind, time",
    "per_neighbour": "ga, time",
    "grid_loss_points": "ga, time",
}
# D05 writes no sums per balance responsible party and no exchange per neighbour (energy 11).
WHOLESALE_RESULTS = {
    **{result: ENERGY_RESULTS[result] for result in ("energy", "per_es", "grid_loss_points")},
    "amounts_per_charge": "ga, es, owner, code, charge_type, metering_point_type, settlement_method, time",
    "monthly_amounts_per_charge": "ga, es, owner, code, charge_type",
    "total_monthly_amounts": "ga, es, owner",
}
FORMS = {
    "analyst": Form(("analyst_energy",), ENERGY_INPUT_TABLES, ENERGY_RESULTS),
    "fastest": Form(("fastest_energy",), ENERGY_INPUT_TABLES, ENERGY_RESULTS),
    "wholesale": Form(
        ("analyst_energy", "analyst_wholesale"), ENERGY_INPUT_TABLES + CHARGE_INPUT_TABLES, WHOLESALE_RESULTS
    ),
}


def settle(connection: duckdb.DuckDBPyConnection, lake: Path, form: Form, results: Path) -> None:
    """One settlement: open the files, calculate, write."""
    for table in form.inputs:
        rows = f"read_parquet({files(DeltaTable(lake / input_table(table)))})"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * FROM {rows}")
    for script in form.scripts:
        connection.execute((Path(__file__).parent / f"{script}.sql").read_text(encoding="utf-8"))
    for result, order in form.results.items():
        connection.execute(f"COPY (SELECT * FROM {result} ORDER BY {order}) TO '{results / result}.parquet'")


def main() -> None:
    """Settle twice and tell."""
    lake, form, results = Path(sys.argv[1]), FORMS[sys.argv[2]], Path(sys.argv[3])
    results.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(
        "SET timezone = 'UTC'; SET enable_progress_bar = false; SET threads = 2; SET memory_limit = '12GB'"
    )
    for name, value in VARIABLES.items():
        connection.execute(f"SET VARIABLE {name} = {value}")
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        settle(connection, lake, form, results)
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"first": seconds[0], "warm": seconds[1]}))


if __name__ == "__main__":
    main()
