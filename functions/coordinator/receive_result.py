"""Split a job's results into messages and put them into the outbox (coordinator 6, messages 1 to 3).

A grid area at a time, in bounded memory: the messages of an area wait packed in a temporary file until all of them are
known, then they are written receiver by receiver. All that the outcome depends on is frozen on the record, so a second
split, anywhere and at any time, makes the same messages and the same batches.
"""

import logging
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from functions.coordinator.area_messages import AreaSplit, SplitJob
from functions.coordinator.record import JobRecord
from functions.coordinator.split_area import split_area
from functions.coordinator.split_progress import SplitProgress
from functions.coordinator.write_batches import write_area
from functions.messages.actors import actors_now
from functions.ports import Clock, Lake, ResultTables
from shared import lake_layout
from shared.codes import ProcessType
from shared.danish_time import parse_instant

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AreaOutcome:
    """What came of one grid area: the names of its batches, and counts."""

    batches: list[str]
    messages: int
    rejected: int
    without_receiver: int


@dataclass(frozen=True, kw_only=True)
class SplitOutcome:
    """What splitting made of the job; `batches` is None while something is left to do, and the rest then preliminary.

    `messages`: how many the job sends; `rejected`: how many series, or rows of the receiver table for one series, were
    put under rejected/; `without_receiver`: how many it would send if the series named an energy supplier or a balance
    responsible.
    """

    batches: list[str] | None
    messages: int
    rejected: int
    without_receiver: int


def split(record: JobRecord, *, lake: Lake, tables: ResultTables, clock: Clock, until: datetime) -> SplitOutcome:
    """Write the messages of a job's results into the outbox, as far as the time goes.

    Args:
        record: an actual job in Splitting; `frozen` decides all.
        lake: where the batches go.
        tables: the results.
        clock: tells when `until` is reached, and the age of incomplete files.
        until: from then on no grid area is begun, and one under way is left for the next call (80 % of the
            function's time).

    Returns:
        The batches and counts; no batches when the time was over, or another one was just writing one of them.

    Raises:
        ValueError: the job is a simulation, or nothing is frozen.
        UnknownResult: the receiver table has no row for a result.
        Unavailable: the lake cannot be reached; what is written stays written.
    """
    if record.simulation or record.frozen is None:
        raise ValueError(f"job {record.job_id} is a simulation or not frozen: nothing of it is sent")
    job = _split_job(record, tables)
    progress = SplitProgress(job, lake, clock)
    left = [area for area in _grid_areas(record, tables) if area not in progress.areas]
    done = _done_batches(job.job_id, lake) if left else frozenset()
    for area in left:
        outcome = _area(job, area, done, lake=lake, tables=tables, clock=clock, until=until)
        if outcome is None:
            progress.save()
            return _outcome(progress.areas, complete=False)
        progress.add(area, asdict(outcome))
        logger.info("Split grid area %s: %s messages", area, outcome.messages, extra={"job_id": job.job_id})
    return _outcome(progress.areas, complete=True)


def _outcome(areas: Mapping[str, Mapping[str, Any]], *, complete: bool) -> SplitOutcome:
    done = [areas[area] for area in sorted(areas)]
    return SplitOutcome(
        batches=[batch for area in done for batch in area["batches"]] if complete else None,
        messages=sum(area["messages"] for area in done),
        rejected=sum(area["rejected"] for area in done),
        without_receiver=sum(area["without_receiver"] for area in done),
    )


def _split_job(record: JobRecord, tables: ResultTables) -> SplitJob:
    frozen, arguments = record.frozen, record.arguments
    assert frozen is not None  # noqa: S101 - split() has looked
    now = parse_instant(frozen.split_at)
    owners = _rows(tables, lake_layout.GRID_AREA_OWNERS, frozen.owners_version)
    delegations = _rows(tables, lake_layout.DELEGATIONS, frozen.delegations_version)
    return SplitJob(
        job_id=record.job_id,
        attempt=record.attempt,
        process_type=ProcessType(arguments["process-type"]),
        correction=arguments.get("process-variant") or None,
        version=str(frozen.version),
        created=now.replace(microsecond=0),
        time_zone=arguments["time-zone"],
        actors=actors_now(owners, delegations, now, frozen.esett_id),
        predecessors=frozen.predecessors,
    )


def _rows(tables: ResultTables, table: str, version: int | None) -> Iterable[Mapping[str, Any]]:
    """An input table as it was frozen; there were no rows where it did not exist then."""
    return () if version is None else tables.input_rows(table, version)


def _grid_areas(record: JobRecord, tables: ResultTables) -> list[str]:
    """The areas of the job, resolved at its start; asked from the results where the record does not say."""
    named = [area for area in record.arguments.get("grid-areas", "").split(",") if area]
    if named:
        return sorted(set(named))
    found: set[str] = set()
    for table in lake_layout.RESULT_TABLES:
        found.update(tables.grid_areas(table, record.job_id, record.attempt))
    return sorted(found)


def _done_batches(job_id: str, lake: Lake) -> frozenset[str]:
    """Names of the batches in sent/ and rejected/: whole, because only whole ones get there."""
    folders = (f"{lake_layout.SENT}/{job_id}", f"{lake_layout.REJECTED}/{job_id}")
    files = (file.path.rpartition("/")[2] for folder in folders for file in lake.list(folder))
    return frozenset(name.split(".", 1)[0] for name in files if not name.endswith(".dispatch.jsonl.gz"))


def _area(
    job: SplitJob, area: str, done: frozenset[str], *, lake: Lake, tables: ResultTables, clock: Clock, until: datetime
) -> AreaOutcome | None:
    with tempfile.TemporaryFile() as spool:
        made = AreaSplit(area, spool)
        for _ in split_area(job, made, tables):
            if clock.now() >= until:
                return None
        batches = write_area(job.job_id, made, done, lake=lake, clock=clock)
    if batches is None:
        return None
    return AreaOutcome(
        batches=batches,
        messages=len(made.entries),
        rejected=len(made.rejected),
        without_receiver=made.without_receiver,
    )
