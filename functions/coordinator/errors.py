"""Why a use case says no. The HTTP layer translates each into one status (coordinator 3).

Refusal
├── UnknownJob        there is no such job (404)
├── NothingThere      there is a job, but not what was asked of it (404)
├── Conflict          the job's state or an equal job stands against it (409); `extra` goes into the answer
└── Unprocessable     what the request says cannot be done, seen only by a look-up (422); carries fields
IllegalTransition     a change of state that the table does not know; a use case turns it into a Conflict
"""

import re
from collections.abc import Mapping

from shared.errors import SettlementError

_FOLDERS = re.compile(r"(?:file://|(?<![\w.:/…-]))/(?:[^\s'\":,;()<>/]+/)+")


def without_folders(reason: str) -> str:
    """A reason as callers may see it: files keep their names, where they lie on a machine is nobody's business."""
    return _FOLDERS.sub("…/", reason)


class Refusal(SettlementError):
    """Base of what a use case refuses."""


class UnknownJob(Refusal):
    """There is no job with this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id}")


class NothingThere(Refusal):
    """The job has nothing of that name, or not yet."""


class Conflict(Refusal):
    """The state of this or of an equal job stands against it."""

    def __init__(self, message: str, **extra: str) -> None:
        self.extra = extra
        super().__init__(message)


class Unprocessable(Refusal):
    """Well-formed, but a look-up shows that it cannot be done; `fields` names every wrong one."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{name}: {message}" for name, message in self.fields.items()))


class IllegalTransition(SettlementError):
    """The table of transitions has no such step."""

    def __init__(self, job_id: str, source: str, target: str) -> None:
        super().__init__(f"job {job_id} cannot go from {source} to {target}")
