"""Whatever an event was missed for (coordinator 1 and 4). Safe to run twice at once."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from functions import observability
from functions.coordinator.dispatching import Dispatching, dispatch_leftovers
from functions.coordinator.lake_age import older_than
from functions.coordinator.records import RecordStore
from functions.coordinator.results_received import Splitting, receive_result
from functions.coordinator.states import CALCULATING, ENDED
from functions.ports import Changed, LakeFile, LeaseHeld, PortError
from shared import lake_layout

logger = logging.getLogger(__name__)
KEYS_KEPT = timedelta(days=30)
MARKER_WITHOUT_RECORD = timedelta(minutes=10)
WORK_LEFT = timedelta(hours=1)
WRITING_LEFT = timedelta(hours=1)


def sweep(*, records: RecordStore, splitting: Splitting, dispatching: Dispatching, until: datetime) -> None:
    """Go on with every open job, send what waits, and put away what nobody needs."""
    states: Counter[str] = Counter()
    for marker in list(records.open_jobs()):
        job_id = marker.path.rpartition("/")[2]
        state = _guarded(partial(_sweep_job, job_id, marker, records, splitting, until), job_id)
        states[state or "not swept"] += 1
    for state, jobs in states.items():
        observability.measure("aggregations.jobs.open", jobs, state=state)
    _guarded(partial(dispatch_leftovers, records=records, dispatching=dispatching, until=until))
    for put_away in (_old_keys, _stale_active_markers, _dead_work, _dead_writing):
        _guarded(partial(put_away, records))


def _guarded[T](step: Callable[[], T], job_id: str | None = None) -> T | None:
    """One thing that cannot be swept never keeps the others from it."""
    try:
        return step()
    except PortError as error:
        logger.warning("the sweep goes on without it: %s: %s", type(error).__name__, error, extra={"job_id": job_id})
    except Exception:
        logger.exception("the sweep goes on without it", extra={"job_id": job_id})
    return None


def _sweep_job(job_id: str, marker: LakeFile, records: RecordStore, splitting: Splitting, until: datetime) -> str:
    record = records.find(job_id)
    if record is None:
        if _abandoned(marker, records):
            records.lake.delete(marker.path)
            # The record may have come just now: then its job must stay in sight.
            if records.find(job_id) is not None:
                records.mark_open(job_id)
        return "without record"
    if record.status in ENDED:
        records.close(record)
    elif record.status not in CALCULATING or records.lake.exists(lake_layout.manifest(job_id, record.attempt)):
        receive_result(job_id, records=records, splitting=splitting, until=until)
    return record.status.value


def _abandoned(marker: LakeFile, records: RecordStore) -> bool:
    """Whether the start that set a marker is dead: on a host whose clock is ahead, it may have been set just now."""
    return older_than(MARKER_WITHOUT_RECORD, marker.modified, lake=records.lake, clock=records.clock)


def _old_keys(records: RecordStore) -> None:
    for file in list(records.lake.list(lake_layout.IDEMPOTENCY_KEYS)):
        if records.clock.now() - file.modified > KEYS_KEPT:
            records.lake.delete(file.path, etag=file.etag)


def _stale_active_markers(records: RecordStore) -> None:
    """Markers of jobs that have ended or never came to be; those of open jobs went with them already."""
    for file in list(records.lake.list(lake_layout.ACTIVE_JOBS)):
        if records.clock.now() - file.modified < MARKER_WITHOUT_RECORD:
            continue
        marker = records.marker(file.path)
        record = records.find(marker.content.get("jobId", "")) if marker else None
        if record is not None and record.status in ENDED:
            records.close(record)
        elif record is None and _abandoned(file, records):
            try:
                records.lake.delete(file.path, etag=marker.etag if marker else file.etag)
            except (Changed, LeaseHeld):
                continue


def _dead_work(records: RecordStore) -> None:
    """Work tables of runs that died: the job has ended or is in a later attempt, and nothing came for an hour."""
    newest: dict[str, datetime] = {}
    for file in records.lake.list(lake_layout.WORK):
        folder = "/".join(file.path.split("/")[:2])
        newest[folder] = max(newest.get(folder, file.modified), file.modified)
    for folder, modified in newest.items():
        job_id, _, attempt = folder.partition("/")[2].rpartition(".")
        record = records.find(job_id) if attempt.isdecimal() else None
        over = record is None or record.status not in CALCULATING or record.attempt > int(attempt)
        if over and records.clock.now() - modified > WORK_LEFT:
            records.lake.delete_folder(folder)
            logger.info("work tables of a dead run were removed", extra={"job_id": job_id})


def _dead_writing(records: RecordStore) -> None:
    for file in list(records.lake.list(lake_layout.WRITING)):
        if records.clock.now() - file.modified > WRITING_LEFT:
            records.lake.delete(file.path)
