"""One connection to the event hub, with a thread that sends its batches one after the other."""

import logging
import random
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TYPE_CHECKING

from functions.adapters.identity import managed_identity
from functions.ports import TooLarge, Unavailable
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.eventhub import EventDataBatch, EventHubProducerClient

logger = logging.getLogger(__name__)
WAITING_BATCHES = 2
"""Batches that a link may have before it, of a megabyte each."""
SIZE_REFUSALS = 3
"""So often one batch may be refused for its size before it counts: a link may have been renewed under it."""
SIZE_EXCEEDED = "LinkMessageSizeExceeded"
"""What the SDK's error says where the hub told that a message is larger than it takes."""
RENEWED_AFTER = 3
"""Refusals in a row after which the hub is connected to anew."""
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0


def _send(client: "EventHubProducerClient", batch: "EventDataBatch") -> None:
    largest = client.create_batch().max_size_in_bytes
    if batch.size_in_bytes > largest:
        raise TooLarge(f"the post office takes {largest} bytes now, not {batch.size_in_bytes}")
    client.send_batch(batch)


class HubLink:
    """A client of the hub. `submit` is for one thread at a time; the others may be called by any."""

    def __init__(
        self,
        settings: Settings,
        patience: float,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._settings, self._patience, self._sleep, self._monotonic = settings, patience, sleep, monotonic
        self._client: EventHubProducerClient | None = None
        self._largest = 0
        self.at_most = 0
        """What the hub was found to take where it announces more; 0: what it announces."""
        self.refused = 0
        """Bytes of the last batch that was refused as too large."""
        self._lock = threading.RLock()
        self._thread: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()
        self._opening: Future[int] | None = None

    def largest(self) -> int:
        """Bytes that the hub takes at once, `at_most` at most. Raises Unavailable."""
        announced = self._largest or self._try(self._ask_largest)
        return min(announced, self.at_most or announced)

    def new_batch(self, receiver: str) -> "EventDataBatch":
        """An empty batch of that size for one receiver. Raises Unavailable."""
        try:
            return self._new_batch(receiver, self.largest())
        except ValueError:
            # The link was renewed, and the hub takes less than before.
            self._largest = 0
            return self._new_batch(receiver, self.largest())

    def _new_batch(self, receiver: str, largest: int) -> "EventDataBatch":
        return self._try(lambda client: client.create_batch(max_size_in_bytes=largest, partition_key=receiver))

    def submit(self, batch: "EventDataBatch") -> None:
        """Send a batch behind those before it; waits while too many do. Raises Unavailable when one has failed."""
        while len(self._pending) >= WAITING_BATCHES:
            self._pending.popleft().result()
        self._pending.append(self._worker().submit(copy_context().run, self._deliver, batch))

    def waiting(self) -> int:
        """How many batches are not accepted yet."""
        return sum(not future.done() for future in self._pending)

    @property
    def opened(self) -> bool:
        """Whether a batch can be sent without connecting first."""
        return self._largest > 0

    def open_aside(self) -> None:
        """Connect, if it is not connected, while others send; nobody waits for it, or hears that it failed."""
        if not self.opened and (self._opening is None or self._opening.done()):
            self._opening = self._worker().submit(lambda: self._ask_largest(self._connected()))

    def _worker(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="post-office")
        return self._thread

    def drain(self) -> None:
        """Wait until all are accepted. Raises Unavailable when one has failed."""
        while self._pending:
            self._pending.popleft().result()

    def settle(self) -> None:
        """Give up what has not begun and wait for the rest, whatever becomes of it."""
        for future in self._pending:
            future.cancel()
        wait(self._pending)
        self._pending.clear()

    def check(self) -> None:
        """Raise Unavailable when the hub does not answer; asks once."""
        from azure.eventhub.exceptions import EventHubError

        try:
            self._connected().get_eventhub_properties()
        except (EventHubError, OSError) as error:
            self.forget()
            raise Unavailable("post office", type(error).__name__) from error

    def close(self) -> None:
        """End thread and connection; the next use makes new ones."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        self.forget()

    def _deliver(self, batch: "EventDataBatch") -> None:
        try:
            self._try(lambda client: _send(client, batch))
        except TooLarge:
            self.refused = batch.size_in_bytes
            raise

    def _ask_largest(self, client: "EventHubProducerClient") -> int:
        # Without a size of ours, a batch takes the one that the hub announced on the link.
        self._largest = client.create_batch().max_size_in_bytes
        return self._largest

    def _try[T](self, act: Callable[["EventHubProducerClient"], T]) -> T:
        """Do it until it works or the patience is over. Raises Unavailable, TooLarge."""
        from azure.eventhub.exceptions import AuthenticationError, EventHubError

        give_up = self._monotonic() + self._patience
        longest, refusals, too_large = _FIRST_WAIT, 0, 0
        while True:
            try:
                return act(self._connected())
            except (EventHubError, OSError) as error:
                # Jitter, so that many instances do not come back at the same moment.
                pause = random.uniform(longest / 2, longest)  # noqa: S311 - nothing secret
                too_large += SIZE_EXCEEDED in str(error)
                if too_large > SIZE_REFUSALS:
                    raise TooLarge(f"the post office refused: {error}") from error
                if isinstance(error, AuthenticationError) or self._monotonic() + pause > give_up:
                    self.forget()
                    raise Unavailable("post office", f"{type(error).__name__}: {error}", retry_after=longest) from error
                refusals += 1
                if refusals == RENEWED_AFTER:
                    self.forget()  # it may take less than before, and refuse by dropping the link
                logger.warning("the post office refused: %s; again in %.1f s", type(error).__name__, pause)
                self._sleep(pause)
                longest = min(2 * longest, _LONGEST_WAIT)

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

    def forget(self) -> None:
        """Close the client: the next use connects anew and asks again how large a message may be."""
        with self._lock:
            client, self._client, self._largest = self._client, None, 0
        if client is not None:
            client.close()
