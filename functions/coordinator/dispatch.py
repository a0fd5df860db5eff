"""Send a batch of the outbox and move it to sent/ (coordinator 6).

One dispatcher works on a file at a time, by its lease. A crash between sending and moving sends again with the same
message ids: at least once, duplicates recognisable.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from functions.coordinator.archive_index import put_reference, put_waiting
from functions.coordinator.holding import renewing
from functions.messages import envelope
from functions.messages.batch import ENDING, LineView, pack_rejected, view_batch
from functions.messages.errors import BadEnvelope
from functions.ports import (
    AlreadyExists,
    Changed,
    Clock,
    Lake,
    Lease,
    LeaseHeld,
    NotFound,
    PostOffice,
    PostOfficeMessage,
    TooLarge,
)
from shared import lake_layout

logger = logging.getLogger(__name__)
LEASE_SECONDS = 60
RENEWED_EVERY = timedelta(seconds=20)


class Dispatched(StrEnum):
    """What became of a file of the outbox."""

    SENT = "sent"
    """All of it is accepted by the hub (or can never be sent) and the file is in sent/."""
    SENT_BEFORE = "sent before"
    """sent/ had it already: the outbox file is deleted unsent."""
    GONE = "gone"
    """There is no such file any more: another one has sent it."""
    HELD = "held"
    """Another one is sending it."""
    INCOMPLETE = "incomplete"
    """It is empty or cut short: splitting or the sweep will write it anew."""
    LATER = "later"
    """The time is over: the next trigger or sweep sends it, from its beginning."""


@dataclass(frozen=True, kw_only=True)
class DispatchOutcome:
    """What became of a batch: how many messages were accepted, how many can never be sent."""

    job_id: str
    batch: str
    state: Dispatched
    sent: int = 0
    rejected: int = 0


def dispatch_batch(
    path: str,
    *,
    lake: Lake,
    post_office: PostOffice,
    public_base_url: str | None,
    clock: Clock,
    deadline: datetime,
) -> DispatchOutcome:
    """Send one file of the outbox.

    Args:
        path: `outbox/<job>/<batch>.jsonl.gz`.
        lake: where it lies.
        post_office: whom it is sent to, in order per receiver.
        public_base_url: address of the app, for messages that are larger than the hub allows.
        clock: tells when the lease wants to be renewed and the deadline is reached.
        deadline: after it nothing more is sent.

    Raises:
        Unavailable: the hub or the lake cannot be reached; the file stays in the outbox.
        ValueError: the path is none of the outbox, or a message must go by reference and there is no public address.
    """
    job_id, batch = _names(path)
    work = _Batch(job_id, batch, path, lake, post_office, public_base_url, clock, deadline)
    try:
        lease = lake.lease(path, LEASE_SECONDS)
    except NotFound:
        return work.outcome(Dispatched.GONE)
    except LeaseHeld:
        return work.outcome(Dispatched.HELD)
    try:
        outcome = work.send(lease)
    except Changed:
        # The lease is lost: whoever has it now sends the file, with the same ids.
        outcome = work.outcome(Dispatched.HELD)
    except NotFound:
        outcome = work.outcome(Dispatched.GONE)
    finally:
        lease.release()
    counts = f"{outcome.sent} sent, {outcome.rejected} rejected"
    logger.info("Dispatched batch %s: %s, %s", batch, outcome.state, counts, extra={"job_id": job_id})
    return outcome


def _names(path: str) -> tuple[str, str]:
    parts = path.split("/")
    if len(parts) != 3 or parts[0] != lake_layout.OUTBOX or not path.endswith(ENDING):
        raise ValueError(f"'{path}' is no file outbox/<job>/<batch>{ENDING}")
    return parts[1], parts[2].removesuffix(ENDING)


class _TimeOver(Exception):
    """The deadline came while sending."""


@dataclass
class _Batch:
    """One file on its way."""

    job_id: str
    batch: str
    path: str
    lake: Lake
    post_office: PostOffice
    public_base_url: str | None
    clock: Clock
    deadline: datetime

    def outcome(self, state: Dispatched, sent: int = 0, rejected: int = 0) -> DispatchOutcome:
        return DispatchOutcome(job_id=self.job_id, batch=self.batch, state=state, sent=sent, rejected=rejected)

    def send(self, lease: Lease) -> DispatchOutcome:
        """Send all lines under the lease and move the file."""
        target = lake_layout.sent_batch(self.job_id, self.batch)
        if self.lake.exists(target):
            self.lake.delete(self.path, lease=lease)
            return self.outcome(Dispatched.SENT_BEFORE)
        lines = view_batch(self.batch, self.lake.read(self.path)[0])
        if lines is None:
            return self.outcome(Dispatched.INCOMPLETE)
        rejected: list[dict[str, object]] = []
        try:
            # The hub may keep a batch waiting for longer than the lease lasts.
            with renewing(lease, self.path):
                self._send_all(lines, rejected, lease)
        except _TimeOver:
            return self.outcome(Dispatched.LATER)
        self._keep(rejected)
        # In the index before it is in sent/: so what is sent is always found (archive_index).
        refused = {str(line["messageId"]) for line in rejected}
        sent = [(number, line.message) for number, line in enumerate(lines) if line.message.message_id not in refused]
        put_waiting(self.job_id, self.batch, sent, self.clock.now(), self.lake)
        lease.renew()
        try:
            self.lake.rename(self.path, target, lease=lease)
        except AlreadyExists:
            self.lake.delete(self.path, lease=lease)
            return self.outcome(Dispatched.SENT_BEFORE)
        return self.outcome(Dispatched.SENT, len(lines) - len(rejected), len(rejected))

    def _send_all(self, lines: Sequence[LineView], rejected: list[dict[str, object]], lease: Lease) -> None:
        """Send from the beginning, again where the hub takes less than it said: more then goes by reference."""
        while True:
            rejected.clear()
            try:
                self.post_office.send(self._events(lines, rejected, lease))
            except TooLarge as error:
                logger.warning("batch %s is sent anew: %s", self.batch, error, extra={"job_id": self.job_id})
            else:
                return

    def _events(
        self, lines: Sequence[LineView], rejected: list[dict[str, object]], lease: Lease
    ) -> Iterator[PostOfficeMessage]:
        renewed = self.clock.now()
        for line in lines:
            now = self.clock.now()
            if now >= self.deadline:
                raise _TimeOver
            if now - renewed >= RENEWED_EVERY:
                lease.renew()
                renewed = now
            try:
                event = self._event(line)
            except BadEnvelope as error:
                key = {"messageId": line.message.message_id, "recipient": line.message.recipient}
                rejected.append({"jobId": self.job_id, "batch": self.batch, **key, "reason": str(error)})
                continue
            yield event

    def _event(self, line: LineView) -> PostOfficeMessage:
        event = _post_office_message(line, envelope.whole(line))
        if self.post_office.fits(event):
            return event
        if not self.public_base_url:
            raise ValueError("PUBLIC_BASE_URL is needed: a message is larger than the hub allows and must be fetched")
        reference = envelope.by_reference(line.message, self.public_base_url)
        put_reference(line.message.message_id, self.job_id, self.batch, self.lake)
        return _post_office_message(line, reference)

    def _keep(self, rejected: list[dict[str, object]]) -> None:
        """Note under rejected/ what can never be sent; the file is the same however often it is made."""
        if not rejected:
            return
        path = lake_layout.rejected_batch(self.job_id, self.batch, "dispatch")
        content = pack_rejected(rejected)
        try:
            self.lake.create(path, content)
        except AlreadyExists:
            found, etag = self.lake.read(path)
            if found != content:
                self.lake.replace(path, content, etag)


def _post_office_message(line: LineView, made: envelope.Envelope) -> PostOfficeMessage:
    return PostOfficeMessage(
        message_id=line.message.message_id,
        recipient=line.message.recipient,
        body=made.body,
        correlation_id=line.message.job_id,
        properties=made.properties,
    )
