"""Cancel a job (coordinator 3): scheduled at once; running when its run has ended; from Calculated on not at all."""

import logging
from dataclasses import replace

from functions.coordinator.errors import Conflict
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.states import CALCULATING, transition
from functions.ports import JobRunner, Unavailable

logger = logging.getLogger(__name__)


def cancel_job(job_id: str, *, records: RecordStore, runner: JobRunner) -> JobRecord:
    """Cancel it or note that it is wanted; twice is the same. Raises UnknownJob, Conflict."""
    record = records.change(job_id, lambda now: _cancelled(now, records))
    if record.status is JobState.CANCELLED:
        records.close(record)
    elif record.run_id is not None:
        try:
            runner.cancel(record.run_id)
        except Unavailable as error:
            logger.warning("the watch timer cancels the run: %s", error, extra={"job_id": job_id})
    return record


def _cancelled(record: JobRecord, records: RecordStore) -> JobRecord:
    if record.status is JobState.SCHEDULED:
        return transition(record, JobState.CANCELLED, at=records.now(), cause="cancelled before its time")
    if record.status in CALCULATING:
        return replace(record, cancel_requested=True)
    if record.status is JobState.CANCELLED:
        return record
    raise Conflict(f"a job that is {record.status} cannot be cancelled", jobStatus=record.status.value)
