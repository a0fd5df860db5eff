"""The post office over azure-eventhub (messages 4, coordinator 6).

Batches carry one receiver each (partition key) and are filled by the real size of what is in them, up to the size that
the hub announces. Each receiver's batches go one after the other on one link; several links send at once, since most of
a send is waiting for the hub. Throttling and lost links are repeated with backoff and jitter; the SDK has no idempotent
producer, so a repeated batch may be there twice: its message ids tell.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from functions.adapters.event_hub_link import HubLink
from functions.ports import PostOfficeMessage, TooLarge, Unavailable
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.eventhub import EventData, EventDataBatch

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/x-protobuf"
PATIENCE = 45.0
"""Seconds that one batch is tried for: less than a dispatcher's lease lasts."""
LINKS = 3
LEAST = 1500
"""A hub that does not take as much takes no message at all, not even one that goes by reference."""
LESS_FOR = 600.0
"""Seconds for which less is sent at once than the hub announces, after it refused that."""
_ROOM = 4096
"""What properties and framing of an event need at most; nearer to the limit the SDK counts."""


class EventHubPostOffice:
    """The hub `POST_OFFICE_HUB`, by connection string or by namespace and identity; connects at the first use."""

    def __init__(
        self,
        settings: Settings,
        *,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._links = [HubLink(settings, patience, sleep, monotonic) for _ in range(LINKS)]
        self._sending = threading.Lock()
        self._monotonic = monotonic
        self._less_until = float("-inf")

    def send(self, messages: Iterable[PostOfficeMessage]) -> None:
        """Send messages in order; returns when the hub has accepted all. Raises Unavailable, TooLarge."""
        # Files are dispatched in several threads; each takes the links in its turn, so that orders never mix.
        with self._sending:
            if self._monotonic() > self._less_until:
                self._links[0].at_most = 0
            lanes = _Lanes(self._links)
            try:
                try:
                    for message in messages:
                        lanes.put(message.recipient, _event(message))
                    lanes.finish()
                finally:
                    lanes.wait()
            except Unavailable:
                self._forget_links()
                raise
            except TooLarge:
                self._measure_anew()
                raise

    def _forget_links(self) -> None:
        """Batches are made by the first link's limit whichever sends them: all of them are asked for it anew."""
        for link in self._links:
            link.forget()
            link.refused = 0

    def _measure_anew(self) -> None:
        """Go by what the hub announces now; if that is no less, by half of what it refused. Raises Unavailable."""
        first, refused = self._links[0], max(link.refused for link in self._links)
        self._forget_links()
        if first.largest() < refused:
            return
        if refused <= LEAST:
            raise Unavailable("post office", f"it refuses {refused} bytes as too large")
        first.at_most, self._less_until = max(LEAST, refused // 2), self._monotonic() + LESS_FOR
        logger.warning("the post office takes less than it announces: from now on %s bytes at once", first.at_most)

    def fits(self, message: PostOfficeMessage) -> bool:
        """Whether the hub takes a message of this size in one event. Raises Unavailable."""
        first = self._links[0]
        if len(message.body) + _ROOM < first.largest():
            return True
        return _added(first.new_batch(message.recipient), _event(message))

    def check(self) -> None:
        """Raise Unavailable when the hub does not answer; asks once."""
        self._links[0].check()

    def close(self) -> None:
        """End the connections; the next use opens new ones."""
        for link in self._links:
            link.close()


class _Lanes:
    """One sending: which link each receiver has, and the batch that is being filled for the newest one."""

    def __init__(self, links: list[HubLink]) -> None:
        self._links = links
        self._lane: dict[str, HubLink] = {}
        self._receiver: str | None = None
        self._batch: EventDataBatch | None = None

    def put(self, receiver: str, event: "EventData") -> None:
        """Add an event to the batch of its receiver; a full one is sent. Raises Unavailable when a link has failed."""
        if self._batch is not None and (self._receiver != receiver or not _added(self._batch, event)):
            self._send()
        if self._batch is None:
            if receiver not in self._lane:
                self._lane[receiver] = self._least_busy()
            self._receiver, self._batch = receiver, self._links[0].new_batch(receiver)
            self._batch.add(event)

    def _least_busy(self) -> HubLink:
        """Of the links that are open; the others are opened meanwhile, since a short sending need not wait for them."""
        first, *others = self._links
        for link in others:
            link.open_aside()
        return min((first, *(link for link in others if link.opened)), key=HubLink.waiting)

    def finish(self) -> None:
        """Send the last batch and wait for all. Raises Unavailable."""
        if self._batch is not None:
            self._send()
        for link in self._links:
            link.drain()

    def wait(self) -> None:
        """Nothing is under way any more, whether it went well or not."""
        for link in self._links:
            link.settle()

    def _send(self) -> None:
        assert self._receiver is not None and self._batch is not None  # noqa: S101, PT018 - callers have looked
        self._lane[self._receiver].submit(self._batch)
        self._batch = None


def _event(message: PostOfficeMessage) -> "EventData":
    from azure.eventhub import EventData

    event = EventData(message.body)
    event.message_id = message.message_id
    event.content_type = CONTENT_TYPE
    event.correlation_id = message.correlation_id
    event.properties = dict[str | bytes, object](message.properties.items())
    return event


def _added(batch: "EventDataBatch", event: "EventData") -> bool:
    try:
        batch.add(event)
    except ValueError:
        return False
    return True
