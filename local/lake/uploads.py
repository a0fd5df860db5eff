"""Data that was appended or put as blocks, and not flushed or committed yet: on disk, but nobody sees it."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from local.lake.errors import StorageError
from local.lake.folder import Entry, Folder, Properties


class Upload:
    """Appended segments of one file, from the end of what is committed."""

    def __init__(self, entry: Entry, staged: Path) -> None:
        self.identity = (entry.inode, entry.size)
        self.base = entry.size
        self.staged = staged
        self.segments: dict[int, int] = {}
        staged.touch()

    def end(self) -> int:
        """How far the data goes without a gap."""
        end = self.base
        for position, length in sorted(self.segments.items()):
            if position > end:
                break
            end = max(end, position + length)
        return end


class Uploads:
    """What waits to become visible, by path."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._appended: dict[str, Upload] = {}
        self._blocks: dict[str, dict[str, Path]] = {}

    def begin(self, entry: Entry) -> Upload:
        """The data that waits for a file; what waited for a former content of it is discarded."""
        upload = self._appended.get(entry.name)
        if upload is None or upload.identity != (entry.inode, entry.size):
            self.discard(entry.name)
            upload = self._appended[entry.name] = Upload(entry, self._folder.staged())
        return upload

    async def append(self, entry: Entry, position: int, body: AsyncIterator[bytes]) -> int:
        """Take data for a position; returns its length. Raises StorageError for a position that is committed."""
        upload = self.begin(entry)
        if position < upload.base:
            raise _wrong_position(position, upload.base)
        length = await _write(upload.staged, position - upload.base, body)
        if length == 0:
            raise StorageError(400, "InvalidInput", "Nothing to append: Content-Length must be above zero.")
        upload.segments[position] = max(length, upload.segments.get(position, 0))
        return length

    def flush(self, entry: Entry, position: int, properties: Properties) -> Entry:
        """Make all data up to a position visible, in one step.

        Raises:
            StorageError: 400 InvalidFlushPosition when the data has a gap or the position is not its end.
        """
        upload = self.begin(entry)
        if not upload.base <= position <= upload.end():
            raise _wrong_position(position, upload.end())
        if position == upload.base:
            self.discard(entry.name)
            return self._folder.set_properties(entry, properties)
        del self._appended[entry.name]
        staged = upload.staged
        os.truncate(staged, position - upload.base)
        if upload.base:
            staged = self._joined([entry.path, staged])
            upload.staged.unlink()
        return self._folder.publish(entry.name, staged, properties)

    async def put_block(self, name: str, block_id: str, body: AsyncIterator[bytes]) -> None:
        """Take one block of a blob."""
        staged = self._folder.staged()
        await _write(staged, 0, body)
        self._blocks.setdefault(name, {})[block_id] = staged

    def commit_blocks(self, name: str, block_ids: Sequence[str], properties: Properties) -> Entry:
        """Make blocks the content of a blob. Raises StorageError 400 for a block that was not put."""
        blocks = self._blocks.get(name, {})
        if any(block_id not in blocks for block_id in block_ids):
            raise StorageError(400, "InvalidBlockList", "The block list names a block that was not uploaded.")
        staged = self._joined([blocks[block_id] for block_id in block_ids])
        self.discard(name)
        return self._folder.publish(name, staged, properties)

    async def whole(self, body: AsyncIterator[bytes]) -> Path:
        """Take a whole content."""
        staged = self._folder.staged()
        await _write(staged, 0, body)
        return staged

    def discard(self, name: str) -> None:
        """Forget what waits for a path."""
        upload = self._appended.pop(name, None)
        for staged in ([upload.staged] if upload else []) + list(self._blocks.pop(name, {}).values()):
            staged.unlink(missing_ok=True)

    def _joined(self, parts: Sequence[Path]) -> Path:
        staged = self._folder.staged()
        with staged.open("wb") as target:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)
        return staged


def _wrong_position(position: int, end: int) -> StorageError:
    message = f"The uploaded data is not contiguous, or {position} is not its length after the data ({end})."
    return StorageError(400, "InvalidFlushPosition", message)


async def _write(staged: Path, offset: int, body: AsyncIterator[bytes]) -> int:
    """Write a body as it comes; returns its length."""
    start = offset
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT)
    try:
        async for piece in body:
            offset += os.pwrite(descriptor, piece, offset)
    finally:
        os.close(descriptor)
    return offset - start
