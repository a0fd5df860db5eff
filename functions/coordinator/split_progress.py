"""Which grid areas of a job are split, so that a later call need not make their messages again to know their batches.

A shortcut only: without the file everything is made again, equal, and found in the outbox.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from functions.coordinator.area_messages import SplitJob
from functions.ports import AlreadyExists, Changed, Clock, Lake, NotFound

FOLDER = "state/split"
SAVED_EVERY = timedelta(seconds=10)
"""Splits that end sooner leave no file."""


class SplitProgress:
    """`areas`: per grid area that is done what came of it (receive_result.AreaOutcome)."""

    def __init__(self, job: SplitJob, lake: Lake, clock: Clock) -> None:
        self._path = f"{FOLDER}/{job.job_id}.{job.attempt}.{job.version}.json"
        self._lake, self._clock = lake, clock
        self._saved = clock.now()
        self._etag: str | None = None
        self.areas: dict[str, Mapping[str, Any]] = {}
        try:
            content, self._etag = lake.read(self._path)
            self.areas = json.loads(content)
        except (NotFound, ValueError):
            pass

    def add(self, area: str, outcome: Mapping[str, Any]) -> None:
        """Note that an area is done; saved now and then."""
        self.areas[area] = outcome
        if self._clock.now() - self._saved >= SAVED_EVERY:
            self.save()

    def save(self) -> None:
        """Keep it in the lake; where another one kept its own meanwhile, that stands."""
        content = json.dumps(self.areas).encode()
        try:
            if self._etag is None:
                self._etag = self._lake.create(self._path, content)
            else:
                self._etag = self._lake.replace(self._path, content, self._etag) or self._lake.read(self._path)[1]
        except (AlreadyExists, Changed, NotFound):
            pass
        self._saved = self._clock.now()
