"""Splitting, XML and dispatch (issue goals: coordinator and messages).

`python -m bench.messages [--rows 1000000] [--type D04]` makes a result of series of 2 976 quarters in one grid area,
splits it on one core, and sends what came out to a hub of its own: by dispatch, and by the bare loop of bench.hub.
"""

import argparse
import os
import resource
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from bench.hub import Event, bare_loop
from functions.adapters.event_hub import EventHubPostOffice
from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.adapters.result_tables import DeltaTables
from functions.coordinator.dispatch import dispatch_batch
from functions.coordinator.receive_result import split
from functions.coordinator.record import Frozen, JobRecord, JobState
from functions.messages import cim_json, cim_xml
from functions.messages.batch import ENDING, read_batch
from functions.ports import PostOfficeMessage
from local.event_hub.process import running_hub
from shared import lake_layout
from shared.settings import Settings

POINTS = 2976
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
    batches = _batches(first, chunks)
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


def _batches(first: pa.Table, others: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    yield from first.to_batches()
    for table in others:
        yield from table.to_batches()


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


def measure_split(root: Path, process_type: str, rows: int) -> FolderLake:
    """Split on one core; prints points per second of rows and of messages, and the resident memory."""
    lake = FolderLake(root)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    started, cpu = time.perf_counter(), time.process_time()
    until = datetime.now(UTC) + timedelta(hours=1)
    outcome = split(record(process_type), lake=lake, tables=DeltaTables(str(root)), clock=WallClock(), until=until)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"split {rows:,} rows of {process_type} into {outcome.messages:,} messages: {seconds:.2f} s, {cpu:.2f} s of CPU"
    )
    print(f"  {rows / seconds:,.0f} rows/s; {outcome.messages * POINTS / seconds:,.0f} points/s in messages")
    print(f"  {rows / cpu:,.0f} rows per second of CPU; {memory:,.0f} MB resident at most, making the table included")
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return lake


def measure_xml(lake: FolderLake) -> None:
    """The documents of the first batch as XML, from their JSON."""
    path = next(file.path for file in lake.list(lake_layout.OUTBOX))
    lines = read_batch(path.rpartition("/")[2].removesuffix(ENDING), lake.read(path)[0]) or []
    started = time.process_time()
    for line in lines:
        cim_xml.render(cim_json.parse(line.content))
    print(f"XML: {len(lines) * POINTS / (time.process_time() - started):,.0f} points per second of CPU")


@dataclass
class Watched:
    """A post office that remembers what went through it."""

    office: EventHubPostOffice
    sent: list[Event]

    def send(self, messages: Iterable[PostOfficeMessage]) -> None:
        """Send on."""
        self.office.send(self._watched(messages))

    def _watched(self, messages: Iterable[PostOfficeMessage]) -> Iterator[PostOfficeMessage]:
        for message in messages:
            self.sent.append(Event(message.recipient, message.body))
            yield message

    def fits(self, message: PostOfficeMessage) -> bool:
        """As the hub says."""
        return self.office.fits(message)

    def check(self) -> None:
        """As the hub says."""
        self.office.check()


def measure_dispatch(lake: FolderLake) -> None:
    """Dispatch the outbox, then send the same bodies with the bare loop."""
    with tempfile.TemporaryDirectory() as state, running_hub(Path(state)) as hub:
        settings = {"POST_OFFICE": hub.connection_string, "POST_OFFICE_HUB": hub.name}
        office = Watched(EventHubPostOffice(Settings.from_environment(settings)), [])
        office.check()
        paths = [file.path for file in lake.list(lake_layout.OUTBOX)]
        started, deadline = time.perf_counter(), lake.clock.now() + timedelta(hours=1)
        for path in paths:
            dispatch_batch(
                path, lake=lake, post_office=office, public_base_url="http://x", clock=lake.clock, deadline=deadline
            )
        seconds = time.perf_counter() - started
        office.office.close()
        bare = bare_loop(hub.connection_string, hub.name, office.sent)
    rate, yardstick = len(office.sent) / seconds, bare.events_per_second
    print(f"dispatch: {rate:,.0f} messages/s; bare loop: {yardstick:,.0f}; {rate / yardstick:.2f} of it")


def main() -> None:
    """Make, split, send, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.messages")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--type", default="D04", choices=["D03", "D04", "D05"])
    chosen = parser.parse_args()
    series = max(1, chosen.rows // POINTS)
    with tempfile.TemporaryDirectory() as folder:
        write_result(Path(folder), series)
        lake = measure_split(Path(folder), chosen.type, series * POINTS)
        measure_xml(lake)
        measure_dispatch(lake)


if __name__ == "__main__":
    main()
