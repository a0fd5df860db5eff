"""A page of the jobs, newest first (coordinator 3)."""

from dataclasses import dataclass
from datetime import datetime

from functions.coordinator.job_index import JobIndex
from functions.coordinator.record import JobRecord, JobState
from shared.codes import ProcessType
from shared.danish_time import parse_instant


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs; None lets everything through. The period: jobs that overlap [begin, end)."""

    status: JobState | None = None
    process_type: ProcessType | None = None
    begin: datetime | None = None
    end: datetime | None = None

    def lets_through(self, record: JobRecord) -> bool:
        """Whether a job is one of them."""
        arguments = record.arguments
        return (
            (self.status is None or record.status is self.status)
            and (self.process_type is None or arguments["process-type"] == self.process_type)
            and (self.begin is None or parse_instant(arguments["period-end"]) > self.begin)
            and (self.end is None or parse_instant(arguments["period-start"]) < self.end)
        )


def list_jobs(
    wanted: JobFilter, *, index: JobIndex, size: int, before: str | None = None
) -> tuple[list[JobRecord], str | None]:
    """At most `size` jobs, and the key to go on from; None when these are the last."""
    page: list[JobRecord] = []
    last = ""
    for key, record in index.newest_first(before):
        if not wanted.lets_through(record):
            continue
        if len(page) == size:
            return page, last
        page.append(record)
        last = key
    return page, None
