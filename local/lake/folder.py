"""The folder that the file system lies in: entries with ETags taken from the files, writes by os.replace.

Others (Spark, the Delta reader) use the same folder directly, so nothing of the server's own lies in it: staged data
and properties are kept in a state folder on the same disk. Every method is synchronous and leaves no half-written file.
"""

import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.lake.errors import StorageError

NANOSECONDS = 1_000_000_000
_IN_THE_WAY = {errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.ENOTDIR}


@dataclass(frozen=True)
class Properties:
    """What Azure keeps beside a file's content: user metadata and the content headers."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A file or directory as it is now; `name` from the root, `etag` with its quotes."""

    name: str
    path: Path
    is_directory: bool
    size: int
    inode: int
    modified_ns: int

    @property
    def etag(self) -> str:
        """Changes with every write, whoever wrote: taken from time, size and inode."""
        digest = hashlib.blake2b(f"{self.modified_ns}.{self.size}.{self.inode}".encode(), digest_size=7).hexdigest()
        return f'"0x{digest.upper()}"'

    @property
    def modified(self) -> datetime:
        """When the content was last written."""
        return datetime.fromtimestamp(self.modified_ns // NANOSECONDS, UTC)


def entry_of(name: str, path: Path, status: os.stat_result) -> Entry:
    """The entry that a file's status describes."""
    directory = bool(status.st_mode & 0o040000)
    return Entry(name, path, directory, 0 if directory else status.st_size, status.st_ino, status.st_mtime_ns)


class Folder:
    """The files of one file system."""

    def __init__(self, root: Path, state: Path) -> None:
        self.root = root
        self._staging = state / "staging"
        self._properties = state / "properties"
        for folder in (root, self._staging, self._properties):
            folder.mkdir(parents=True, exist_ok=True)
        if root.stat().st_dev != self._staging.stat().st_dev:
            raise ValueError(f"{state} must lie on the same disk as {root}: files are moved in one step")
        for left_over in self._staging.iterdir():
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
        self._last_ns = 0

    def locate(self, name: str) -> Path:
        """The path of a name. Raises StorageError when it would leave the root."""
        parts = name.split("/") if name else []
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise StorageError(400, "InvalidUri", f"'{name}' is no path of this file system.")
        return self.root.joinpath(*parts)

    def entry(self, name: str) -> Entry | None:
        """The file or directory, None when there is none."""
        path = self.locate(name)
        try:
            return entry_of(name, path, path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def staged(self) -> Path:
        """A new name for data that is not visible yet."""
        return self._staging / uuid.uuid4().hex

    def publish(self, name: str, staged: Path, properties: Properties) -> Entry:
        """Make staged data the content of a file, in one step."""
        target = self.locate(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise StorageError(409, "ResourceTypeMismatch", f"'{name}' is a directory.")
        self._stamp(staged)
        staged.replace(target)
        return self._keep(name, properties)

    def create_empty(self, name: str, properties: Properties) -> Entry:
        """Create a file, or make it empty."""
        staged = self.staged()
        staged.touch()
        return self.publish(name, staged, properties)

    def create_directory(self, name: str, properties: Properties) -> Entry:
        """Create a directory with its parents; one that is there stays."""
        self.locate(name).mkdir(parents=True, exist_ok=True)
        return self._keep(name, properties)

    def set_properties(self, entry: Entry, properties: Properties) -> Entry:
        """Change what is kept beside the content; gives the file a new ETag."""
        if not entry.is_directory:
            self._stamp(entry.path)
        return self._keep(entry.name, properties)

    def properties(self, entry: Entry) -> Properties:
        """What is kept beside the content; nothing when another one wrote the file since."""
        try:
            kept: dict[str, Any] = json.loads((self._properties / str(entry.inode)).read_bytes())
        except (FileNotFoundError, ValueError):
            return Properties()
        if kept["etag"] != ("directory" if entry.is_directory else entry.etag):
            return Properties()
        return Properties(kept["metadata"], kept["headers"])

    def rename(self, source: Entry, target: str) -> Entry:
        """Move a file or directory in one step. Its properties go with it."""
        path = self.locate(target)
        if not path.parent.is_dir():
            message = f"'{target}' has no parent directory: create it first."
            raise StorageError(404, "RenameDestinationParentPathNotFound", message)
        try:
            source.path.rename(path)
        except FileNotFoundError as error:
            raise StorageError(404, "SourcePathNotFound", f"'{source.name}' went away meanwhile.") from error
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            raise StorageError(409, "PathAlreadyExists", f"'{target}' is in the way: {error.strerror}.") from error
        return self._present(target)

    def delete(self, entry: Entry, recursive: bool) -> None:
        """Delete a file, or a directory with all that is in it, in one step."""
        if not entry.is_directory:
            entry.path.unlink()
        elif not recursive and any(entry.path.iterdir()):
            raise StorageError(409, "DirectoryNotEmpty", "A directory that is not empty needs recursive=true.")
        else:
            removed = self.staged()
            entry.path.rename(removed)
            shutil.rmtree(removed, ignore_errors=True)

    def walk(self, name: str, recursive: bool, after: tuple[str, ...] = ()) -> Iterator[Entry]:
        """Entries below a directory by name, a directory before what is in it, those after a name only."""
        yield from _walk(self.locate(name), tuple(name.split("/")) if name else (), recursive, after)

    def touch(self, name: str) -> None:
        """Give a file a new ETag, as another writer would."""
        path = self.locate(name)
        if path.is_file():
            self._stamp(path)

    def _present(self, name: str) -> Entry:
        entry = self.entry(name)
        if entry is None:
            raise StorageError(404, "PathNotFound", f"'{name}' went away meanwhile.")
        return entry

    def _keep(self, name: str, properties: Properties) -> Entry:
        entry = self._present(name)
        kept = self._properties / str(entry.inode)
        if properties.metadata or properties.headers:
            etag = "directory" if entry.is_directory else entry.etag
            content = {"etag": etag, "metadata": dict(properties.metadata), "headers": dict(properties.headers)}
            kept.write_text(json.dumps(content))
        else:
            kept.unlink(missing_ok=True)
        return entry

    def _stamp(self, path: Path) -> None:
        """A time that no write before had: the file system's own clock is too coarse to tell quick writes apart."""
        self._last_ns = max(self._last_ns + 1, time.time_ns())
        os.utime(path, ns=(self._last_ns, self._last_ns))


def _walk(folder: Path, above: tuple[str, ...], recursive: bool, after: tuple[str, ...]) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as found:
            items = sorted(found, key=lambda item: item.name)
    except FileNotFoundError:
        return
    for item in items:
        parts = (*above, item.name)
        if parts < after[: len(parts)]:
            continue
        try:
            entry = entry_of("/".join(parts), folder / item.name, item.stat())
        except FileNotFoundError:
            continue
        if parts > after:
            yield entry
        if recursive and entry.is_directory:
            yield from _walk(entry.path, parts, recursive, after)
