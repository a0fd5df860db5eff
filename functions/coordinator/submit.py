"""Hand a job to the platform: the record first, then run-now, then its id on the record (coordinator 4).

However often it is repeated, the idempotency token makes one run of an attempt.
"""

import logging
from dataclasses import replace

from functions import observability
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.states import CALCULATING, transition
from functions.ports import JobRunner, RunRefused, Unavailable

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
        return end(record, JobState.FAILED, f"the run was refused: {error}", records=records)
    logger.info("run %s was started", run_id, extra={"job_id": record.job_id})

    def noted(current: JobRecord) -> JobRecord:
        # A run may have left its manifest before its id is known: it is noted all the same.
        same = current.attempt == record.attempt
        return replace(current, run_id=run_id, start_after=None) if same else current

    changed = records.change(record.job_id, noted, known=(record, etag))
    if changed.status in CALCULATING or changed.run_id != run_id:
        return changed
    page = page_of(changed, runner)
    return records.change(
        record.job_id, lambda now: replace(now, run_page=page or now.run_page) if now.run_id == run_id else now
    )


def page_of(record: JobRecord, runner: JobRunner) -> str | None:
    """Where the platform shows the run, asked for if no watch has noted it; a failing read never holds the job up."""
    if record.run_page is not None or record.run_id is None:
        return record.run_page
    try:
        return runner.run(record.run_id).page
    except Exception as error:
        logger.warning("the page of the run is not known: %s", error, extra={"job_id": record.job_id})
        return None


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
