"""All jobs, newest first, without reading 10 000 records for a page (coordinator 3).

The job ids sort by their time, so a page needs the records of that page alone; what was read is kept by its ETag. A
listing of all records takes seconds where there are many, so it is kept for a while. In between, what this instance
writes is noted at once, and what others do is seen in the markers of the open jobs.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from functions.coordinator.record import JobRecord, read_record
from functions.ports import Lake, NotFound, PortError
from shared import lake_layout
from shared.danish_time import parse_instant

READERS = 8
CHUNK = 64
TIME_ORDERED = "7"
"""The version of a UUID that begins with its time: the ids that job_keys.new_job_id makes."""
LISTED_AGAIN_AFTER = 20.0
"""Seconds after which a call has all records listed again, without waiting for it."""
LISTED_BEFORE_ANSWER_AFTER = 90.0
"""Seconds after which a call waits for it."""
LOOKED_AGAIN_AFTER = 1.0
"""Seconds for which many callers share one look at the open jobs."""


@dataclass(frozen=True)
class _Known:
    record: JobRecord
    """Without its history and batches."""
    steps: int
    """How long the history is: of two versions, the longer is the newer."""
    etag: str


class JobIndex:
    """Reads what is listed and remembers it. Thread-safe."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._etags: dict[str, str] = {}
        self._known: dict[str, _Known] = {}
        self._keys: dict[str, str] = {}
        self._open: set[str] = set()
        self._listed_at: float | None = None
        self._looked_at = float("-inf")
        self._listing = threading.Lock()
        self._lock = threading.Lock()

    def newest_first(self, before: str | None = None, *, exact: bool = False) -> Iterator[tuple[str, JobRecord]]:
        """Every job as (sort key, record), the newest first; only those whose key lies before `before`.

        `exact`: as the lake is now, whatever that takes.
        """
        self._look(exact)
        with self._lock:
            for job_id in self._etags.keys() - self._keys.keys():
                self._keys[job_id] = self._key(job_id)
            keyed = sorted(((self._keys[job_id], job_id) for job_id in self._etags), reverse=True)
        yield from self._read([(key, job_id) for key, job_id in keyed if before is None or key < before])

    def _key(self, job_id: str) -> str:
        """Time of creation and job id, as text that sorts; the time from the id itself, else from the record."""
        if job_id[14:15] == TIME_ORDERED:
            return f"{int(job_id[:8] + job_id[9:13], 16):015d}-{job_id}"
        known = self._known.get(job_id)
        created = int(parse_instant(known.record.created).timestamp() * 1000) if known else 0
        return f"{created:015d}-{job_id}"

    def note(self, record: JobRecord) -> None:
        """Remember a record that was just written here."""
        with self._lock:
            known = self._known.get(record.job_id)
            if known is None or len(record.history) >= known.steps:
                self._remember(record, "")

    def _look(self, exact: bool) -> None:
        age = None if self._listed_at is None else time.monotonic() - self._listed_at
        if exact or age is None or age > LISTED_BEFORE_ANSWER_AFTER:
            with self._listing:
                self._list()
            return
        if age > LISTED_AGAIN_AFTER and not self._listing.locked():
            threading.Thread(target=self._list_aside, daemon=True).start()
        self._look_at_open_jobs()

    def _list_aside(self) -> None:
        if self._listing.acquire(blocking=False):
            try:
                self._list()
            except PortError:
                return  # the next call that must wait for it tells
            finally:
                self._listing.release()

    def _list(self) -> None:
        started = time.monotonic()
        etags = {_job_id(file.path): file.etag for file in self._lake.list(lake_layout.JOBS)}
        with self._lock:
            self._etags = etags
            self._known = {job_id: known for job_id, known in self._known.items() if job_id in etags}
            self._keys = {job_id: key for job_id, key in self._keys.items() if job_id in etags}
            self._listed_at = started
        # Ids that do not tell their time came from elsewhere; their records do.
        self._fetch_all(job_id for job_id in etags if job_id[14:15] != TIME_ORDERED and not self._is_known(job_id))

    def _look_at_open_jobs(self) -> None:
        if time.monotonic() - self._looked_at < LOOKED_AGAIN_AFTER:
            return
        self._looked_at = time.monotonic()
        marked = {_job_id(marker.path) for marker in self._lake.list(lake_layout.OPEN_JOBS)}
        self._fetch_all(marked | self._open)
        self._open = marked

    def _read(self, keyed: list[tuple[str, str]]) -> Iterator[tuple[str, JobRecord]]:
        for start in range(0, len(keyed), CHUNK):
            chunk = keyed[start : start + CHUNK]
            self._fetch_all(job_id for _, job_id in chunk if not self._is_known(job_id))
            for key, job_id in chunk:
                known = self._known.get(job_id)
                if known is not None:
                    yield key, known.record

    def _is_known(self, job_id: str) -> bool:
        known = self._known.get(job_id)
        return known is not None and known.etag == self._etags.get(job_id)

    def _fetch_all(self, job_ids: Iterable[str]) -> None:
        wanted = list(job_ids)
        if len(wanted) > 1:
            with ThreadPoolExecutor(min(READERS, len(wanted))) as pool:
                list(pool.map(self._fetch, wanted))
        elif wanted:
            self._fetch(wanted[0])

    def _fetch(self, job_id: str) -> None:
        try:
            content, etag = self._lake.read(lake_layout.job_record(job_id))
            record = read_record(content)
        except (NotFound, ValueError, KeyError, TypeError):
            return  # gone, or not written to its end yet
        with self._lock:
            self._remember(record, etag)

    def _remember(self, record: JobRecord, etag: str) -> None:
        bare = replace(record, history=[], batches=None)
        self._known[record.job_id] = _Known(bare, len(record.history), etag)
        self._etags[record.job_id] = etag


def _job_id(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")
