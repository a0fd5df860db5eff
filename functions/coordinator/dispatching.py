"""Send what waits in the outbox, and end the jobs of which everything is sent (coordinator 4 and 6)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions import observability
from functions.coordinator.record import JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.rejections import count_rejections
from functions.coordinator.results_received import complete
from functions.ports import LakeFile, PortError, Unavailable
from shared import lake_layout

if TYPE_CHECKING:
    # At run time it is imported by who dispatches: protobuf would be a third of the app's start.
    from functions.coordinator.dispatch import DispatchOutcome

logger = logging.getLogger(__name__)
EVENT_WITHIN = timedelta(seconds=45)
"""A batch that still waits after this long was missed by its event, or could not be sent then."""


ABANDONED = timedelta(minutes=10)
"""An incomplete file of this age has no writer any more."""
OUT_OF_THE_OUTBOX = ("sent", "sent before", "gone")
"""States of dispatch.Dispatched after which the file is not in the outbox any more."""


@dataclass(frozen=True)
class Dispatching:
    """Sends one outbox file until a time."""

    dispatch: "Callable[[str, datetime], DispatchOutcome]"


def dispatch_file(path: str, *, records: RecordStore, dispatching: Dispatching, until: datetime) -> str:
    """Send one batch, then look whether its job is complete; its state. Requests' answers have no job record."""
    job_id = path.split("/")[1]
    record = records.find(job_id)
    with observability.job_span("Dispatch", record.traceparent if record else None, job_id=job_id):
        outcome = dispatching.dispatch(path, until)
    observability.count("aggregations.messages.sent", outcome.sent)
    observability.count("aggregations.messages.rejected", outcome.rejected)
    if outcome.rejected and record is not None:
        _note_rejections(job_id, records)
    if outcome.state in OUT_OF_THE_OUTBOX and record is not None:
        complete(job_id, records=records)
    return outcome.state


def _note_rejections(job_id: str, records: RecordStore) -> None:
    """Show on the record at once what can never be sent; while splitting goes on, its end counts it."""
    rejected = count_rejections(job_id, records.lake).all
    records.change(job_id, lambda now: replace(now, rejected=rejected) if now.status is JobState.DISPATCHING else now)


def dispatch_leftovers(*, records: RecordStore, dispatching: Dispatching, until: datetime) -> None:
    """Send what no event has sent. Where the post office cannot be reached, the rest waits for the next sweep."""
    oldest = timedelta(0)
    for file in list(records.lake.list(lake_layout.OUTBOX)):
        age = records.clock.now() - file.modified
        oldest = max(oldest, age)
        if age < EVENT_WITHIN or records.clock.now() >= until:
            continue
        try:
            state = dispatch_file(file.path, records=records, dispatching=dispatching, until=until)
            if state == "incomplete" and age > ABANDONED:
                _put_away(file, records)
        except Unavailable as error:
            observability.count("aggregations.retries", what="dispatch")
            logger.warning("the outbox waits: %s", error, extra={"job_id": file.path.split("/")[1]})
            break
        except (PortError, ValueError):
            logger.exception("a batch could not be sent", extra={"job_id": file.path.split("/")[1]})
    observability.measure("aggregations.outbox.age", oldest.total_seconds())


def _put_away(file: LakeFile, records: RecordStore) -> None:
    """Delete what a failed splitting left unfinished: nobody writes it on, and a retry creates it anew."""
    record = records.find(file.path.split("/")[1])
    if record is not None and record.status is JobState.FAILED:
        records.lake.delete(file.path, etag=file.etag)
