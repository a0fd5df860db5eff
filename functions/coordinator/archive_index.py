"""The index over sent/: written by dispatch, gathered by the sweep into one table (docs/adr/0006-message-index.md).

archive/waiting/<job>.<batch>.jsonl.gz   the rows of one batch, from its sending until the sweep has gathered them
archive/references/<message id>.json     where a message lies whose event refers to it, until its row is gathered
archive/messages/                        the table of all rows
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from functions.messages.batch import ENDING, Message, pack, read_batch, read_rejected, unpack
from functions.ports import AlreadyExists, Clock, Lake, MessageIndex, NotFound, PortError, Row
from shared import lake_layout
from shared.danish_time import format_instant

logger = logging.getLogger(__name__)
WAITING = f"{lake_layout.ARCHIVE}/waiting"
REFERENCES = f"{lake_layout.ARCHIVE}/references"
GATHERED_AT_ONCE = 200
"""Batches whose rows go into the table with one commit."""


def put_waiting(
    job_id: str, batch: str, messages: Sequence[tuple[int, Message]], sent_at: datetime, lake: Lake
) -> None:
    """Index a batch that the post office has accepted; (place in the batch, message) each. The first time stands."""
    rows = [
        {**asdict(message), "batch": batch, "number": number, "sent_at": format_instant(sent_at)}
        for number, message in messages
    ]
    content = pack(b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))
    path = f"{WAITING}/{job_id}.{batch}{ENDING}"
    try:
        lake.create(path, content)
    except AlreadyExists:
        found, etag = lake.read(path)
        if not unpack(found):
            lake.replace(path, content, etag)


def put_reference(message_id: str, job_id: str, batch: str, lake: Lake) -> None:
    """Say where a message lies before its event tells anyone to fetch it."""
    content = json.dumps({"job_id": job_id, "batch": batch}).encode()
    path = f"{REFERENCES}/{message_id}.json"
    try:
        lake.create(path, content)
    except AlreadyExists:
        found, etag = lake.read(path)
        if found != content:
            lake.replace(path, content, etag)


def read_reference(message_id: str, lake: Lake) -> tuple[str, str] | None:
    """Job and batch of a message that was referred to a short while ago."""
    try:
        place = json.loads(lake.read(f"{REFERENCES}/{message_id}.json")[0])
    except (NotFound, ValueError):
        return None
    return place["job_id"], place["batch"]


def waiting_rows(lake: Lake, job_id: str | None = None) -> Iterator[tuple[str, list[Row]]]:
    """(path, rows) of the batches that are not gathered yet, of one job or all, sorted by path."""
    beginning = f"{WAITING}/{job_id}." if job_id else WAITING
    for path in sorted(file.path for file in lake.list(WAITING) if file.path.startswith(beginning)):
        try:
            content = lake.read(path)[0]
        except NotFound:
            continue
        if content:  # an empty one is just being written: gathered now, its rows would be lost
            yield path, [json.loads(line) for line in unpack(content).splitlines()]


def gather(*, lake: Lake, index: MessageIndex, clock: Clock, until: datetime) -> int:
    """Move the waiting rows into the table; returns how many batches. A crash in between only repeats rows."""
    gathered = 0
    group: list[tuple[str, list[Row]]] = []
    for waiting in waiting_rows(lake):
        if clock.now() >= until:
            break
        group.append(waiting)
        if len(group) == GATHERED_AT_ONCE:
            gathered += _gather(group, lake, index)
            group = []
    return gathered + _gather(group, lake, index)


def _gather(group: Sequence[tuple[str, list[Row]]], lake: Lake, index: MessageIndex) -> int:
    rows = [row for _, batch in group for row in batch]
    if rows:
        index.add(rows)
    for path, _ in group:
        lake.delete(path)
    gathered = {row["message_id"] for row in rows}
    for file in list(lake.list(REFERENCES)) if rows else ():
        if file.path.rpartition("/")[2].removesuffix(".json") in gathered:
            lake.delete(file.path)
    return len(group)


def rebuild(job_id: str, *, lake: Lake) -> int:
    """Index every batch of a job in sent/ anew, where the index was lost; returns how many batches."""
    batches = 0
    for file in list(lake.list(f"{lake_layout.SENT}/{job_id}")):
        batch = file.path.rpartition("/")[2].removesuffix(ENDING)
        lines = read_batch(batch, lake.read(file.path)[0])
        if lines is not None:
            refused = _refused(job_id, batch, lake)
            sent = [(n, line.message) for n, line in enumerate(lines) if line.message.message_id not in refused]
            put_waiting(job_id, batch, sent, file.modified, lake)
            batches += 1
    return batches


def _refused(job_id: str, batch: str, lake: Lake) -> set[object]:
    try:
        content = lake.read(lake_layout.rejected_batch(job_id, batch, "dispatch"))[0]
    except NotFound:
        return set()
    return {line["messageId"] for line in read_rejected(content)}


def keep_index(*, lake: Lake, index: MessageIndex, clock: Clock, until: datetime, retention_days: int) -> None:
    """What the sweep does for the index; what cannot be done now is done by the next one."""
    try:
        gathered = gather(lake=lake, index=index, clock=clock, until=until)
        tidy(index=index, clock=clock, retention_days=retention_days)
    except PortError as error:
        logger.warning("the message index is completed later: %s: %s", type(error).__name__, error)
    else:
        if gathered:
            logger.info("%s batches were put into the message index", gathered)


def tidy(*, index: MessageIndex, clock: Clock, retention_days: int) -> None:
    """Drop rows of messages that the lifecycle rules have taken (RETENTION_DAYS; 0: none), and join small files."""
    index.tidy(clock.now() - timedelta(days=retention_days) if retention_days else None)
