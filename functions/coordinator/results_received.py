"""A result is there: its job goes from the manifest to the outbox, and on to its end (coordinator 4 and 6).

One instance splits a job at a time: it holds the lease of the job's open marker. One that dies loses it, and the sweep
goes on; what is split twice is equal.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from functions import observability
from functions.coordinator.errors import without_folders
from functions.coordinator.freeze import freeze
from functions.coordinator.holding import holding
from functions.coordinator.job_index import JobIndex
from functions.coordinator.manifests import mark_calculated
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.rejections import count_rejections
from functions.coordinator.states import CALCULATING, transition
from functions.ports import JobRunner, Lake, LeaseHeld, NotFound, PortError, ResultTables, Unavailable
from shared import lake_layout

logger = logging.getLogger(__name__)
FAILED_SPLITS = 5
LONGEST_REASON = 2000


class Outcome(Protocol):
    """What one splitting made; `batches` is None when its time was over before it had all of them."""

    @property
    def batches(self) -> list[str] | None:
        """The names of all batches."""

    @property
    def messages(self) -> int:
        """How many the job sends."""

    @property
    def rejected(self) -> int:
        """How many series can never be sent."""

    @property
    def without_receiver(self) -> int:
        """How many have nobody to go to."""


@dataclass(frozen=True)
class Splitting:
    """What receiving a result needs besides the records."""

    split: Callable[[JobRecord, datetime], Outcome]
    tables: ResultTables
    runner: JobRunner
    index: JobIndex
    esett_id: str | None


def receive_result(job_id: str, *, records: RecordStore, splitting: Splitting, until: datetime) -> JobRecord | None:
    """From the manifest as far as it goes now; None when the manifest has no record, which is left alone."""
    record = mark_calculated(job_id, records=records, runner=splitting.runner)
    if record is None:
        logger.warning("a manifest without a job record is left alone", extra={"job_id": job_id})
        return None
    if record.status in CALCULATING:
        logger.info("the manifest is not the one that is waited for", extra={"job_id": job_id})
        return record
    if record.status is JobState.CALCULATED and record.simulation:
        record = records.change(job_id, lambda now: _simulated(now, records))
    if record.status in (JobState.CALCULATED, JobState.SPLITTING) and not record.simulation:
        record = _split_alone(record, records, splitting, until)
    if record.status is JobState.DISPATCHING:
        record = complete(job_id, records=records) or record
    if record.status is JobState.COMPLETED:
        records.close(record)
    return record


def _simulated(record: JobRecord, records: RecordStore) -> JobRecord:
    if record.status is not JobState.CALCULATED or not record.simulation:
        return record
    return transition(record, JobState.COMPLETED, at=records.now(), cause="a simulation sends nothing")


def _split_alone(record: JobRecord, records: RecordStore, splitting: Splitting, until: datetime) -> JobRecord:
    try:
        with holding(f"{lake_layout.OPEN_JOBS}/{record.job_id}", records.lake):
            return _split(record, records, splitting, until)
    except LeaseHeld:
        logger.info("another instance splits the job", extra={"job_id": record.job_id})
        return record
    except NotFound:
        # The marker is gone though the job has not ended: put it back, the sweep goes on from it.
        records.mark_open(record.job_id)
        return record


def _split(record: JobRecord, records: RecordStore, splitting: Splitting, until: datetime) -> JobRecord:
    try:
        record = _frozen(record, records, splitting)
        if record.status is not JobState.SPLITTING:
            return record
        with observability.job_span("Split", record.traceparent, job_id=record.job_id):
            outcome = splitting.split(record, until)
    except (Unavailable, LeaseHeld):
        raise
    except Exception as error:
        logger.exception("splitting failed", extra={"job_id": record.job_id})
        return _count_failure(record, f"{type(error).__name__}: {error}", records)
    batches = outcome.batches
    if batches is None:
        logger.info("splitting goes on later: its time is over", extra={"job_id": record.job_id})
        return record
    # Its first batches may have been dispatched by now.
    refused = count_rejections(record.job_id, records.lake).at_dispatch

    def dispatching(now: JobRecord) -> JobRecord:
        if now.status is not JobState.SPLITTING:
            return now
        counts = {
            "messages": outcome.messages,
            "rejected": outcome.rejected + refused,
            "without_receiver": outcome.without_receiver,
        }
        cause = f"{len(batches)} batches are in the outbox"
        return transition(now, JobState.DISPATCHING, at=records.now(), cause=cause, batches=batches, **counts)

    observability.count("aggregations.messages.rejected", outcome.rejected)
    return records.change(record.job_id, dispatching)


def _frozen(record: JobRecord, records: RecordStore, splitting: Splitting) -> JobRecord:
    """Calculated → Splitting; what was frozen once stays."""
    if record.status is not JobState.CALCULATED:
        return record
    frozen = record.frozen or freeze(
        record, records=records, tables=splitting.tables, index=splitting.index, esett_id=splitting.esett_id
    )

    def splits(now: JobRecord) -> JobRecord:
        if now.status is not JobState.CALCULATED:
            return now
        kept = now.frozen or frozen
        cause = f"version {kept.version} is frozen"
        return transition(now, JobState.SPLITTING, at=records.now(), cause=cause, frozen=kept)

    return records.change(record.job_id, splits)


def _count_failure(record: JobRecord, reason: str, records: RecordStore) -> JobRecord:
    def counted(now: JobRecord) -> JobRecord:
        if now.status not in (JobState.CALCULATED, JobState.SPLITTING):
            return now
        failures = now.split_failures + 1
        if failures < FAILED_SPLITS:
            return replace(now, split_failures=failures)
        error = f"{failures} failed splits, the last: {without_folders(reason)[:LONGEST_REASON]}"
        failed = {"split_failures": failures, "error": error}
        return transition(now, JobState.FAILED, at=records.now(), cause=error, **failed)

    result = records.change(record.job_id, counted)
    if result.status is JobState.FAILED:
        records.close(result)
    return result


def complete(job_id: str, *, records: RecordStore) -> JobRecord | None:
    """Dispatching → Completed, when every batch on the record's list is sent or rejected."""
    record = records.find(job_id)
    if record is None or record.status is not JobState.DISPATCHING or record.batches is None:
        return record
    if next(records.lake.list(f"{lake_layout.OUTBOX}/{job_id}"), None) is not None:
        return record
    done = {
        _batch(file.path)
        for folder in (lake_layout.SENT, lake_layout.REJECTED)
        for file in records.lake.list(f"{folder}/{job_id}")
    }
    if not done >= set(record.batches):
        return record

    rejected = count_rejections(job_id, records.lake)

    def completed(now: JobRecord) -> JobRecord:
        if now.status is not JobState.DISPATCHING:
            return now
        counts = {"sent": now.messages - rejected.at_dispatch, "rejected": rejected.all}
        return transition(now, JobState.COMPLETED, at=records.now(), cause="every batch is sent or rejected", **counts)

    result = records.change(job_id, completed)
    if result.status is JobState.COMPLETED:
        _remove_outbox(job_id, records.lake)
        records.close(result)
    return result


def _remove_outbox(job_id: str, lake: Lake) -> None:
    """The job's folder is empty; what a late splitter puts there from now on is in sent/ or rejected/ already."""
    try:
        lake.delete_folder(f"{lake_layout.OUTBOX}/{job_id}")
    except PortError:
        logger.info("the empty folder of the outbox stays", extra={"job_id": job_id})


def _batch(path: str) -> str:
    name = path.rpartition("/")[2].removesuffix(".jsonl.gz")
    return name.removesuffix(".dispatch").removesuffix(".split")
