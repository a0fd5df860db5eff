"""Promote a completed simulation to an actual job: its messages are sent, no run is started (coordinator 3)."""

from dataclasses import replace

from functions.coordinator.errors import Conflict, Unprocessable
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.start_job import claim_active
from functions.coordinator.states import transition
from shared.codes import ProcessType, ProcessVariant
from shared.danish_time import parse_instant
from shared.errors import InvalidArguments
from shared.job_arguments import JobArguments, check_arguments


def promote_job(job_id: str, *, records: RecordStore) -> JobRecord:
    """Calculated again, from now on actual; the sweep splits it. Twice is the same answer.

    Raises:
        UnknownJob: there is no such job.
        Conflict: it is no completed simulation, or an equal actual job is under way.
        Unprocessable: its arguments break the rules for actual jobs.
    """
    record = records.get(job_id)
    if record.promoted:
        return record
    _must_be_completed(record)
    try:
        check_arguments(replace(arguments_of(record), simulation=False), FIELDS)
    except InvalidArguments as broken:
        raise Unprocessable(broken.fields) from broken
    lease = records.hold_open(job_id)
    try:
        record = records.get(job_id)  # as it is now that nobody else lets it go on
        if record.promoted:
            return record
        claim_active(record, records, again=True)
        lease.renew()  # this host may have been held up for longer than the lease lasts
        record = records.change(job_id, lambda now: _promoted(now, records))
        records.mark_open(job_id)  # or held up just now
        return record
    finally:
        lease.release()


FIELDS = {"period_start": "beginTime", "period_end": "endTime"}


def _must_be_completed(record: JobRecord) -> None:
    if not record.simulation or record.status is not JobState.COMPLETED:
        raise Conflict("only a completed simulation can be promoted", jobStatus=record.status.value)


def _promoted(record: JobRecord, records: RecordStore) -> JobRecord:
    if record.promoted:
        return record
    _must_be_completed(record)
    changes = {"promoted": True, "split_failures": 0}
    return transition(record, JobState.CALCULATED, at=records.now(), cause="promoted to an actual job", **changes)


def arguments_of(record: JobRecord) -> JobArguments:
    """The arguments as they were, typed again."""
    texts = record.arguments
    return JobArguments(
        job_id=record.job_id,
        process_type=ProcessType(texts["process-type"]),
        process_variant=ProcessVariant(texts["process-variant"]) if texts["process-variant"] else None,
        period_start=parse_instant(texts["period-start"]),
        period_end=parse_instant(texts["period-end"]),
        grid_areas=tuple(texts["grid-areas"].split(",")),
        simulation=texts["simulation"] == "true",
        attempt=record.attempt,
        quarterly_transition=parse_instant(texts["quarterly-transition"]),
        time_zone=texts["time-zone"],
    )
