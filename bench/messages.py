"""Splitting, XML and dispatch (issue goals: coordinator and messages).

`python -m bench.messages [--rows 1000000] [--rounds 1]` makes a result of series of 2 976 quarters in one grid area,
splits it on one core, and sends what came out to a hub of its own: by dispatch, and by the bare loop of bench.hub.
Rates of splitting and XML are per second of CPU, so that a busy machine changes them little; dispatch and the bare loop
send the same file in turn, so that they meet the same load.
"""

import argparse
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from bench.hub import Event, bare_loop
from bench.report import table
from functions.adapters.event_hub import EventHubPostOffice
from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.adapters.result_tables import DeltaTables
from functions.coordinator.dispatch import dispatch_batch
from functions.coordinator.receive_result import split
from functions.coordinator.record import Frozen, JobRecord, JobState
from functions.messages import cim_json, cim_xml, envelope
from functions.messages.batch import ENDING, Line, read_batch
from local.event_hub.process import running_hub
from shared import lake_layout
from shared.settings import Settings

POINTS = 2976
LARGE_RESULT = 20_000_000
JOB = "0b9d7c0e-9d0c-4d7c-8f70-2f2d3a1c5b01"
SETS = [["measured"], ["measured"], ["measured"], ["measured", "missing"], ["calculated", "estimated", "measured"]]
KINDS = ("production", "flex_consumption", "non_profiled_consumption")
START = np.datetime64("2025-01-31T23:00", "us")


class FolderLake(InMemoryLake):
    """Keeps the contents in a folder, so that memory shows what splitting needs."""

    def __init__(self, root: Path) -> None:
        super().__init__(FakeClock())
        self.root = root

    def _store(self, path: str, content: bytes) -> str:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return super()._store(path, b"")

    def read(self, path: str) -> tuple[bytes, str]:
        """Content and ETag."""
        etag = super().read(path)[1]
        return (self.root / path).read_bytes(), etag


class WallClock:
    """The time as it is."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)


def write_result(root: Path, series: int) -> None:
    """A table energy_per_es of one grid area, and its owner."""
    ids = sorted(str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))) for number in range(series))
    path = str(root / lake_layout.result_table(lake_layout.ENERGY_PER_ES))
    chunks = (_rows(ids, first, min(series, first + 100)) for first in range(0, series, 100))
    first = next(chunks)
    batches = (batch for rows in chain([first], chunks) for batch in rows.to_batches())
    reader = pa.RecordBatchReader.from_batches(first.schema, batches)
    write_deltalake(path, reader, partition_by=["job_id", "attempt"])
    instant = pa.timestamp("us", tz="UTC")
    owner = pa.table(
        {
            "grid_area_code": ["800"],
            "owner_id": ["5790000000010"],
            "from_date": pa.array([datetime(2020, 1, 1, tzinfo=UTC)], instant),
            "to_date": pa.array([None], instant),
        }
    )
    write_deltalake(str(root / lake_layout.input_table(lake_layout.GRID_AREA_OWNERS)), owner)


def _rows(ids: list[str], first: int, last: int) -> pa.Table:
    random = np.random.default_rng(first)
    numbers, count = np.repeat(np.arange(first, last), POINTS), (last - first) * POINTS
    chosen = random.choice(len(SETS), count)
    quantities = pa.array(random.integers(0, 10**6, count)).cast(pa.decimal128(19, 0)).cast(pa.decimal128(22, 3))
    constant = {"job_id": JOB, "grid_area_code": "800", "resolution": "PT15M"}
    return pa.table(
        {
            **{name: pa.array([value] * count) for name, value in constant.items()},
            "attempt": pa.array([1] * count, pa.int32()),
            "result_id": pa.array(np.array(ids, dtype=object)[numbers], pa.string()),
            "energy_supplier_id": pa.array([f"57900000{number:05d}" for number in numbers]),
            "balance_responsible_party_id": pa.array([f"57900010{number:05d}" for number in numbers]),
            "time_series_type": pa.array([KINDS[number % 3] for number in numbers]),
            "time": pa.array(
                np.tile(START + np.arange(POINTS) * np.timedelta64(15, "m"), last - first), pa.timestamp("us", tz="UTC")
            ),
            "quantity": quantities.cast(pa.decimal128(18, 3)),
            "quantity_qualities": pa.array([SETS[one] for one in chosen]),
        }
    )


def record(process_type: str) -> JobRecord:
    """The job, in Splitting."""
    arguments = {
        "process-type": process_type,
        "process-variant": "",
        "grid-areas": "800",
        "simulation": "false",
        "time-zone": "Europe/Copenhagen",
    }
    frozen = Frozen(
        version=1,
        split_at="2025-03-05T10:11:12Z",
        owners_version=0,
        delegations_version=None,
        esett_id="44V000000000029A",
    )
    return JobRecord(job_id=JOB, arguments=arguments, status=JobState.SPLITTING, created="", frozen=frozen)


def split_rate(root: Path, process_type: str, rows: int) -> tuple[FolderLake, float]:
    """Split on one core; rows of the result per second of CPU, from opening the tables to the last flushed file."""
    lake = FolderLake(root)
    shutil.rmtree(root / lake_layout.OUTBOX, ignore_errors=True)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        cpu, until = time.process_time(), datetime.now(UTC) + timedelta(hours=1)
        split(record(process_type), lake=lake, tables=DeltaTables(str(root)), clock=WallClock(), until=until)
        return lake, rows / (time.process_time() - cpu)
    finally:
        os.sched_setaffinity(0, cores)


def lines_of(lake: FolderLake, path: str) -> list[Line]:
    """The messages of one file of the outbox."""
    return read_batch(path.rpartition("/")[2].removesuffix(ENDING), lake.read(path)[0]) or []


def xml_rate(lines: list[Line]) -> float:
    """Documents as XML, from their JSON: points per second of CPU."""
    cpu = time.process_time()
    for line in lines:
        cim_xml.render(cim_json.parse(line.content))
    return len(lines) * POINTS / (time.process_time() - cpu)


def dispatch_rates(lake: FolderLake) -> tuple[float, float]:
    """Messages per second of dispatch and of the bare loop, over all files but the first, which opens the links."""
    messages, seconds, bare_seconds = 0, 0.0, 0.0
    with tempfile.TemporaryDirectory() as state, running_hub(Path(state)) as hub:
        settings = {"POST_OFFICE": hub.connection_string, "POST_OFFICE_HUB": hub.name}
        office = EventHubPostOffice(Settings.from_environment(settings))
        for path in sorted(file.path for file in lake.list(lake_layout.OUTBOX)):
            bodies = [Event(line.message.recipient, envelope.whole(line).body) for line in lines_of(lake, path)]
            started, deadline = time.perf_counter(), lake.clock.now() + timedelta(hours=1)
            dispatch_batch(
                path, lake=lake, post_office=office, public_base_url="http://x", clock=lake.clock, deadline=deadline
            )
            took = time.perf_counter() - started
            bare = bare_loop(hub.connection_string, hub.name, bodies)
            if "-00001-" not in path:
                messages, seconds, bare_seconds = messages + len(bodies), seconds + took, bare_seconds + bare.seconds
        office.close()
    return messages / seconds, messages / bare_seconds


def section(rows: int, rounds: int) -> str:
    """Measure `rounds` times with a result of about `rows` rows (at least 400 000, for several files); Markdown."""
    series = max(rows, 400_000) // POINTS
    rates: dict[str, list[float]] = {}

    def note(what: str, rate: float) -> None:
        rates.setdefault(what, []).append(rate)

    with tempfile.TemporaryDirectory() as large:
        note(*_most_memory(Path(large), LARGE_RESULT // POINTS))
    with tempfile.TemporaryDirectory() as folder:
        note(*_most_memory(Path(folder), series))
        for _ in range(rounds):
            # D05 sends each row of energy_per_es once, D04 to the supplier, the balance responsible and eSett.
            note("split D05, rows per second of CPU", split_rate(Path(folder), "D05", series * POINTS)[1])
            lake, rate = split_rate(Path(folder), "D04", series * POINTS)
            note("split D04, rows per second of CPU", rate)
            note("split D04, points in messages per second of CPU", 3 * rate)
            first = next(lake.list(lake_layout.OUTBOX)).path
            note("documents as XML, points per second of CPU", xml_rate(lines_of(lake, first)[:100]))
            sent, bare = dispatch_rates(lake)
            note("bare producer loop, messages per second", bare)
            note("dispatch, messages per second", sent)
            note("dispatch / bare loop", sent / bare)
    lines = [[what, *(_shown(of(values)) for of in _COLUMNS)] for what, values in rates.items()]
    return table(["what", "min", "median", "max"], lines)


def _most_memory(root: Path, series: int) -> tuple[str, float]:
    """Write a result, and split it in a process of its own; the name and the value of the figure."""
    write_result(root, series)
    with ProcessPoolExecutor(1, get_context("spawn")) as another:
        memory = another.submit(_memory, root, series * POINTS).result()
    return f"most memory of a process that splits {series * POINTS:,} rows, MB", memory


def _memory(root: Path, rows: int) -> float:
    """The most memory that a process needs which does nothing but split, what this module imports included."""
    split_rate(root, "D04", rows)
    # Not ru_maxrss: that of the process which started this one would count too.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


_COLUMNS: tuple[Callable[[list[float]], float], ...] = (min, median, max)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.messages")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    chosen = parser.parse_args()
    print(section(chosen.rows, chosen.rounds))


if __name__ == "__main__":
    main()
