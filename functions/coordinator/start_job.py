"""Start a job, now or later: key, markers, record, run, in an order in which every crash heals (coordinator 3 and 4).

A crash after the key file: the same key creates the record. After a marker: it counts for a minute without a record,
then it is taken over. After the record: the timers start the run with the same token.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.coordinator.cancel_job import cancel_job
from functions.coordinator.errors import Conflict, Unprocessable
from functions.coordinator.grid_areas import GridAreas
from functions.coordinator.job_keys import active_key, idempotency_key, new_job_id
from functions.coordinator.lake_age import older_than
from functions.coordinator.record import JobRecord, JobState, Transition
from functions.coordinator.records import Marker, RecordStore
from functions.coordinator.states import CALCULATING, ENDED
from functions.coordinator.submit import submit
from functions.ports import JobRunner
from shared import lake_layout
from shared.danish_time import format_instant
from shared.job_arguments import JobArguments

logger = logging.getLogger(__name__)
RECORD_WITHIN = timedelta(minutes=1)
"""A marker whose record has not come after this long was left by a crash."""


@dataclass(frozen=True, kw_only=True)
class StartRequest:
    """What a caller asks for. `arguments` keep every rule that needs no look-up; their job id is not used."""

    arguments: JobArguments
    caller: str
    body_hash: str
    scheduled_at: datetime | None = None
    key: str | None = None
    trace_id: str | None = None
    traceparent: str | None = None


def start_job(
    request: StartRequest, *, records: RecordStore, runner: JobRunner, areas: GridAreas, tables_uri: str
) -> JobRecord:
    """Start the job, or find the one that this caller's key stands for.

    Raises:
        Unprocessable: a grid area is not known, or the key was used with another body.
        Conflict: an equal actual job is under way; carries its id.
    """
    try:
        arguments = _with_areas(request.arguments, areas)
    except Unprocessable:
        # The areas were known when this key was used first: it stands for the same job still.
        if existing := _job_of_key(request, records):
            return existing
        raise
    new = new_job_id(records.clock.now())
    job_id = _claim_key(request, new, records)
    existing = records.find(job_id) if job_id != new else None
    if existing is not None:
        return existing
    record = _new_record(replace(arguments, job_id=job_id), request, records)
    began = records.clock.now()
    if not record.simulation:
        claim_active(record, records)
    young = records.mark_open(job_id)
    record, etag = records.create(record)
    held_up = abs(records.clock.now() - began) > RECORD_WITHIN / 2
    if record.status not in ENDED and (held_up or not young):
        # A sweep that saw no record may just have put an old marker away, and a host that was held up for so long may
        # have lost both of its markers, to a sweep or to an equal job.
        records.mark_open(job_id)
        if not record.simulation:
            _still_the_one(record, records, runner)
    if record.status is JobState.SUBMITTED and record.run_id is None:
        record = submit(record, records=records, runner=runner, tables_uri=tables_uri, etag=etag)
    return record


def _still_the_one(record: JobRecord, records: RecordStore, runner: JobRunner) -> None:
    """A host that was held up lost its marker to an equal job, perhaps: then this one gives way. Raises Conflict."""
    try:
        claim_active(record, records, again=True)
    except Conflict:
        cancel_job(record.job_id, records=records, runner=runner)
        raise


def _key_path(request: StartRequest) -> str:
    return f"{lake_layout.IDEMPOTENCY_KEYS}/{idempotency_key(request.caller, request.key or '')}"


def _job_of_key(request: StartRequest, records: RecordStore) -> JobRecord | None:
    marker = records.marker(_key_path(request)) if request.key else None
    return records.find(_checked(request, marker.content)) if marker else None


def _claim_key(request: StartRequest, job_id: str, records: RecordStore) -> str:
    if request.key is None:
        return job_id
    content = {"jobId": job_id, "bodyHash": request.body_hash}
    return _checked(request, records.claim(_key_path(request), content).content)


def _checked(request: StartRequest, content: dict[str, str]) -> str:
    if content["bodyHash"] != request.body_hash:
        raise Unprocessable({"Idempotency-Key": "was used before with another body"})
    return content["jobId"]


def _with_areas(arguments: JobArguments, areas: GridAreas) -> JobArguments:
    known = areas.known(arguments.period_start, arguments.period_end)
    unknown = sorted(set(arguments.grid_areas) - known)
    if unknown:
        raise Unprocessable({"gridAreas": f"{', '.join(unknown)}: no such grid area in the period"})
    if not known:
        raise Unprocessable({"gridAreas": "no grid area is known in the period"})
    return replace(arguments, grid_areas=tuple(sorted(set(arguments.grid_areas) or known)))


def _new_record(arguments: JobArguments, request: StartRequest, records: RecordStore) -> JobRecord:
    now = records.clock.now()
    later = request.scheduled_at is not None and request.scheduled_at > now
    state = JobState.SCHEDULED if later else JobState.SUBMITTED
    at = format_instant(now)
    return JobRecord(
        job_id=arguments.job_id,
        arguments=arguments.to_parameters(),
        status=state,
        created=at,
        scheduled_at=format_instant(request.scheduled_at) if request.scheduled_at and later else None,
        caller=request.caller,
        trace_id=request.trace_id,
        traceparent=request.traceparent,
        history=[Transition(state, at, f"asked for by {request.caller}", 1)],
    )


def claim_active(record: JobRecord, records: RecordStore, *, again: bool = False) -> None:
    """Be the one actual job under way with these arguments. Raises Conflict when an equal one is.

    A marker of its own that is found is written anew: one of a start that died may be so old that an equal job, which
    finds no record, is about to take it. `again`: the job has ended and is about to go on; then whoever puts the marker
    of the ended job away comes too late, and whoever finds it knows that the record, as long as its history has no
    more steps than now, will follow.
    """
    path = f"{lake_layout.ACTIVE_JOBS}/{active_key(record.arguments)}"
    content: dict[str, Any] = {"jobId": record.job_id} | ({"again": len(record.history)} if again else {})
    while True:
        marker = records.claim(path, content)
        holder = marker.content.get("jobId", "")
        own = holder == record.job_id
        if own and not marker.etag:
            return  # it was just made
        if not own and _under_way(marker, path, records):
            raise Conflict(f"an equal actual job is under way: {holder}", jobId=holder)
        if records.take_over(path, content, marker.etag):
            return


def give_way(record: JobRecord, records: RecordStore) -> JobRecord:
    """A job whose start died on the way may have lost its marker to an equal one by now: then its end is wanted."""
    if record.simulation or record.cancel_requested:
        return record
    try:
        claim_active(record, records, again=True)
    except Conflict as conflict:
        logger.warning("the job gives way: %s", conflict, extra={"job_id": record.job_id})
        return records.change(
            record.job_id, lambda now: replace(now, cancel_requested=True) if now.status in CALCULATING else now
        )
    return record


def _under_way(marker: Marker, path: str, records: RecordStore) -> bool:
    """Whether the job of a marker is under way, or for a minute may be about to: then its record lags behind."""
    holder = records.find(marker.content.get("jobId", ""))
    if holder is not None and holder.status not in ENDED:
        return True
    if holder is not None and marker.content.get("again") != len(holder.history):
        return False  # it has ended for good, or again since it went on
    found = next((file for file in records.lake.list(lake_layout.ACTIVE_JOBS) if file.path == path), None)
    return found is not None and not older_than(RECORD_WITHIN, found.modified, lake=records.lake, clock=records.clock)
