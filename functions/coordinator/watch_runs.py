"""What Databricks says about a run → where its job stands (coordinator 4). Safe to run twice at once."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from functions.coordinator.errors import without_folders
from functions.coordinator.manifests import find_failure, mark_calculated
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.start_job import give_way
from functions.coordinator.states import CALCULATING, ENDED, transition
from functions.coordinator.submit import end, note_run, submit
from functions.ports import JobRunner, NotFound, Run, RunPhase, Unavailable
from shared.danish_time import format_instant, parse_instant

logger = logging.getLogger(__name__)
ASK_FOR = timedelta(minutes=1)
START_FOR = timedelta(hours=1)
MANIFEST_WITHIN = timedelta(minutes=10)
CAPACITY_REFUSALS = 5
CAPACITY_PAUSE = timedelta(minutes=1)


def watch_runs(*, records: RecordStore, runner: JobRunner, tables_uri: str) -> None:
    """Look at every open job; one that cannot be looked at never keeps the others from it.

    Where the platform hangs, only manifests are looked for when ASK_FOR is over; each round begins with another job.
    """
    began, markers = records.clock.now(), list(records.open_jobs())
    first = int(began.timestamp()) % len(markers) if markers else 0
    for marker in markers[first:] + markers[:first]:
        job_id = marker.path.rpartition("/")[2]
        try:
            if abs(records.clock.now() - began) < ASK_FOR:
                watch_job(job_id, records=records, runner=runner, tables_uri=tables_uri)
            else:
                mark_calculated(job_id, records=records)
        except Unavailable as error:
            logger.warning("the job could not be watched: %s", error, extra={"job_id": job_id})
        except Exception:
            logger.exception("watching failed", extra={"job_id": job_id})


def watch_job(job_id: str, *, records: RecordStore, runner: JobRunner, tables_uri: str) -> JobRecord | None:
    """Bring one job to where its manifest and its run say that it is."""
    record = mark_calculated(job_id, records=records, runner=runner)
    if record is None:
        return None
    if record.status not in CALCULATING:
        calculated = record.status is not JobState.SCHEDULED and record.status not in ENDED
        return note_run(record, records=records, runner=runner) if calculated else record
    if record.run_id is None:
        return _start(record, records=records, runner=runner, tables_uri=tables_uri)
    try:
        run = runner.run(record.run_id)
    except NotFound:
        return _ended(record, JobState.FAILED, f"Databricks no longer knows run {record.run_id}", records)
    record = _note_page(record, run, records)
    if record.cancel_requested and run.phase in (RunPhase.WAITING, RunPhase.RUNNING):
        runner.cancel(run.run_id)
        return record
    return FOLLOW[run.phase](record, run, records)


def _start(record: JobRecord, *, records: RecordStore, runner: JobRunner, tables_uri: str) -> JobRecord:
    now = records.clock.now()
    if record.start_after is not None:
        if record.cancel_requested:
            return _never_started(record, records)
        if now < parse_instant(record.start_after):
            return record
        record = _about_to_start(record, records)
    if record.status not in CALCULATING or record.start_after is not None:
        return record
    if now - parse_instant(_submitted(record)) > START_FOR:
        state = JobState.CANCELLED if record.cancel_requested else JobState.FAILED
        return end(record, state, "the run could not be started for an hour", records=records)
    record = give_way(record, records)
    # A cancelled job is started as well: only so the run that an earlier try may have started becomes known.
    return submit(record, records=records, runner=runner, tables_uri=tables_uri)


def _about_to_start(record: JobRecord, records: RecordStore) -> JobRecord:
    """Say on the record that a run may be under way, before it is: a wish to cancel then waits for its end."""

    def starts(now: JobRecord) -> JobRecord:
        same = now.attempt == record.attempt and not now.cancel_requested
        return replace(now, start_after=None) if same else now

    return records.change(record.job_id, starts)


def _never_started(record: JobRecord, records: RecordStore) -> JobRecord:
    """Cancelled while it waits for room: no run of this attempt is under way as long as the record says so."""

    def cancelled(now: JobRecord) -> JobRecord:
        if now.start_after is None or now.attempt != record.attempt or now.status not in CALCULATING:
            return now
        return transition(
            now, JobState.CANCELLED, at=records.now(), cause="cancelled while no run was under way", start_after=None
        )

    result = records.change(record.job_id, cancelled)
    if result.status is JobState.CANCELLED:
        records.close(result)
    return result


def _submitted(record: JobRecord) -> str:
    """When the current attempt became Submitted."""
    steps = [step.at for step in record.history if step.state is JobState.SUBMITTED and step.attempt == record.attempt]
    return steps[-1] if steps else record.created


def _note_page(record: JobRecord, run: Run, records: RecordStore) -> JobRecord:
    if run.page is None or run.page == record.run_page:
        return record
    return records.change(
        record.job_id, lambda now: replace(now, run_page=run.page) if now.run_id == run.run_id else now
    )


def _goes_to(state: JobState) -> Callable[[JobRecord, Run, RecordStore], JobRecord]:
    def follow(record: JobRecord, run: Run, records: RecordStore) -> JobRecord:
        def update(now: JobRecord) -> JobRecord:
            if now.status not in CALCULATING or now.attempt != record.attempt:
                return now
            return transition(now, state, at=records.now(), cause=f"run {run.run_id} is {run.state}")

        return records.change(record.job_id, update)

    return follow


def _succeeded(record: JobRecord, run: Run, records: RecordStore) -> JobRecord:
    if record.cancel_requested:
        return _ended(record, JobState.CANCELLED, f"run {run.run_id} has ended", records)
    now = records.clock.now()
    if record.run_ended_at is None:
        seen = format_instant(now)
        return records.change(
            record.job_id,
            lambda current: (
                replace(current, run_ended_at=seen)
                if current.attempt == record.attempt and current.run_ended_at is None
                else current
            ),
        )
    if now - parse_instant(record.run_ended_at) < MANIFEST_WITHIN:
        return record
    minutes = int(MANIFEST_WITHIN.total_seconds() // 60)
    return _ended(
        record, JobState.FAILED, f"run {run.run_id} succeeded, but left no manifest in {minutes} min", records
    )


def _failed(record: JobRecord, run: Run, records: RecordStore) -> JobRecord:
    reason = find_failure(records.lake, record) or run.error or f"run {run.run_id} ended as {run.state}"
    return _ended(record, JobState.FAILED, without_folders(reason), records)


def _cancelled(record: JobRecord, run: Run, records: RecordStore) -> JobRecord:
    return _ended(record, JobState.CANCELLED, f"run {run.run_id} ended as {run.state}", records)


def _refused(record: JobRecord, run: Run, records: RecordStore) -> JobRecord:
    """No room at the platform: a new attempt later, five at most."""
    refusals = record.capacity_refusals + 1
    if record.cancel_requested:
        return _cancelled(record, run, records)
    if refusals > CAPACITY_REFUSALS:
        return _ended(record, JobState.FAILED, f"the platform had no room for {refusals} attempts", records)
    later = format_instant(records.clock.now() + CAPACITY_PAUSE * refusals)

    def again(now: JobRecord) -> JobRecord:
        if now.status not in CALCULATING or now.attempt != record.attempt:
            return now
        fresh = {"attempt": now.attempt + 1, "run_id": None, "run_page": None, "run_ended_at": None}
        cause = f"run {run.run_id} ended as {run.state}"
        changes = {**fresh, "start_after": later, "capacity_refusals": refusals}
        return transition(now, JobState.SUBMITTED, at=records.now(), cause=cause, **changes)

    return records.change(record.job_id, again)


def _ended(record: JobRecord, state: JobState, reason: str, records: RecordStore) -> JobRecord:
    """The run is over: its manifest has the last word, then a wish to cancel, then the run."""
    latest = mark_calculated(record.job_id, records=records) or record
    if latest.status not in CALCULATING or latest.attempt != record.attempt:
        return latest
    return end(latest, JobState.CANCELLED if latest.cancel_requested else state, reason, records=records)


FOLLOW = {
    RunPhase.WAITING: _goes_to(JobState.SUBMITTED),
    RunPhase.RUNNING: _goes_to(JobState.RUNNING),
    RunPhase.SUCCEEDED: _succeeded,
    RunPhase.FAILED: _failed,
    RunPhase.CANCELLED: _cancelled,
    RunPhase.REFUSED: _refused,
}
