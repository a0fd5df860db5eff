"""Hand a job to the platform: the record first, then run-now, then its id on the record (coordinator 4).

However often it is repeated, the idempotency token makes one run of an attempt.
"""

import logging
from dataclasses import replace

from functions import observability
from functions.coordinator.errors import without_folders
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.states import CALCULATING, transition
from functions.ports import JobRunner, Run, RunRefused, Unavailable
from shared.danish_time import parse_instant

logger = logging.getLogger(__name__)


def run_token(record: JobRecord) -> str:
    """The idempotency token of the record's current attempt."""
    return f"{record.job_id}-{record.attempt}"


def submit(record: JobRecord, *, records: RecordStore, runner: JobRunner, tables_uri: str, etag: str = "") -> JobRecord:
    """Start the run of the current attempt and note its id; a platform that cannot be reached is asked again later.

    `etag`: of the record, where it was just written.
    """
    parameters = {**record.arguments, "attempt": str(record.attempt), "lake": tables_uri}
    try:
        run_id = runner.start(parameters, run_token(record))
    except Unavailable as error:
        observability.count("aggregations.retries", what="start of a run")
        logger.warning("the run could not be started yet: %s", error, extra={"job_id": record.job_id})
        return record
    except RunRefused as error:
        state = JobState.CANCELLED if record.cancel_requested else JobState.FAILED
        return end(record, state, without_folders(f"the run was refused: {error}"), records=records)
    logger.info("run %s was started", run_id, extra={"job_id": record.job_id})

    def noted(current: JobRecord) -> JobRecord:
        # A run may have left its manifest before its id is known: it is noted all the same.
        same = current.attempt == record.attempt
        return replace(current, run_id=run_id, start_after=None) if same else current

    changed = records.change(record.job_id, noted, known=(record, etag))
    if changed.status in CALCULATING or changed.run_id != run_id:
        return changed
    return note_run(changed, records=records, runner=runner)


def note_run(record: JobRecord, *, records: RecordStore, runner: JobRunner) -> JobRecord:
    """Put id and page of the run on the record of a job that goes on without it, where they are not there yet."""
    known = known_run(record, runner)
    if known is None:
        return record
    return records.change(record.job_id, lambda now: with_run(now, record.attempt, known))


def known_run(record: JobRecord, runner: JobRunner) -> Run | None:
    """The run of a job that has its manifest, asked for where the record lacks its id or page; None: nothing new.

    The answer to run-now may have been lost, so that only the platform's list tells the run. A failing read never
    holds the job up.
    """
    if record.run_id is not None and record.run_page is not None:
        return None
    try:
        if record.run_id is not None:
            return runner.run(record.run_id)
        return runner.find(record.job_id, record.attempt, parse_instant(record.created))
    except Exception as error:
        logger.warning("the run is not known: %s", error, extra={"job_id": record.job_id})
        return None


def with_run(record: JobRecord, attempt: int, run: Run | None) -> JobRecord:
    """The record with the run of that attempt on it, if it is still in it and knows no other one."""
    if run is None or record.attempt != attempt or record.run_id not in (None, run.run_id):
        return record
    return replace(record, run_id=run.run_id, run_page=run.page or record.run_page)


def end(record: JobRecord, state: JobState, reason: str, *, records: RecordStore) -> JobRecord:
    """Failed or Cancelled, if the job is still in the attempt and stage that the reason speaks of."""
    error = reason if state is JobState.FAILED else None

    def ended(current: JobRecord) -> JobRecord:
        if current.attempt != record.attempt or current.status not in CALCULATING | {record.status}:
            return current
        return transition(current, state, at=records.now(), cause=reason, error=error)

    result = records.change(record.job_id, ended)
    if result.status is state:
        records.close(result)
    return result
