"""Fix on the record all that splitting depends on (coordinator 4), so that a second split gives equal bytes."""

import json
from typing import Any

from functions.coordinator.job_index import JobIndex
from functions.coordinator.record import Frozen, JobRecord, JobState
from functions.coordinator.records import TRIES, RecordStore, pause
from functions.ports import AlreadyExists, Changed, NotFound, ResultTables
from shared import lake_layout

PREDECESSOR_ARGUMENTS = ("process-type", "process-variant", "period-start", "period-end")


def next_version(records: RecordStore) -> int:
    """Count up state/version.json and return the new number; gaps are allowed, a number twice is not."""
    path = lake_layout.VERSION_COUNTER
    for attempt in range(TRIES):
        try:
            content, etag = records.lake.read(path)
        except NotFound:
            if _created(records, path):
                return 1
            pause(attempt)
            continue
        try:
            last = json.loads(content)["version"] if content else 0
            records.lake.replace(path, _counter(last + 1), etag)
        except (Changed, NotFound):
            pause(attempt)
            continue
        return int(last) + 1
    raise Changed(path)


def _created(records: RecordStore, path: str) -> bool:
    try:
        records.lake.create(path, _counter(1))
    except AlreadyExists:
        return False
    return True


def _counter(version: int) -> bytes:
    return json.dumps({"version": version}).encode()


def freeze(
    record: JobRecord, *, records: RecordStore, tables: ResultTables, index: JobIndex, esett_id: str | None
) -> Frozen:
    """What splitting this job reads: version, time, table versions, eSett and the predecessors."""
    version = next_version(records)
    return Frozen(
        version=version,
        split_at=records.now(),
        owners_version=tables.version(lake_layout.GRID_AREA_OWNERS),
        delegations_version=tables.version(lake_layout.DELEGATIONS),
        esett_id=esett_id,
        predecessors=find_predecessors(record, version, index),
    )


def find_predecessors(record: JobRecord, version: int, index: JobIndex) -> dict[str, dict[str, Any]]:
    """Per grid area the completed actual job with the highest lower version and the same type, variant and period."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    wanted = _areas(record)
    for _, other in index.newest_first(exact=True):
        if other.job_id == record.job_id or other.frozen is None or other.simulation:
            continue
        same = all(other.arguments[name] == record.arguments[name] for name in PREDECESSOR_ARGUMENTS)
        if not same or other.status is not JobState.COMPLETED or other.frozen.version >= version:
            continue
        for area in wanted & _areas(other):
            if area not in found or found[area][0] < other.frozen.version:
                found[area] = (other.frozen.version, {"job_id": other.job_id, "attempt": other.attempt})
    return {area: predecessor for area, (_, predecessor) in sorted(found.items())}


def _areas(record: JobRecord) -> set[str]:
    return set(record.arguments["grid-areas"].split(","))
