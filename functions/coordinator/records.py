"""The job records and their markers in the lake: conditional writes only (coordinator 2).

Whole = a JSON document that parses: a file that was created but not yet flushed counts as not there, and is taken over.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from functions import observability
from functions.coordinator.errors import UnknownJob
from functions.coordinator.job_keys import active_key
from functions.coordinator.record import JobRecord, read_record
from functions.coordinator.states import ENDED
from functions.ports import AlreadyExists, Changed, Clock, Lake, LakeFile, Lease, LeaseHeld, NotFound
from shared import lake_layout
from shared.danish_time import format_instant

logger = logging.getLogger(__name__)
TRIES = 25
"""Tries of one conditional write; two hosts that always meet are apart again after a few."""


@dataclass(frozen=True)
class Marker:
    """A small JSON file that says which job holds something."""

    content: dict[str, Any]
    etag: str
    """Empty where it was just made."""


@dataclass(frozen=True)
class RecordStore:
    """Reads and writes the job records and their markers."""

    lake: Lake
    clock: Clock
    written: Callable[[JobRecord], None] = lambda _record: None
    """Told of every record that was written here."""

    def now(self) -> str:
        """The present instant as records hold it."""
        return format_instant(self.clock.now())

    def find(self, job_id: str) -> JobRecord | None:
        """The record, None when there is none (or none yet)."""
        found = self._read(job_id)
        return found[0] if found else None

    def get(self, job_id: str) -> JobRecord:
        """The record. Raises UnknownJob."""
        record = self.find(job_id)
        if record is None:
            raise UnknownJob(job_id)
        return record

    def create(self, record: JobRecord) -> tuple[JobRecord, str]:
        """Create a record, or find the one that is there under its id; with its ETag, empty where it is not known."""
        etag = self._create_whole(lake_layout.job_record(record.job_id), record.to_json())
        if etag is None:
            return self.get(record.job_id), ""
        self.written(record)
        return record, etag

    def change(
        self, job_id: str, update: Callable[[JobRecord], JobRecord], known: tuple[JobRecord, str] | None = None
    ) -> JobRecord:
        """Read, update, write if unchanged; again when another one was faster. An equal record is not written.

        `known`: the record and its ETag as they were just written, so that they need not be read.

        Raises:
            UnknownJob: there is no such record.
            Changed: another one was faster every time.
        """
        for attempt in range(TRIES):
            found = known if known and known[1] and attempt == 0 else self._read(job_id)
            if found is None:
                raise UnknownJob(job_id)
            record, etag = found
            updated = update(record)
            if updated == record:
                return record
            try:
                self.lake.replace(lake_layout.job_record(job_id), updated.to_json(), etag)
            except Changed:
                pause(attempt)
                continue
            self.written(updated)
            if updated.status is not record.status:
                observability.job_moved(record.history[-1:], updated.history[-1])
                logger.info("job went to %s: %s", updated.status, updated.history[-1].cause, extra={"job_id": job_id})
            return updated
        raise Changed(lake_layout.job_record(job_id))

    def open_jobs(self) -> Iterator[LakeFile]:
        """The markers of the jobs that have not ended; a marker's name is the job id."""
        return self.lake.list(lake_layout.OPEN_JOBS)

    def mark_open(self, job_id: str) -> bool:
        """Let the timers see the job from now on; False where they could before."""
        try:
            self.lake.create(f"{lake_layout.OPEN_JOBS}/{job_id}", b"")
        except AlreadyExists:
            return False
        return True

    def hold_open(self, job_id: str) -> Lease:
        """Put the marker of a job that has ended back and hold it while its record goes on: no sweep can take it.

        Raises:
            LeaseHeld: another one holds it and does not give it back.
        """
        path = f"{lake_layout.OPEN_JOBS}/{job_id}"
        for attempt in range(TRIES):
            self.mark_open(job_id)
            try:
                return self.lake.lease(path)
            except (LeaseHeld, NotFound):
                pause(attempt)
        raise LeaseHeld(path)

    def close(self, record: JobRecord) -> None:
        """Take away the markers of a job that has ended; what is missed here the sweep takes away.

        Who lets the job go on holds the open marker: then all of them stay. It goes last, so that a crash is seen.
        """
        path = f"{lake_layout.OPEN_JOBS}/{record.job_id}"
        try:
            lease = self._lease_if_there(path)
            try:
                self._delete_active(record)
                self.lake.delete(path, lease=lease)
            finally:
                if lease is not None:
                    lease.release()
        except (Changed, LeaseHeld):
            logger.info("a marker is held by another one; the sweep takes it", extra={"job_id": record.job_id})
        self._reopen_if_under_way(record.job_id)

    def _lease_if_there(self, path: str) -> Lease | None:
        try:
            return self.lake.lease(path)
        except NotFound:
            return None

    def _delete_active(self, record: JobRecord) -> None:
        path = f"{lake_layout.ACTIVE_JOBS}/{active_key(record.arguments)}"
        marker = self.marker(path)
        if marker is not None and marker.content.get("jobId") == record.job_id:
            self.lake.delete(path, etag=marker.etag)

    def _reopen_if_under_way(self, job_id: str) -> None:
        """A retry or promotion may have begun while the markers went: it set them before it changed the record."""
        record = self.find(job_id)
        if record is None or record.status in ENDED:
            return
        self.mark_open(job_id)
        if not record.simulation:
            self.claim(f"{lake_layout.ACTIVE_JOBS}/{active_key(record.arguments)}", {"jobId": job_id})

    def marker(self, path: str) -> Marker | None:
        """A marker, None when it is not there or not whole."""
        found = self._read_json(path)
        return Marker(*found) if found else None

    def claim(self, path: str, content: dict[str, Any]) -> Marker:
        """Create a marker, or find the one that is there: the content says whose it is."""
        document = json.dumps(content).encode()
        try:
            self.lake.create(path, document)
        except AlreadyExists:
            if self.marker(path) is None:  # its creator left it empty
                self._create_whole(path, document)
            return self.marker(path) or self.claim(path, content)
        return Marker(content, "")

    def take_over(self, path: str, content: dict[str, Any], etag: str) -> bool:
        """Write another content into a marker that is still as it was read; False when another one was faster."""
        try:
            self.lake.replace(path, json.dumps(content).encode(), etag)
        except (Changed, NotFound):
            return False
        return True

    def _create_whole(self, path: str, content: bytes) -> str | None:
        """Create a file, or finish one that its creator left empty; its ETag, None when another whole one is there."""
        for attempt in range(TRIES):
            try:
                return self.lake.create(path, content)
            except AlreadyExists:
                found = self._raw(path)
                if found and _parsed(found[0]) is not None:
                    return found[1] if found[0] == content else None
                if found and self._finish(path, content, found[1]):
                    return ""
                pause(attempt)
        raise Changed(path)

    def _finish(self, path: str, content: bytes, etag: str) -> bool:
        try:
            self.lake.replace(path, content, etag)
        except (Changed, NotFound):
            return False
        return True

    def _raw(self, path: str) -> tuple[bytes, str] | None:
        try:
            return self.lake.read(path)
        except NotFound:
            return None

    def _read_json(self, path: str) -> tuple[dict[str, Any], str] | None:
        found = self._raw(path)
        document = _parsed(found[0]) if found else None
        return (document, found[1]) if found and document is not None else None

    def _read(self, job_id: str) -> tuple[JobRecord, str] | None:
        path = lake_layout.job_record(job_id)
        found = self._raw(path)
        if not found or _parsed(found[0]) is None:
            return None
        return read_record(found[0]), found[1]


def pause(attempt: int) -> None:
    """Wait a random while that grows with the tries, so that two writers come apart."""
    time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311 - jitter, no secret


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
