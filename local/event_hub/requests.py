"""The nodes that answer: `$cbs` takes every token, `$management` tells about the hub and its partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proton import UNDESCRIBED, Array, Data, Message, int32, timestamp

if TYPE_CHECKING:
    from local.event_hub.hub import Hub

CBS, MANAGEMENT = "$cbs", "$management"
ADDRESSES = (CBS, MANAGEMENT)
_CREDIT = 100


class Reply:
    """The link that answers go out on; they wait here for credit."""

    def __init__(self, link: Any) -> None:
        self._link = link
        self._waiting: list[bytes] = []
        self._sent = 0

    def send(self, message: Any) -> None:
        """Sends an answer as soon as there is credit for it."""
        self._waiting.append(message.encode())
        self.on_credit()

    def on_credit(self) -> bool:
        """Sends the answers that wait."""
        sent = False
        while self._waiting and self._link.credit > 0:
            self._sent += 1
            delivery = self._link.delivery(str(self._sent))
            self._link.send(self._waiting.pop(0))
            delivery.settle()
            sent = True
        return sent

    def on_delivery(self, delivery: Any, message_format: int | None) -> None:
        """Everything was sent settled."""

    def on_close(self) -> None:
        """Nothing to give back."""


class Requests:
    """The link that requests come in on. `replies` finds the answering link of a reply-to address (or of the node)."""

    def __init__(self, link: Any, node: str, hub: Hub, replies: ReplyLinks) -> None:
        self._link = link
        self._node = node
        self._hub = hub
        self._replies = replies
        link.flow(_CREDIT)

    def on_delivery(self, delivery: Any, _: int | None) -> None:
        """Answers a whole request."""
        if delivery.partial:
            return
        request = Message()
        request.decode(self._link.recv(delivery.pending) or b"")
        if self._link.credit < _CREDIT // 2:  # not after each request: a client reads every flow frame one by one
            self._link.flow(_CREDIT - self._link.credit)
        delivery.update(delivery.ACCEPTED)
        delivery.settle()
        reply = self._replies.find(self._link, self._node, request.reply_to)
        if reply:
            reply.send(_accepted(request) if self._node == CBS else _described(request, self._hub))

    def on_credit(self) -> bool:
        """Nothing to send on this link."""
        return False

    def on_close(self) -> None:
        """Nothing to give back."""


class ReplyLinks:
    """The answering links of a connection, by session and node and by their own address."""

    def __init__(self) -> None:
        self._links: list[tuple[Any, str, Reply]] = []

    def add(self, link: Any, node: str) -> Reply:
        """A client's receiver on `node`."""
        reply = Reply(link)
        self._links.append((link, node, reply))
        return reply

    def forget(self, link: Any) -> None:
        """The link is gone."""
        self._links = [entry for entry in self._links if entry[0] != link]

    def find(self, request: Any, node: str, reply_to: str | None) -> Reply | None:
        """The link whose target is the reply-to address, else the newest one on the same node and session."""
        fitting = [entry for entry in self._links if entry[1] == node]
        addressed = [entry for entry in fitting if reply_to and entry[0].remote_target.address == reply_to]
        beside = [entry for entry in fitting if entry[0].session == request.session]
        chosen = addressed or beside or fitting
        return chosen[-1][2] if chosen else None


def _answer(request: Any, status: int, description: str, body: object = None) -> Any:
    return Message(
        body=body,
        correlation_id=request.id if request.correlation_id is None else request.correlation_id,
        properties={"status-code": int32(status), "status-description": description},
    )


def _accepted(request: Any) -> Any:
    return _answer(request, 202, "Accepted")


def _described(request: Any, hub: Hub) -> Any:
    asked = request.properties or {}
    if asked.get("operation") != "READ":
        return _answer(request, 400, f"unknown operation {asked.get('operation')!r}: only READ is answered")
    if asked.get("name") != hub.name:
        return _answer(request, 404, f"no event hub {asked.get('name')!r}: this is {hub.name!r}")
    if asked.get("type") == "com.microsoft:eventhub":
        return _answer(request, 200, "OK", _hub_properties(hub))
    partition = hub.partitions.get(str(asked.get("partition")))
    if asked.get("type") != "com.microsoft:partition" or partition is None:
        wanted = f"{asked.get('type')!r} {asked.get('partition')!r}"
        return _answer(request, 404, f"{wanted} is not here: com.microsoft:partition {', '.join(hub.partitions)}")
    return _answer(request, 200, "OK", _partition_properties(hub, str(asked.get("partition"))))


def _hub_properties(hub: Hub) -> dict[str, Any]:
    return {
        "name": hub.name,
        "type": "com.microsoft:eventhub",
        "created_at": timestamp(hub.created),
        "partition_count": int32(len(hub.partitions)),
        "partition_ids": Array(UNDESCRIBED, Data.STRING, *hub.partitions),
    }


def _partition_properties(hub: Hub, partition_id: str) -> dict[str, Any]:
    log = hub.partitions[partition_id].log
    last = log.place(len(log) - 1) if len(log) else None
    return {
        "name": hub.name,
        "type": "com.microsoft:partition",
        "partition": partition_id,
        "begin_sequence_number": 0,
        "last_enqueued_sequence_number": last.sequence_number if last else -1,
        "last_enqueued_offset": str(last.offset) if last else "-1",
        "last_enqueued_time_utc": timestamp(last.enqueued if last else 0),
        "is_partition_empty": last is None,
    }
