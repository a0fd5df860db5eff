"""All jobs, newest first: one listing a call, and each record read once per version of it (coordinator 3).

The job ids sort by their time, so a page needs the records of that page alone; what was read is kept by its ETag.
"""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from functions.coordinator.record import JobRecord, read_record
from functions.ports import Lake, LakeFile, NotFound
from shared import lake_layout

READERS = 8
CHUNK = 64
TIME_ORDERED = 7


class JobIndex:
    """Reads what is listed and remembers it without history and batches. Thread-safe."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._known: dict[str, tuple[str, JobRecord]] = {}
        self._lock = threading.Lock()

    def newest_first(self, before: str | None = None) -> Iterator[tuple[str, JobRecord]]:
        """Every job as (sort key, record), the newest first; only those whose key lies before `before`."""
        files = list(self._lake.list(lake_layout.JOBS))
        with self._lock:
            gone = self._known.keys() - {file.path for file in files}
            for path in gone:
                del self._known[path]
        keyed = sorted(((self._key(file), file) for file in files), key=lambda pair: pair[0], reverse=True)
        wanted = [(key, file) for key, file in keyed if before is None or key < before]
        yield from self._read(wanted)

    def _key(self, file: LakeFile) -> str:
        """Time of creation in milliseconds and job id: from the id itself where it tells, else from the record."""
        job_id = file.path.rpartition("/")[2].removesuffix(".json")
        try:
            parsed = uuid.UUID(job_id)
        except ValueError:
            return f"{0:016d}-{job_id}"
        if parsed.version == TIME_ORDERED:
            return f"{parsed.int >> 80:016d}-{job_id}"
        return f"{int(file.modified.timestamp() * 1000):016d}-{job_id}"

    def _read(self, keyed: list[tuple[str, LakeFile]]) -> Iterator[tuple[str, JobRecord]]:
        for start in range(0, len(keyed), CHUNK):
            chunk = keyed[start : start + CHUNK]
            missing = [file for _, file in chunk if self._remembered(file) is None]
            if len(missing) > 1:
                with ThreadPoolExecutor(READERS) as pool:
                    list(pool.map(self._fetch, missing))
            elif missing:
                self._fetch(missing[0])
            for key, file in chunk:
                known = self._known.get(file.path)
                if known is not None:
                    yield key, known[1]

    def _remembered(self, file: LakeFile) -> JobRecord | None:
        known = self._known.get(file.path)
        return known[1] if known and known[0] == file.etag else None

    def _fetch(self, file: LakeFile) -> None:
        try:
            content, etag = self._lake.read(file.path)
            record = replace(read_record(content), history=[], batches=None)
        except (NotFound, ValueError, KeyError, TypeError):
            return  # gone, or not written to its end yet
        with self._lock:
            self._known[file.path] = (etag, record)
