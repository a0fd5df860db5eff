"""Queue triggers over folders of messages, and a door through which events and people put messages there."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from local.functions_host import event_grid, invocations
from local.functions_host.protos import TypedData
from local.functions_host.queues import FolderQueue, Message
from local.functions_host.worker import Function

_TIME_TO_LIVE = timedelta(days=7)


class QueueTriggers:
    """All functions that a queue starts, by the name of their queue."""

    def __init__(self, functions: list[Function], state: Path) -> None:
        triggered = [function for function in functions if function.trigger["type"] == "queueTrigger"]
        self._functions = {function.trigger["queueName"]: function for function in triggered}
        self._queues = {name: FolderQueue(state, name) for name in self._functions}

    async def receive(self, request: web.Request) -> web.Response:
        """`POST /runtime/queues/<name>`: Event Grid's events, one message each, kept before 202 is answered."""
        queue = self._queues.get(request.match_info["name"])
        if queue is None:
            return web.Response(status=404, text="no function is triggered by this queue")
        try:
            handshake = await event_grid.handshake(request)
            events = [] if handshake is not None else await event_grid.events_of(request)
        except (event_grid.NotAnEvent, KeyError, TypeError) as error:
            return web.Response(status=400, text=str(error))
        for event in events:
            queue.put(json.dumps(event))
        return handshake or web.Response(status=202)

    def workers(self, at_once: int, pause: float) -> list[Any]:
        """One endless worker per queue."""
        return [
            queue.run(partial(_handle, self._functions[name]), at_once, pause) for name, queue in self._queues.items()
        ]


async def _handle(function: Function, message: Message) -> str | None:
    inserted = datetime.fromisoformat(message.inserted)
    metadata: Mapping[str, TypedData] = {
        "Id": TypedData(string=message.id),
        "DequeueCount": TypedData(string=str(message.dequeue_count)),
        "PopReceipt": TypedData(string=message.id),
        "InsertionTime": TypedData(string=_instant(inserted)),
        "ExpirationTime": TypedData(string=_instant(inserted + _TIME_TO_LIVE)),
        "NextVisibleTime": TypedData(string=_instant(datetime.now(UTC))),
    }
    return (await invocations.run(function, TypedData(string=message.body), metadata)).error


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
