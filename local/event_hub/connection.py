"""One client's connection: bytes in and out between the socket and the AMQP engine (Qpid Proton's transport)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from proton import Collector, Event, ProtonException
from proton import Connection as Engine
from proton import Transport as Wire

from local.event_hub import addresses, frames, requests
from local.event_hub.encoding import Malformed
from local.event_hub.hub import Refused
from local.event_hub.ingress import Ingress
from local.event_hub.links import Egress, close
from local.event_hub.sasl import SaslServer

if TYPE_CHECKING:
    from local.event_hub.hub import Hub
    from local.faults import Faults

logger = logging.getLogger(__name__)
_MAX_FRAME_SIZE = 65536
_RUNTIME_METRIC = b"com.microsoft:enable-receiver-runtime-metric"


class _Node(Protocol):
    def on_delivery(self, delivery: Any, message_format: int | None) -> None: ...
    def on_credit(self) -> bool: ...
    def on_close(self) -> None: ...


class ClientConnection(asyncio.Protocol):
    """Feeds the engine frame by frame, acts on its events, and pads its frames on the way out.

    A frame at a time, because the engine does not tell a delivery's message format: the frame does.
    """

    def __init__(self, hub: Hub, faults: Faults, open_connections: set[ClientConnection]) -> None:
        self._hub = hub
        self._faults = faults
        self._open_connections = open_connections
        self._sasl = SaslServer()
        self._cutter_in = frames.FrameCutter(_MAX_FRAME_SIZE)
        self._cutter_out = frames.FrameCutter()
        self._nodes: dict[Any, _Node] = {}
        self._replies = requests.ReplyLinks()
        self._writable = True
        self._scheduled = False
        self._engine = Engine()
        self._events = Collector()
        self._engine.collect(self._events)
        self._wire = Wire(Wire.SERVER)
        self._wire.require_auth(False)
        self._wire.max_frame_size = _MAX_FRAME_SIZE
        self._wire.bind(self._engine)

    # -- the socket ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - the server makes stream transports only
        self._socket = transport
        self._open_connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client: each whole frame goes to SASL first, then to the engine."""
        try:
            for frame in self._cutter_in.cut(data):
                answer = None if self._sasl.done else self._sasl.answer(frame)
                if answer is None:
                    self._feed(frames.with_room_for_padding(frame))
                else:
                    self._socket.write(answer)
                    if self._sasl.refused:
                        self._socket.close()
        except (Malformed, ProtonException) as wrong:
            logger.warning("connection cut: %s", wrong)
            self.abort()
        self._flush()

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._writable = False

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable = True
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol names it
        """The client is gone: its links leave their partitions."""
        self._open_connections.discard(self)
        self._forget_all()
        self._engine.free()

    def abort(self) -> None:
        """Cuts the connection without a word."""
        self._socket.abort()

    def schedule(self) -> None:
        """Sends soon what a new event or another connection brought."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def tick(self, now: float) -> None:
        """Keeps the client's idle timeout; called about once a second."""
        if not self._socket.is_closing():
            self._wire.tick(now)
            self._flush()

    # -- the engine ----------------------------------------------------------------------------------------------

    def _feed(self, frame: bytes) -> None:
        rest = frame
        while rest and not self._socket.is_closing():
            room = self._wire.capacity()
            if room <= 0:
                self.abort()
                return
            self._wire.push(rest[:room])
            rest = rest[room:]
        while (event := self._events.peek()) is not None:
            self._act(event, frame)
            self._events.pop()

    def _flush(self) -> None:
        self._scheduled = False
        if self._socket.is_closing():
            return
        self._write()
        # A node that sent something may go on once that has left the engine; every node has its turn.
        while self._writable and sum(node.on_credit() for node in list(self._nodes.values())):
            self._write()
        self._write()

    def _write(self) -> None:
        out: list[bytes] = []
        try:
            while (size := self._wire.pending()) > 0:
                out += map(frames.padded, self._cutter_out.cut(self._wire.peek(size)))
                self._wire.pop(size)
        except ProtonException as ended:
            logger.warning("connection cut: %s", ended)
            size = -1
        if out:
            self._socket.write(b"".join(out))
        if size < 0:
            self._socket.close()

    def _act(self, event: Any, frame: bytes) -> None:
        match event.type:
            case Event.DELIVERY:
                node = self._nodes.get(event.link)
                if node and event.delivery.readable:
                    node.on_delivery(event.delivery, frames.message_format(frame))
            case Event.CONNECTION_REMOTE_OPEN:
                self._engine.container = f"event-hub-{self._hub.name}"
                self._engine.open()
            case Event.SESSION_REMOTE_OPEN:
                event.session.open()
            case Event.LINK_REMOTE_OPEN:
                self._attach(event.link, frame)
            case Event.LINK_REMOTE_CLOSE | Event.LINK_REMOTE_DETACH:
                self.forget(event.link)
                event.link.close()
                event.link.free()
            case Event.SESSION_REMOTE_CLOSE:
                # The stock client ends a session before it detaches its links. The engine frees them with the session
                # whoever holds them, so nothing may hold a link any longer than its session.
                for link in [link for link in self._nodes if link.session == event.session]:
                    self.forget(link)
                event.session.close()
                event.session.free()
            case Event.CONNECTION_REMOTE_CLOSE:
                self._forget_all()
                self._engine.close()

    # -- links ---------------------------------------------------------------------------------------------------

    def forget(self, link: Any) -> None:
        """The link is gone."""
        node = self._nodes.pop(link, None)
        self._replies.forget(link)
        if node:
            node.on_close()

    def _forget_all(self) -> None:
        for link in list(self._nodes):
            self.forget(link)

    def _attach(self, link: Any, frame: bytes) -> None:
        address = link.remote_target.address if link.is_receiver else link.remote_source.address
        try:
            node = self._node(link, address, frame)
        except Refused as why:
            link.open()
            close(link, why.condition, str(why))
            return
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.open()
        self._nodes[link] = node

    def _node(self, link: Any, address: str | None, frame: bytes) -> _Node:
        path = addresses.path_of(address)
        if path in requests.ADDRESSES or path.endswith("/" + requests.MANAGEMENT):
            name = path.rsplit("/", 1)[-1]
            if link.is_receiver:
                return requests.Requests(link, name, self._hub, self._replies)
            return self._replies.add(link, name)
        if link.is_receiver:
            return Ingress(self, link, self._hub, addresses.target(self._hub, address), self._faults)
        source = addresses.source(self._hub, address)
        first = addresses.first_to_read(source.partition, _selector(link))
        egress = Egress(self, link, source, first, metric=_RUNTIME_METRIC in frame)
        source.partition.admit(egress)
        return egress


def _selector(link: Any) -> str | None:
    """The text of the source's selector filter, if there is one."""
    data = link.remote_source.filter
    data.rewind()
    filters = data.get_object() if data.next() else {}
    for value in filters.values():
        return str(getattr(value, "value", value))
    return None
