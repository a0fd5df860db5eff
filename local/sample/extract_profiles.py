"""Make `profiles.parquet` from the PyPI package simbench; run once, its result is committed.

    uv run --with simbench==1.6.3 --with pyarrow python local/sample/extract_profiles.py

The database SimBench is under the Open Database License (profiles.LICENSE.md). Its profiles hold a value for every
quarter hour of 2016, as a share of the year's peak, in German local time. The extract begins on Wednesday 5 October
2016, so that weekdays and the 25-hour Sunday fall as in October 2025, and keeps whole ten-thousandths.
"""

import csv
from importlib.resources import files
from itertools import dropwhile, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FIRST = "05.10.2016 00:00"
QUARTERS = 31 * 96 + 4
NETWORK = "1-complete_data-mixed-all-0-sw"
LOADS = (
    *("H0-A", "H0-B", "H0-C", "H0-G", "H0-H", "H0-L"),  # households
    *("G0-A", "G0-M", "G1-A", "G1-B", "G2-A", "G3-A", "G3-H", "G4-A", "G4-B", "G5-A", "G6-A"),  # trade and industry
    *("L0-A", "L1-A", "L2-A", "BL-H", "WB-H"),  # farms and others
)
HEATING = ("Air_Parallel_1", "Soil_Alternative_1")
RENEWABLES = ("PV1", "PV3", "PV5", "PV8", "WP2", "WP4", "WP7", "WP10")


def main() -> None:
    """Write the extract beside this file."""
    folder = Path(str(files("simbench"))) / "networks" / NETWORK
    load_columns = {name: f"{name}_pload" for name in (*LOADS, *HEATING)}
    columns = read(folder / "LoadProfile.csv", load_columns)
    columns |= read(folder / "RESProfile.csv", {name: name for name in RENEWABLES})
    table = pa.table({name: pa.array(values, pa.int16()) for name, values in columns.items()})
    pq.write_table(table, Path(__file__).with_name("profiles.parquet"), compression="zstd", compression_level=19)


def read(path: Path, columns: dict[str, str]) -> dict[str, list[int]]:
    """The wanted columns of one profile file, in ten-thousandths, over the sample's quarters."""
    values: dict[str, list[int]] = {name: [] for name in columns}
    with path.open(encoding="utf-8", newline="") as lines:
        from_first = dropwhile(lambda row: row["time"] != FIRST, csv.DictReader(lines, delimiter=";"))
        for row in islice(from_first, QUARTERS):
            for name, column in columns.items():
                values[name].append(round(float(row[column]) * 10_000))
    wrong = [name for name, series in values.items() if len(series) != QUARTERS]
    if wrong:
        raise SystemExit(f"{path.name}: {', '.join(wrong)} have not {QUARTERS} quarters")
    return values


if __name__ == "__main__":
    main()
