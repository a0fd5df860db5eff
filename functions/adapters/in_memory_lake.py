"""A fake lake in a dictionary: it keeps the same promises as the real one, and stops where a test wants it to."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.ports import AlreadyExists, Changed, LakeFile, Lease, LeaseHeld, NotFound


@dataclass
class FakeClock:
    """A clock that stands until it is told to go on."""

    instant: datetime = datetime(2023, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """The instant it shows."""
        return self.instant

    def advance(self, **duration: float) -> None:
        """Go on by so many seconds, minutes and so on."""
        self.instant += timedelta(**duration)


@dataclass
class _File:
    content: bytes
    etag: str
    modified: datetime
    leased_until: datetime | None = None
    lease: "InMemoryLease | None" = None


class InMemoryLease:
    """The lease of one file of the fake lake."""

    def __init__(self, lake: "InMemoryLake", path: str, seconds: int) -> None:
        self.lake, self.path, self.seconds = lake, path, seconds

    def renew(self) -> None:
        """Hold it for another period. Raises Changed when it was lost."""
        file = self.lake.files.get(self.path)
        if file is None or file.lease is not self:
            raise Changed(self.path)
        file.leased_until = self.lake.clock.now() + timedelta(seconds=self.seconds)

    def release(self) -> None:
        """Give it back."""
        file = self.lake.files.get(self.path)
        if file is not None and file.lease is self:
            file.lease, file.leased_until = None, None


class InMemoryLake:
    """A lake in a dictionary. `before` is called with (verb, path) before every write: tests stop or fail there."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.files: dict[str, _File] = {}
        self.lock = threading.RLock()
        self.before: Callable[[str, str], None] = lambda _verb, _path: None
        self._etags = iter(range(1, 10**12))

    def _store(self, path: str, content: bytes) -> str:
        etag = f'"{next(self._etags)}"'
        self.files[path] = _File(content, etag, self.clock.now())
        return etag

    def _held(self, file: _File, lease: Lease | None) -> bool:
        alive = file.lease is not None and file.leased_until is not None and file.leased_until > self.clock.now()
        return alive and file.lease is not lease

    def read(self, path: str) -> tuple[bytes, str]:
        """Content and ETag. Raises NotFound."""
        with self.lock:
            self.before("read", path)
            if path not in self.files:
                raise NotFound(path)
            return self.files[path].content, self.files[path].etag

    def create(self, path: str, content: bytes) -> str:
        """Create a file. Raises AlreadyExists."""
        with self.lock:
            self.before("create", path)
            if path in self.files:
                raise AlreadyExists(path)
            return self._store(path, content)

    def replace(self, path: str, content: bytes, etag: str) -> str:
        """Write a new content if the file is still the one that `etag` names. Raises Changed, NotFound."""
        with self.lock:
            self.before("replace", path)
            if path not in self.files:
                raise NotFound(path)
            if self.files[path].etag != etag or self._held(self.files[path], None):
                raise Changed(path)
            return self._store(path, content)

    def delete(self, path: str, etag: str | None = None, lease: Lease | None = None) -> None:
        """Delete a file; one that is gone is success. Raises Changed."""
        with self.lock:
            self.before("delete", path)
            file = self.files.get(path)
            if file is None:
                return
            if (etag is not None and file.etag != etag) or self._held(file, lease):
                raise Changed(path)
            del self.files[path]

    def delete_folder(self, folder: str) -> None:
        """Delete a folder and all below it."""
        with self.lock:
            self.before("delete", folder)
            for path in [path for path in self.files if path.startswith(f"{folder}/")]:
                del self.files[path]

    def rename(self, source: str, target: str, lease: Lease | None = None) -> None:
        """Move a file, never over another one. Raises AlreadyExists, NotFound, Changed."""
        with self.lock:
            self.before("rename", target)
            if source not in self.files:
                raise NotFound(source)
            if target in self.files:
                raise AlreadyExists(target)
            if self._held(self.files[source], lease):
                raise Changed(source)
            self.files[target] = self.files.pop(source)

    def exists(self, path: str) -> bool:
        """Whether there is a file of this path."""
        with self.lock:
            return path in self.files

    def list(self, folder: str, newest_first: bool = False) -> Iterator[LakeFile]:
        """Every file below a folder."""
        with self.lock:
            found = [
                LakeFile(path, len(file.content), file.etag, file.modified)
                for path, file in sorted(self.files.items())
                if path.startswith(f"{folder}/")
            ]
        return iter(sorted(found, key=lambda file: file.modified, reverse=True) if newest_first else found)

    def lease(self, path: str, seconds: int = 60) -> InMemoryLease:
        """Take the lease of a file. Raises LeaseHeld, NotFound."""
        with self.lock:
            if path not in self.files:
                raise NotFound(path)
            if self._held(self.files[path], None):
                raise LeaseHeld(path)
            lease = InMemoryLease(self, path, seconds)
            self.files[path].lease = lease
            lease.renew()
            return lease

    def check(self) -> None:
        """It always answers, unless `before` says otherwise."""
        self.before("check", "")
