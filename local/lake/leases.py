"""Leases on paths: 15 to 60 seconds or without end, kept over a restart of the server."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from local.lake.errors import StorageError

WITHOUT_END = -1


@dataclass
class Lease:
    """Who holds a path; `until` is None for a lease without end, `broken` once its end was asked for."""

    id: str
    seconds: int
    until: float | None
    broken: bool = False


class Leases:
    """The leases of one file system."""

    def __init__(self, kept: Path, now: Callable[[], float] = time.time) -> None:
        self._kept = kept
        self._now = now
        stored = json.loads(kept.read_bytes()) if kept.exists() else {}
        self._leases = {name: Lease(**lease) for name, lease in stored.items()}

    def holds(self, name: str) -> Lease | None:
        """The lease that is in force on a path."""
        lease = self._leases.get(name)
        return lease if lease and (lease.until is None or lease.until > self._now()) else None

    def state(self, name: str) -> dict[str, str]:
        """The headers that tell of a path's lease."""
        lease = self.holds(name)
        if lease is None:
            known = self._leases.get(name)
            state = "available" if known is None else "broken" if known.broken else "expired"
            return {"x-ms-lease-status": "unlocked", "x-ms-lease-state": state}
        duration = "infinite" if lease.seconds == WITHOUT_END else "fixed"
        state = "breaking" if lease.broken else "leased"
        return {"x-ms-lease-status": "locked", "x-ms-lease-state": state, "x-ms-lease-duration": duration}

    def check(self, name: str, lease_id: str | None, needed: bool = True) -> None:
        """Whether a write (`needed`), or a read that names a lease, may go on. Raises StorageError 412."""
        lease = self.holds(name)
        lease_id = lease_id or None  # the client sends an empty header for none
        if lease is None:
            if lease_id is not None:
                code = "LeaseLost" if name in self._leases else "LeaseNotPresentWithBlobOperation"
                raise StorageError(412, code, "There is no lease on the resource any more.")
            return
        if lease_id is None:
            if needed:
                raise StorageError(412, "LeaseIdMissing", "There is a lease on the resource and no lease ID was given.")
        elif lease.id != lease_id.lower():
            message = "The lease ID given is not the one of the resource."
            raise StorageError(412, "LeaseIdMismatchWithBlobOperation", message)

    def acquire(self, name: str, seconds: int, proposed: str | None) -> Lease:
        """Take the lease. Raises StorageError 409 when another one holds it."""
        if seconds != WITHOUT_END and not 15 <= seconds <= 60:
            raise StorageError(400, "InvalidHeaderValue", "x-ms-lease-duration must be -1 or from 15 to 60.")
        held = self.holds(name)
        lease_id = _checked_id(proposed) if proposed else str(uuid.uuid4())
        if held and held.broken:
            raise StorageError(409, "LeaseIsBreakingAndCannotBeAcquired", "The lease is breaking.")
        if held and held.id != lease_id:
            raise StorageError(409, "LeaseAlreadyPresent", "There is already a lease present.")
        lease = Lease(lease_id, seconds, None if seconds == WITHOUT_END else self._now() + seconds)
        self._leases[name] = lease
        self._keep()
        return lease

    def renew(self, name: str, lease_id: str) -> Lease:
        """Hold on, also after the end when nobody wrote or took it since. Raises StorageError 409."""
        lease = self._own(name, lease_id)
        if lease.broken:
            raise StorageError(409, "LeaseIsBrokenAndCannotBeRenewed", "The lease is broken.")
        lease.until = None if lease.seconds == WITHOUT_END else self._now() + lease.seconds
        self._keep()
        return lease

    def change(self, name: str, lease_id: str, proposed: str) -> Lease:
        """Give a lease another id."""
        lease = self._leases.get(name)
        if self.holds(name) is None or lease is None:
            raise StorageError(409, "LeaseNotPresentWithLeaseOperation", "There is no lease on the resource.")
        if lease.id not in (lease_id.lower(), proposed.lower()):
            raise StorageError(409, "LeaseIdMismatchWithLeaseOperation", "The lease ID is not the resource's.")
        lease.id = _checked_id(proposed)
        self._keep()
        return lease

    def release(self, name: str, lease_id: str) -> None:
        """Give the lease back. Raises StorageError 409 when it is not this one."""
        self._own(name, lease_id)
        self.drop(name)

    def break_(self, name: str, period: int | None) -> int:
        """End a lease whoever holds it; returns the seconds that it still lasts."""
        known = self._leases.get(name)
        if known is None:
            raise StorageError(409, "LeaseNotPresentWithLeaseOperation", "There is no lease on the resource.")
        held = self.holds(name)
        rest = 0.0 if held is None else self._rest(held, period)
        known.broken = True
        known.until = self._now() + rest
        self._keep()
        return round(rest)

    def drop(self, name: str) -> None:
        """Forget the leases of a path that went away, and of all below it."""
        gone = [held for held in self._leases if held == name or held.startswith(f"{name}/")]
        for held in gone:
            del self._leases[held]
        if gone:
            self._keep()

    def written(self, name: str) -> None:
        """A write went through: a lease that had run out can be renewed no more."""
        if name in self._leases and self.holds(name) is None:
            self.drop(name)

    def _rest(self, held: Lease, period: int | None) -> float:
        left = float("inf") if held.until is None else held.until - self._now()
        if period is None:
            return 0.0 if held.until is None else left
        return min(left, period)

    def _own(self, name: str, lease_id: str) -> Lease:
        lease = self._leases.get(name)
        if lease is None:
            raise StorageError(409, "LeaseNotPresentWithLeaseOperation", "There is no lease on the resource.")
        if lease.id != lease_id.lower():
            raise StorageError(409, "LeaseIdMismatchWithLeaseOperation", "The lease ID is not the resource's.")
        return lease

    def _keep(self) -> None:
        staged = self._kept.with_suffix(".new")
        staged.write_text(json.dumps({name: asdict(lease) for name, lease in self._leases.items()}))
        staged.replace(self._kept)


def _checked_id(proposed: str) -> str:
    try:
        return str(uuid.UUID(proposed))
    except ValueError as error:
        raise StorageError(400, "InvalidHeaderValue", f"'{proposed}' is no GUID.") from error
