"""Blob triggers with Event Grid as their source: the webhook, the blob's bytes, five tries and the poison queue."""

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from local.functions_host import event_grid, invocations
from local.functions_host.protos import TypedData
from local.functions_host.queues import FolderQueue, Message
from local.functions_host.worker import Function

logger = logging.getLogger(__name__)
QUEUE = "webjobs-blobtrigger"
RETRY_SECONDS = 0.25


class BlobTriggers:
    """All functions that a blob starts. Accepted events are on disk before the webhook answers."""

    def __init__(self, functions: list[Function], settings: Mapping[str, str], state: Path) -> None:
        self._functions = {found.name: found for found in functions if found.trigger["type"] == "blobTrigger"}
        self._services = {name: _service(found, settings) for name, found in self._functions.items()}
        self._patterns = {name: _pattern(found.trigger["path"]) for name, found in self._functions.items()}
        self._queue = FolderQueue(state, QUEUE)

    async def webhook(self, request: web.Request) -> web.Response:
        """`POST /runtime/webhooks/blobs?functionName=Host.Functions.<Name>`: 202 once the events are kept."""
        name = request.query.get("functionName", "").removeprefix("Host.Functions.")
        if name not in self._functions:
            return web.Response(status=404, text=f"no blob trigger is called '{name}'")
        try:
            handshake = await event_grid.handshake(request)
            if handshake is not None:
                return handshake
            events = await event_grid.events_of(request)
        except (event_grid.NotAnEvent, KeyError, TypeError) as error:
            return web.Response(status=400, text=str(error))
        for event in events:
            created = event_grid.blob_created(event)
            if created is None or not self._patterns[name].fullmatch(created.path):
                logger.info("event %s is not for %s", event.get("id"), name)
                continue
            self._queue.put(json.dumps({"function": name, "path": created.path, "event": created.id}))
        return web.Response(status=202)

    async def run(self, at_once: int) -> None:
        """Work on the events for ever."""
        if not self._functions:
            return
        async with aiohttp.ClientSession() as session:

            async def handle(message: Message) -> str | None:
                return await self._handle(session, json.loads(message.body))

            await self._queue.run(handle, at_once, RETRY_SECONDS, growth=2)

    async def _handle(self, session: aiohttp.ClientSession, event: dict[str, str]) -> str | None:
        """Read the blob and run the function; a blob that is gone, or a function that is, needs no run."""
        name, path = event["function"], event["path"]
        function = self._functions.get(name)
        match = self._patterns[name].fullmatch(path) if function else None
        if function is None or match is None:
            return None
        uri = f"{self._services[name]}/{quote(path)}"
        try:
            async with session.get(uri) as answer:
                if answer.status == web.HTTPNotFound.status_code:
                    logger.info("%s is gone: no run of %s", path, name)
                    return None
                answer.raise_for_status()
                content, headers = await answer.read(), answer.headers
        except aiohttp.ClientError as error:
            return f"{uri} cannot be read: {error}"
        properties = {"Length": len(content), "ETag": headers.get("ETag"), "LastModified": headers.get("Last-Modified")}
        metadata = {
            "BlobTrigger": TypedData(string=path),
            "Uri": TypedData(string=uri),
            "Properties": TypedData(json=json.dumps(properties)),
            "Metadata": TypedData(json="{}"),
            **{key: TypedData(string=value) for key, value in match.groupdict().items()},
        }
        return (await invocations.run(function, TypedData(bytes=content), metadata)).error


def _service(function: Function, settings: Mapping[str, str]) -> str:
    """The blob endpoint of a trigger's connection; Azure needs the queue endpoint beside it (platform 1.5)."""
    connection = function.trigger["connection"]
    missing = [
        key for key in (f"{connection}__blobServiceUri", f"{connection}__queueServiceUri") if key not in settings
    ]
    if missing:
        raise KeyError(f"{function.name}: its connection '{connection}' needs the setting {' and '.join(missing)}")
    return settings[f"{connection}__blobServiceUri"].rstrip("/")


def _pattern(path: str) -> re.Pattern[str]:
    """A binding path such as `container/folder/{name}`; a name may hold slashes."""
    parts: list[Any] = re.split(r"\{(\w+)\}", path)
    names = {index: f"(?P<{part}>.+)" for index, part in enumerate(parts) if index % 2}
    return re.compile("".join(names.get(index) or re.escape(part) for index, part in enumerate(parts)))
