"""Whether the job's results and the SQL's are equal, row by row, with quantities, prices, amounts and qualities."""

from pathlib import Path

import duckdb
from deltalake import DeltaTable

from shared.lake_layout import METERING_POINT_PERIODS, input_table, result_table

# Columns of the job's tables that the SQL calls otherwise; every other column has one name on both sides.
_AREA, _SUPPLIER = "grid_area_code AS ga", "energy_supplier_id AS es"
_KIND, _RESPONSIBLE = "time_series_type AS kind", "balance_responsible_party_id AS brp"
_QUALITIES = "list_sort(quantity_qualities) AS qualities"
_CHARGE = ("is_tax", "charge_code AS code", "charge_type", "charge_owner_id AS owner")
_UNIT = "quantity_unit AS unit"
_GRID_LOSS_KIND = (
    "CASE metering_point_type WHEN 'consumption' THEN 'flex_consumption' ELSE metering_point_type END AS kind"
)

# Result of the SQL → the job's table, the columns of both that are compared.
TABLES = {
    "energy": ("energy", (_KIND, _AREA, "time", "quantity", _QUALITIES)),
    "per_brp": ("energy_per_brp", (_KIND, _AREA, _RESPONSIBLE, "time", "quantity", _QUALITIES)),
    "per_es": ("energy_per_es", (_KIND, _AREA, _RESPONSIBLE, _SUPPLIER, "time", "quantity", _QUALITIES)),
    "per_neighbour": (
        "exchange_per_neighbor",
        (_AREA, "neighbor_grid_area_code AS neighbour", "time", "quantity", _QUALITIES),
    ),
    "grid_loss_points": (
        "grid_loss_time_series",
        ("metering_point_id", _GRID_LOSS_KIND, _AREA, _RESPONSIBLE, _SUPPLIER, "time", "quantity"),
    ),
    "amounts_per_charge": (
        "amounts_per_charge",
        (
            *(_AREA, _SUPPLIER, "quantity", _UNIT, _QUALITIES, "time", "resolution"),
            *("metering_point_type", "settlement_method", "price", "amount", *_CHARGE),
        ),
    ),
    "monthly_amounts_per_charge": (
        "monthly_amounts_per_charge",
        (_AREA, _SUPPLIER, _UNIT, "time", "amount", *_CHARGE),
    ),
    "total_monthly_amounts": (
        "total_monthly_amounts",
        (_AREA, _SUPPLIER, "time", "amount", "charge_owner_id AS owner"),
    ),
}


def require_equal(lake: Path, job_id: str, results: Path, what: str) -> None:
    """Every result that the SQL wrote is the job's, row by row; only settled areas are compared.

    Raises:
        RuntimeError: how many rows only one side has, per result.
    """
    different = differing_rows(lake, job_id, results)
    if any(different.values()):
        raise RuntimeError(f"{what} differ: {different}")


def differing_rows(lake: Path, job_id: str, results: Path) -> dict[str, int]:
    """Per result that the SQL wrote: how many rows only one side has; zero everywhere: equal."""
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'; SET enable_progress_bar = false")
    metering_points = files(DeltaTable(lake / input_table(METERING_POINT_PERIODS)))
    settled = f"ga IN (SELECT grid_area_code FROM read_parquet({metering_points}))"
    different = {}
    for written in sorted(results.glob("*.parquet")):
        table, columns = TABLES[written.stem]
        ours = files(DeltaTable(lake / result_table(table)), job_id)
        names = ", ".join(column.split(" AS ")[-1] for column in columns)
        query = f"WITH a AS (SELECT {', '.join(columns)} FROM read_parquet({ours})), "
        query += f"b AS (SELECT {names} FROM '{written}' WHERE {settled}) SELECT count(*) FROM ("
        query += "(FROM a EXCEPT ALL FROM b) UNION ALL (FROM b EXCEPT ALL FROM a))"
        row = connection.execute(query).fetchone()
        different[written.stem] = int(row[0]) if row else -1
    return different


def files(delta: DeltaTable, job_id: str | None = None) -> list[str]:
    """Where the files of a table lie, or those of a job's rows, as DuckDB wants it."""
    of_job = [("job_id", "=", job_id)] if job_id else None
    return [uri.removeprefix("file://") for uri in delta.file_uris(file_pruning_predicate=of_job)]
