"""What every link shares, and the receiver's link: events go out."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

from proton import Condition, symbol

from local.event_hub import events

if TYPE_CHECKING:
    from local.event_hub.addresses import Source

_IN_FLIGHT_BYTES = 1 << 20
_tracking = itertools.count(1)


class Connection(Protocol):
    """What a link needs of its connection."""

    def abort(self) -> None:
        """Cuts the connection without a word."""

    def schedule(self) -> None:
        """There is something to send; it goes out soon."""

    def forget(self, link: Any) -> None:
        """The link is gone."""


def condition(name: str, description: str) -> Any:
    """An AMQP error. The SDK reads all three fields of it, so the info is never empty."""
    return Condition(name, description, {symbol("tracking-id"): str(next(_tracking))})


def close(link: Any, name: str, description: str) -> None:
    """Ends a link with an error."""
    link.condition = condition(name, description)
    link.close()


class Egress:
    """A receiver's link: sends the partition's events, settled, from where the filter says, as its credit allows."""

    def __init__(self, connection: Connection, link: Any, source: Source, first: int, *, metric: bool) -> None:
        self._connection = connection
        self._link = link
        self._partition = source.partition
        self._next = first
        self._metric = metric
        self.group = source.group
        epoch = (link.remote_properties or {}).get("com.microsoft:epoch")
        self.epoch = None if epoch is None else int(epoch)

    def wake(self) -> None:
        """There are new events: they go out after the delivery that brought them is answered."""
        self._connection.schedule()

    def disconnect(self, condition: str, description: str) -> None:
        """A reader with a higher owner level takes over."""
        close(self._link, condition, description)
        self._connection.forget(self._link)
        self._connection.schedule()

    def on_credit(self) -> bool:
        """Sends what credit and the bytes in flight allow; whether anything was sent."""
        link, log = self._link, self._partition.log
        room = _IN_FLIGHT_BYTES - link.session.outgoing_bytes
        credit = min(link.credit, len(log) - self._next)
        sent = False
        while credit > 0 and room > 0:
            last = log.place(len(log) - 1) if self._metric else None
            message = events.outgoing(log.read(self._next), log.place(self._next), last)
            delivery = link.delivery(str(self._next))
            link.send(message)
            delivery.settle()
            self._next += 1
            credit -= 1
            room -= len(message)
            sent = True
        if link.drain_mode:
            link.drained()
        return sent

    def on_delivery(self, delivery: Any, message_format: int | None) -> None:
        """Everything was sent settled: a disposition changes nothing."""

    def on_close(self) -> None:
        """Leaves the partition."""
        self._partition.leave(self)
