"""Who was sent what, and when: the messages of a job, and one document (coordinator 3, messages 4)."""

import heapq
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import NamedTuple

from functions.coordinator.archive_index import read_reference, waiting_rows
from functions.coordinator.errors import NothingThere
from functions.messages import cim_json, cim_xml
from functions.messages.batch import ENDING, Line, read_batch
from functions.ports import Lake, MessageIndex, NotFound, Row
from shared import lake_layout

MESSAGE_ID = re.compile(r"[0-9a-f]{32}")
LARGEST_PAGE = 1000
FILTERS = ("recipient", "recipient_role", "document_type", "process_type", "grid_area")


class Place(NamedTuple):
    """Where a message stands in its job; the order of the list, and what a continuation token carries."""

    batch: str
    number: int


@dataclass(frozen=True, kw_only=True)
class ActorScope:
    """Whose messages a caller may see; None where it may see all."""

    actor_id: str
    actor_role: str

    def sees(self, row: Row) -> bool:
        """Whether the message was for this actor in this role."""
        return (row["recipient"], row["recipient_role"]) == (self.actor_id, self.actor_role)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What finding messages needs."""

    lake: Lake
    index: MessageIndex


@dataclass(frozen=True, kw_only=True)
class MessagePage:
    """Messages in order; `after` begins the next page, None when this is the last."""

    messages: list[Row]
    after: Place | None


def list_messages(
    job_id: str,
    *,
    archive: Archive,
    wanted: Mapping[str, str] | None = None,
    scope: ActorScope | None = None,
    after: Place | None = None,
    limit: int = 100,
) -> MessagePage:
    """The messages of a job, waiting ones (`sent_at` None) included.

    Args:
        job_id: the job (or request) that they belong to.
        archive: where to look.
        wanted: what FILTERS must be equal to, all of them.
        scope: the actor that asks, None for one that may see all.
        after: the place behind which to begin.
        limit: messages at most, up to LARGEST_PAGE.

    Returns:
        Rows with the fields of messages.batch.Message, and batch, number and sent_at.
    """
    filters = {name: value for name, value in (wanted or {}).items() if name in FILTERS}
    if scope is not None:
        asked = (filters.get("recipient", scope.actor_id), filters.get("recipient_role", scope.actor_role))
        if asked != (scope.actor_id, scope.actor_role):
            return MessagePage(messages=[], after=None)
        filters |= {"recipient": scope.actor_id, "recipient_role": scope.actor_role}
    limit = max(1, min(limit, LARGEST_PAGE))
    sources = (
        _gathered(job_id, archive.index, filters, after, limit + 1),
        _chosen(_not_gathered(job_id, archive.lake), filters, after),
        _chosen(_unsent(job_id, archive.lake, after), filters, after),
    )
    page = list(islice(_once(heapq.merge(*sources, key=_order)), limit + 1))
    more = len(page) > limit
    return MessagePage(messages=page[:limit], after=_place(page[limit - 1]) if more else None)


def _gathered(
    job_id: str, index: MessageIndex, filters: Mapping[str, str], after: Place | None, limit: int
) -> Iterator[Row]:
    behind = (job_id, *after) if after else None
    yield from index.search({"job_id": job_id, **filters}, after=behind, limit=limit)


def _not_gathered(job_id: str, lake: Lake) -> Iterator[Row]:
    for _, rows in waiting_rows(lake, job_id):
        yield from rows


def _unsent(job_id: str, lake: Lake, after: Place | None) -> Iterator[Row]:
    for path in sorted(file.path for file in lake.list(f"{lake_layout.OUTBOX}/{job_id}")):
        batch = path.rpartition("/")[2].removesuffix(ENDING)
        if after is None or batch >= after.batch:
            for number, line in enumerate(_lines(lake, path, batch)):
                yield {**asdict(line.message), "batch": batch, "number": number, "sent_at": None}


def _chosen(rows: Iterator[Row], filters: Mapping[str, str], after: Place | None) -> Iterator[Row]:
    for row in rows:
        if (after is None or _place(row) > after) and all(row[name] == value for name, value in filters.items()):
            yield row


def _place(row: Row) -> Place:
    return Place(row["batch"], row["number"])


def _order(row: Row) -> tuple[Place, bool]:
    return _place(row), row["sent_at"] is None


def _once(rows: Iterator[Row]) -> Iterator[Row]:
    """A message that is just being sent or gathered is found twice: the row that knows more comes first."""
    last = None
    for row in rows:
        if row["message_id"] != last:
            yield row
        last = row["message_id"]


def find_document(message_id: str, *, archive: Archive, scope: ActorScope | None = None) -> Line:
    """One message with its document, byte for byte as it was or will be sent.

    Raises:
        NothingThere: there is no such message, or none that this actor may see.
    """
    if MESSAGE_ID.fullmatch(message_id):
        for job_id, batch in _candidates(message_id, archive):
            line = _line(message_id, job_id, batch, archive.lake)
            if line is not None:
                if scope is None or scope.sees(asdict(line.message)):
                    return line
                break
    raise NothingThere(f"there is no message {message_id}")


def _candidates(message_id: str, archive: Archive) -> Iterator[tuple[str, str]]:
    """Where it may lie, the cheapest question first: reference, table, batches just sent, batches that wait."""
    reference = read_reference(message_id, archive.lake)
    if reference:
        yield reference
    row = archive.index.find(message_id)
    if row is not None:
        yield row["job_id"], row["batch"]
    for _, rows in waiting_rows(archive.lake):
        yield from ((row["job_id"], row["batch"]) for row in rows if row["message_id"] == message_id)
    for file in sorted(archive.lake.list(lake_layout.OUTBOX), key=lambda file: file.path):
        _, job_id, name = file.path.split("/", 2)
        yield job_id, name.removesuffix(ENDING)


def _line(message_id: str, job_id: str, batch: str, lake: Lake) -> Line | None:
    sent, outbox = lake_layout.sent_batch(job_id, batch), lake_layout.outbox_batch(job_id, batch)
    # sent/ once more: the file may have moved there after the first look.
    for path in (sent, outbox, sent):
        for line in _lines(lake, path, batch):
            if line.message.message_id == message_id:
                return line
    return None


def _lines(lake: Lake, path: str, batch: str) -> list[Line]:
    try:
        return read_batch(batch, lake.read(path)[0]) or []
    except NotFound:
        return []


def as_xml(line: Line) -> bytes:
    """The document of a message as CIM XML."""
    return cim_xml.render(cim_json.parse(line.content))
