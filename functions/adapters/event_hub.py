"""The post office over azure-eventhub (messages 4, coordinator 6).

Batches carry one receiver each (partition key) and are filled by the real size of what is in them, up to the size that
the hub announces. Throttling and lost links are repeated with backoff and jitter; the SDK has no idempotent producer,
so a repeated batch may be there twice: its message ids tell.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from functions.adapters.identity import managed_identity
from functions.ports import PostOfficeMessage, Unavailable
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.eventhub import EventData, EventDataBatch, EventHubProducerClient

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/x-protobuf"
PATIENCE = 45.0
"""Seconds that one batch is tried for: less than a dispatcher's lease lasts."""
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0
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
        self._settings, self._patience, self._sleep, self._monotonic = settings, patience, sleep, monotonic
        self._client: EventHubProducerClient | None = None
        self._largest = 0
        self._lock = threading.Lock()

    def send(self, messages: Iterable[PostOfficeMessage]) -> None:
        """Send messages in order; returns when the hub has accepted all. Raises Unavailable."""
        batch: EventDataBatch | None = None
        receiver = None
        for message in messages:
            event = _event(message)
            if batch is not None and (receiver != message.recipient or not _added(batch, event)):
                self._deliver(batch)
                batch = None
            if batch is None:
                receiver = message.recipient
                batch = self._try(partial(self._new_batch, receiver=receiver))
                batch.add(event)
        if batch is not None:
            self._deliver(batch)

    def fits(self, message: PostOfficeMessage) -> bool:
        """Whether the hub takes a message of this size in one event. Raises Unavailable."""
        if not self._largest:
            self._try(partial(self._new_batch, receiver=message.recipient))
        if len(message.body) + _ROOM < self._largest:
            return True
        return _added(self._try(partial(self._new_batch, receiver=message.recipient)), _event(message))

    def check(self) -> None:
        """Raise Unavailable when the hub does not answer; asks once."""
        from azure.eventhub.exceptions import EventHubError

        try:
            self._connected().get_eventhub_properties()
        except (EventHubError, OSError) as error:
            self._forget()
            raise Unavailable("post office", type(error).__name__) from error

    def close(self) -> None:
        """End the connection; the next use opens a new one."""
        self._forget()

    def _new_batch(self, client: "EventHubProducerClient", receiver: str) -> "EventDataBatch":
        if not self._largest:
            # Without a size of ours, the batch takes the one that the hub announced on the link.
            self._largest = client.create_batch().max_size_in_bytes
        return client.create_batch(max_size_in_bytes=self._largest, partition_key=receiver)

    def _deliver(self, batch: "EventDataBatch") -> None:
        self._try(lambda client: client.send_batch(batch))

    def _try[T](self, act: Callable[["EventHubProducerClient"], T]) -> T:
        """Do it until it works or the patience is over."""
        from azure.eventhub.exceptions import AuthenticationError, EventHubError

        give_up = self._monotonic() + self._patience
        wait = _FIRST_WAIT
        while True:
            try:
                return act(self._connected())
            except (EventHubError, OSError) as error:
                # Full jitter, so that many instances do not come back at the same moment.
                pause = random.uniform(wait / 2, wait)  # noqa: S311 - nothing secret
                if isinstance(error, AuthenticationError) or self._monotonic() + pause > give_up:
                    self._forget()
                    raise Unavailable("post office", f"{type(error).__name__}: {error}", retry_after=wait) from error
                logger.warning("the post office refused: %s; again in %.1f s", type(error).__name__, pause)
                self._sleep(pause)
                wait = min(2 * wait, _LONGEST_WAIT)

    def _connected(self) -> "EventHubProducerClient":
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> "EventHubProducerClient":
        from azure.eventhub import EventHubProducerClient

        hub, connection_string = self._settings["POST_OFFICE_HUB"], self._settings["POST_OFFICE"]
        # The waits between tries are ours; the SDK repeats once at once, which mends a link that idled away.
        if connection_string:
            return EventHubProducerClient.from_connection_string(
                connection_string, eventhub_name=hub, retry_total=1, retry_backoff_factor=0.1
            )
        return EventHubProducerClient(
            self._settings["POST_OFFICE__fullyQualifiedNamespace"],
            hub,
            managed_identity(self._settings["AZURE_CLIENT_ID"]),
            retry_total=1,
            retry_backoff_factor=0.1,
        )

    def _forget(self) -> None:
        """Close the client: the next use connects anew and asks again how large a message may be."""
        with self._lock:
            client, self._client, self._largest = self._client, None, 0
        if client is not None:
            client.close()


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
