"""The sender's link: events come in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from proton import Delivery

from local.event_hub import encoding, events
from local.event_hub.links import Connection, close, condition

if TYPE_CHECKING:
    from local.event_hub.hub import Hub, Partition
    from local.faults import Faults

_CREDIT = 300
SEND = "send"
FAULTS = frozenset(
    {
        "delay",
        "server_busy",
        "oversize",
        "drop_link_before",
        "drop_link_after",
        "drop_connection_before",
        "drop_connection_after",
    }
)


class Ingress:
    """Keeps each delivery, then accepts it; or refuses it with a reason.

    Faults (local/faults.py) strike the operation `send` on the link's target address. *before*: the events are not
    kept. *after*: they are kept, and the sender does not learn it.
    """

    def __init__(
        self, connection: Connection, link: Any, hub: Hub, partition: Partition | None, faults: Faults
    ) -> None:
        self._connection = connection
        self._link = link
        self._hub = hub
        self._partition = partition
        self._faults = faults
        self._format = 0
        self._delayed: list[asyncio.TimerHandle] = []
        self._limit = hub.max_message_size
        link.max_message_size = self._limit
        link.flow(_CREDIT)

    def on_delivery(self, delivery: Any, message_format: int | None) -> None:
        """Some or all of a delivery came in; `message_format` where its first frame told it."""
        if message_format is not None:
            self._format = message_format
        if delivery.pending > self._limit:
            self._drop_link(*self._too_large())
            return
        if delivery.partial:
            return
        message, message_format, self._format = self._link.recv(delivery.pending) or b"", self._format, 0
        self._link.advance()
        if self._link.credit < _CREDIT // 2:  # not after each delivery: a client reads every flow frame one by one
            self._link.flow(_CREDIT - self._link.credit)
        if delivery.aborted:
            delivery.settle()
            return
        rules = self._faults.strike((SEND,), self._hub.address_of(self._partition), FAULTS, len(message))
        fault = next((rule.fault for rule in rules if rule.fault != "delay"), None)
        delay = sum(rule.seconds for rule in rules if rule.fault == "delay")
        if delay:
            later = asyncio.get_running_loop().call_later
            self._delayed.append(later(delay, self._finish, delivery, message, message_format, fault))
        else:
            self._finish(delivery, message, message_format, fault)

    def _finish(self, delivery: Any, message: bytes, message_format: int, fault: str | None) -> None:
        self._connection.schedule()
        if fault is None or fault.endswith("_after"):
            refused = self._keep(message, message_format)
            if refused:
                _reject(delivery, *refused)
                return
        match fault:
            case None:
                delivery.update(Delivery.ACCEPTED)
                delivery.settle()
            case "server_busy":
                _reject(delivery, "com.microsoft:server-busy", "the hub is throttled, come back later")
            case "oversize":
                _reject(delivery, *self._too_large())
            case "drop_link_before" | "drop_link_after":
                self._drop_link("amqp:link:detach-forced", "the link was dropped on request")
            case _:
                self._connection.abort()

    def _keep(self, message: bytes, message_format: int) -> tuple[str, str] | None:
        """Keeps the events; or says why they are refused, with the AMQP condition."""
        try:
            incoming = events.unpack(message, message_format)
            partition = self._partition or self._hub.partition_for(incoming.partition_key)
            partition.append(incoming.events)
        except encoding.Malformed as wrong:
            return "amqp:decode-error", str(wrong)
        except OSError as failed:
            return "amqp:internal-error", f"the events cannot be kept: {failed.strerror}"
        return None

    def _too_large(self) -> tuple[str, str]:
        return "amqp:link:message-size-exceeded", f"a message is larger than the {self._limit} bytes of this link"

    def _drop_link(self, name: str, description: str) -> None:
        close(self._link, name, description)
        self._connection.forget(self._link)

    def on_credit(self) -> bool:
        """Nothing to send on a sender's link."""
        return False

    def on_close(self) -> None:
        """A delayed delivery is not kept any more, and not held: the engine frees it with the link."""
        for handle in self._delayed:
            handle.cancel()


def _reject(delivery: Any, name: str, description: str) -> None:
    delivery.local.condition = condition(name, description)
    delivery.update(Delivery.REJECTED)
    delivery.settle()
