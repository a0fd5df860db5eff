"""Write a grid area's messages as batches: at most 8 MB packed, sorted by receiver (coordinator 6)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from functions.coordinator.area_messages import AreaSplit, Entry
from functions.messages.batch import batch_name, fingerprint, pack_rejected, read_batch, unpack
from functions.ports import AlreadyExists, Changed, Clock, Lake, NotFound
from shared import lake_layout

LARGEST_PACKED = 8_000_000
LARGEST_UNPACKED = 32_000_000
"""What decides nearly always: unlike the packed size it is the same on every machine."""
ABANDONED = timedelta(seconds=60)
"""An incomplete file of this age has no writer any more."""


def write_area(job_id: str, made: AreaSplit, done: frozenset[str], *, lake: Lake, clock: Clock) -> list[str] | None:
    """Put an area's messages into the outbox, and what cannot be sent under rejected/.

    Args:
        job_id: the job.
        made: the area's messages.
        done: names of batches that are in sent/ or rejected/ already; they are left alone.
        lake: where to.
        clock: tells the age of an incomplete file.

    Returns:
        The names of the batches for the outbox; None when another one is just writing one of them.
    """
    names = []
    for number, entries in enumerate(_batches(made.entries), start=1):
        lines = [made.read(entry) for entry in entries]
        name = batch_name(made.grid_area, number, [head for head, _ in lines])
        if name not in done:
            content = b"".join(packed for _, packed in lines)
            path = lake_layout.outbox_batch(job_id, name)
            if not _put(path, content, partial(_is_batch, name), lake, clock):
                return None
        names.append(name)
    return names if _put_rejected(job_id, made, done, lake, clock) else None


def _batches(entries: list[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    packed = unpacked = 0
    for entry in sorted(entries):
        packed, unpacked = packed + entry.length, unpacked + entry.size
        if batch and (packed > LARGEST_PACKED or unpacked > LARGEST_UNPACKED):
            yield batch
            batch, packed, unpacked = [], entry.length, entry.size
        batch.append(entry)
    if batch:
        yield batch


def _is_batch(name: str, content: bytes) -> bool:
    return read_batch(name, content) is not None


def _put_rejected(job_id: str, made: AreaSplit, done: frozenset[str], lake: Lake, clock: Clock) -> bool:
    if not made.rejected:
        return True
    content = pack_rejected([{"jobId": job_id, **line} for line in made.rejected])
    name = f"{made.grid_area}-rejected-{fingerprint([unpack(content)])}"
    path = lake_layout.rejected_batch(job_id, name, "split")
    return name in done or _put(path, content, lambda found: bool(unpack(found)), lake, clock)


def _put(path: str, content: bytes, whole: Callable[[bytes], bool], lake: Lake, clock: Clock) -> bool:
    """Create a file, or see that it is there whole; an abandoned part of one is taken over.

    False: it is incomplete and so young that another one may be writing it.
    """
    try:
        lake.create(path, content)
    except AlreadyExists:
        return _look(path, content, whole, lake, clock)
    return True


def _look(path: str, content: bytes, whole: Callable[[bytes], bool], lake: Lake, clock: Clock) -> bool:
    try:
        found, etag = lake.read(path)
        if whole(found):
            return True
        if _age(path, lake, clock) < ABANDONED:
            return False
        # Deleted under its ETag and created anew, so that the lake raises the event that dispatch waits for.
        lake.delete(path, etag)
        lake.create(path, content)
    except (Changed, AlreadyExists, NotFound):
        return False
    return True


def _age(path: str, lake: Lake, clock: Clock) -> timedelta:
    folder = path.rpartition("/")[0]
    modified = next((file.modified for file in lake.list(folder) if file.path == path), None)
    return clock.now() - modified if modified else timedelta()
