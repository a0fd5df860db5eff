"""Try a job again under its id (coordinator 3): a new run where it had no result, else only the splitting again."""

from functions.coordinator.errors import Conflict
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.start_job import claim_active
from functions.coordinator.states import transition
from functions.coordinator.submit import submit
from functions.ports import JobRunner

RETRIED = (JobState.FAILED, JobState.CANCELLED)


def retry_job(job_id: str, *, records: RecordStore, runner: JobRunner, tables_uri: str) -> JobRecord:
    """Submitted in a new attempt, or Calculated again. Raises UnknownJob, Conflict."""
    _must_have_ended(records.get(job_id))
    lease = records.hold_open(job_id)
    try:
        record = records.get(job_id)  # as it is now that nobody else lets it go on
        _must_have_ended(record)
        if not record.simulation:
            claim_active(record, records, again=True)
        lease.renew()  # this host may have been held up for longer than the lease lasts
        record = records.change(job_id, lambda now: _again(now, records))
        records.mark_open(job_id)  # or held up just now
    finally:
        lease.release()
    if record.status is JobState.SUBMITTED and record.run_id is None:
        record = submit(record, records=records, runner=runner, tables_uri=tables_uri)
    return record


def _must_have_ended(record: JobRecord) -> None:
    if record.status not in RETRIED:
        raise Conflict(f"a job that is {record.status} cannot be tried again", jobStatus=record.status.value)


def _again(record: JobRecord, records: RecordStore) -> JobRecord:
    _must_have_ended(record)
    if was_calculated(record):
        cause = "retried: splits again from the same manifest"
        return transition(record, JobState.CALCULATED, at=records.now(), cause=cause, error=None, split_failures=0)
    fresh = {"attempt": record.attempt + 1, "run_id": None, "run_page": None, "run_ended_at": None, "error": None}
    wishes = {"cancel_requested": False, "start_after": None, "capacity_refusals": 0}
    return transition(record, JobState.SUBMITTED, at=records.now(), cause="retried", **fresh, **wishes)


def was_calculated(record: JobRecord) -> bool:
    """Whether the current attempt left a manifest that counted."""
    return any(step.state is JobState.CALCULATED and step.attempt == record.attempt for step in record.history)
