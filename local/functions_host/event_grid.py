"""Event Grid's webhook protocol: the validation handshake and events in both of its schemas."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import web

BLOB_CREATED = "Microsoft.Storage.BlobCreated"
_SUBJECT = "/blobServices/default/containers/"


@dataclass(frozen=True)
class BlobEvent:
    """A blob was created: `path` begins with its container."""

    id: str
    path: str


class NotAnEvent(Exception):
    """The body is no event of either schema; says why."""


async def handshake(request: web.Request) -> web.Response | None:
    """Answer a validation of either schema; None when the call brings events."""
    if request.method == "OPTIONS":
        origin = request.headers.get("WebHook-Request-Origin", "*")
        return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})
    kind = request.headers.get("aeg-event-type", "Notification")
    if kind == "SubscriptionValidation":
        first = (await events_of(request))[0]
        return web.json_response({"validationResponse": first["data"]["validationCode"]})
    if kind == "Unsubscribe":
        return web.Response(status=202)
    return None if kind == "Notification" else web.Response(status=400, text=f"unknown aeg-event-type '{kind}'")


async def events_of(request: web.Request) -> list[dict[str, Any]]:
    """The events of a call: one CloudEvent, a batch of them, or an array in Event Grid's own schema."""
    try:
        content = json.loads(await request.read())
    except ValueError as error:
        raise NotAnEvent(f"the body is no JSON: {error}") from error
    events = content if isinstance(content, list) else [content]
    if not events or not all(isinstance(event, dict) for event in events):
        raise NotAnEvent("the body is neither an event nor an array of events")
    return events


def blob_created(event: dict[str, Any]) -> BlobEvent | None:
    """The blob that an event tells of; None for every other kind of event."""
    kind = event.get("type") or event.get("eventType")
    subject = str(event.get("subject", ""))
    if kind != BLOB_CREATED or not subject.startswith(_SUBJECT):
        return None
    container, found, blob = subject[len(_SUBJECT) :].partition("/blobs/")
    return BlobEvent(str(event.get("id", "")), f"{container}/{unquote(blob)}") if found else None
