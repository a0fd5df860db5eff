"""Start the jobs whose time has come (coordinator 4). Safe to run twice at once."""

import logging
from datetime import timedelta

from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.coordinator.start_job import give_way
from functions.coordinator.states import transition
from functions.coordinator.submit import submit
from functions.ports import JobRunner, PortError
from shared.danish_time import parse_instant

ASK_FOR = timedelta(minutes=1)
logger = logging.getLogger(__name__)


def start_scheduled(*, records: RecordStore, runner: JobRunner, tables_uri: str) -> None:
    """Submit every scheduled job whose time has come; one that cannot be submitted never keeps the others from it.

    Where the platform hangs, the rest waits for the next round when ASK_FOR is over.
    """
    began = records.clock.now()
    for marker in list(records.open_jobs()):
        if abs(records.clock.now() - began) >= ASK_FOR:
            break
        job_id = marker.path.rpartition("/")[2]
        try:
            record = records.find(job_id)
            if record is None or record.status is not JobState.SCHEDULED or not _due(record, records):
                continue
            record = records.change(job_id, lambda now: _submitted(now, records))
            if record.status is JobState.SUBMITTED:
                record = give_way(record, records)
                submit(record, records=records, runner=runner, tables_uri=tables_uri)
        except PortError as error:
            logger.warning("the scheduled job could not be started yet: %s", error, extra={"job_id": job_id})


def _due(record: JobRecord, records: RecordStore) -> bool:
    return record.scheduled_at is None or parse_instant(record.scheduled_at) <= records.clock.now()


def _submitted(record: JobRecord, records: RecordStore) -> JobRecord:
    if record.status is not JobState.SCHEDULED:
        return record
    return transition(record, JobState.SUBMITTED, at=records.now(), cause="its time has come")
