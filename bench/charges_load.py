"""Writes the charge tables of charges_load.sql beside the metering points of a generated lake."""

from pathlib import Path

import duckdb
from deltalake import DeltaTable, write_deltalake

from bench.compare import files
from shared.lake_layout import CHARGE_INPUT_TABLES, METERING_POINT_PERIODS, input_table


def add_charges(lake: Path) -> None:
    """Four charges on every metering point but exchange, and fees on some."""
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    periods = connection.read_parquet(files(DeltaTable(lake / input_table(METERING_POINT_PERIODS))))
    numbered = "metering_point_id, grid_area_code, row_number() OVER (ORDER BY metering_point_id) AS number"
    periods.filter("type <> 'E20'").project(numbered).create("metering_points")
    connection.execute((Path(__file__).parent / "charges_load.sql").read_text(encoding="utf-8"))
    for table in CHARGE_INPUT_TABLES:
        write_deltalake(lake / input_table(table), connection.table(table).to_arrow_table(), mode="overwrite")
