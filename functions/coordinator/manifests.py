"""What a run left behind: its manifest, which means Calculated, or its failure (coordinator 4 and 5)."""

import json

from functions import observability
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.states import CALCULATING, transition
from functions.coordinator.submit import known_run, with_run
from functions.ports import JobRunner, Lake, NotFound
from shared import lake_layout
from shared.manifest import Manifest, read_manifest


def find_manifest(lake: Lake, job_id: str, attempt: int) -> Manifest | None:
    """The valid manifest of an attempt; None while it is not there, empty or cut short, or speaks of another run."""
    try:
        manifest = read_manifest(lake.read(lake_layout.manifest(job_id, attempt))[0])
    except NotFound:
        return None
    return manifest if manifest and (manifest.job_id, manifest.attempt) == (job_id, attempt) else None


def find_failure(lake: Lake, record: JobRecord) -> str | None:
    """The reason that a run wrote down itself before it ended."""
    try:
        document = json.loads(lake.read(lake_layout.failure(record.job_id, record.attempt))[0])
        return f"{document['code']}: {document['message']}"
    except (NotFound, ValueError, KeyError, TypeError):
        return None


def mark_calculated(job_id: str, *, records: RecordStore, runner: JobRunner | None = None) -> JobRecord | None:
    """Calculated, if a valid manifest of the record's current attempt is there and nobody wants the job cancelled.

    From then on nobody follows the run: its id and page are asked for now, if they are not on the record and `runner`
    is given.
    Returns the record as it is now; None when there is no such job.
    """
    record = records.find(job_id)
    if record is None or record.status not in CALCULATING or record.cancel_requested:
        return record
    manifest = find_manifest(records.lake, job_id, record.attempt)
    if manifest is None:
        return record
    rows = {table: result.rows for table, result in manifest.results.items()}
    run = known_run(record, runner) if runner else None

    def calculated(current: JobRecord) -> JobRecord:
        if current.status not in CALCULATING or current.cancel_requested or current.attempt != manifest.attempt:
            return current
        cause = f"the manifest of attempt {manifest.attempt} is there"
        known = with_run(current, record.attempt, run)
        return transition(known, JobState.CALCULATED, at=records.now(), cause=cause, results=rows, error=None)

    changed = records.change(job_id, calculated)
    if changed.history[-1:] != record.history[-1:] and changed.status is JobState.CALCULATED:
        observability.past_span("Run", changed.traceparent, _submitted(changed), changed.history[-1].at)
    return changed


def _submitted(record: JobRecord) -> str:
    """When the current attempt was handed to the platform."""
    of_attempt = [step for step in record.history if step.attempt == record.attempt]
    return next((step.at for step in of_attempt if step.state is JobState.SUBMITTED), record.created)
