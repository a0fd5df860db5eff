"""Whether the job's results and the SQL's are equal to the last milli-kWh, row by row, qualities too."""

from pathlib import Path

import duckdb
from deltalake import DeltaTable

# result of the SQL → the job's table, the columns of both that are compared.
TABLES = {
    "energy": ("energy", "time_series_type AS kind, grid_area_code AS ga"),
    "per_brp": (
        "energy_per_brp",
        "time_series_type AS kind, grid_area_code AS ga, balance_responsible_party_id AS brp",
    ),
    "per_es": (
        "energy_per_es",
        "time_series_type AS kind, grid_area_code AS ga, balance_responsible_party_id AS brp, energy_supplier_id AS es",
    ),
    "per_neighbour": ("exchange_per_neighbor", "grid_area_code AS ga, neighbor_grid_area_code AS neighbour"),
}


def differing_rows(lake: Path, job_id: str, results: Path) -> dict[str, int]:
    """Per result: how many rows only one side has; zero everywhere: equal. Only settled areas are compared."""
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    different = {}
    for result, (table, keys) in TABLES.items():
        delta = DeltaTable(lake / "results" / table)
        files = [
            uri.removeprefix("file://") for uri in delta.file_uris(file_pruning_predicate=[("job_id", "=", job_id)])
        ]
        ours = f"SELECT {keys}, time, quantity, list_sort(quantity_qualities) AS qualities FROM read_parquet({files})"
        names = [part.split(" AS ")[1] for part in keys.split(", ")]
        theirs = f"SELECT {', '.join(names)}, time, quantity, qualities FROM '{results / result}.parquet'"
        inside = f"ga IN (SELECT DISTINCT grid_area_code FROM read_parquet({files}))"
        query = f"WITH a AS ({ours}), b AS ({theirs} WHERE {inside}) SELECT count(*) FROM ("
        query += "(SELECT * FROM a EXCEPT ALL SELECT * FROM b) UNION ALL (SELECT * FROM b EXCEPT ALL SELECT * FROM a))"
        row = connection.execute(query).fetchone()
        different[result] = int(row[0]) if row else -1
    return different
