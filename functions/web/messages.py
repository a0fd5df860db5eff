"""The calls about messages: who was sent what and when, and one document as CIM JSON or CIM XML (coordinator 3).

The archive is imported where it is used: documents, XML and packing would be a third of the app's start.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from functions.coordinator.errors import UnknownJob
from functions.web.access import Caller
from functions.web.http import JSON, XML, Problem, Request, Response, json_response, negotiate, wrong
from functions.web.jobs import base_url, job_id_of
from functions.web.parameters import query_of, read_query
from functions.wiring import App

if TYPE_CHECKING:
    from functions.coordinator.archive import ActorScope, Place

FILTER_OF = {
    "recipient": "recipient",
    "recipientRole": "recipient_role",
    "documentType": "document_type",
    "processType": "process_type",
    "gridArea": "grid_area",
}
PARAMETERS = (*FILTER_OF, "pageSize", "continuationToken")
SHOWN = {
    "messageId": "message_id",
    "jobId": "job_id",
    "documentType": "document_type",
    "processType": "process_type",
    "recipient": "recipient",
    "recipientRole": "recipient_role",
    "originalRecipient": "original_recipient",
    "originalRecipientRole": "original_role",
    "gridArea": "grid_area",
    "periodStart": "period_start",
    "periodEnd": "period_end",
    "created": "created",
    "sentAt": "sent_at",
    "contentLength": "content_length",
    "contentSha256": "content_sha256",
}
PAGE, LARGEST_PAGE = 100, 1000


def show_messages(request: Request, caller: Caller, app: App) -> Response:
    """The messages of a job, those that still wait included (without sentAt)."""
    from functions.coordinator.archive import list_messages

    query, errors = read_query(request, PARAMETERS)
    limit, after = _paging(query, errors)
    job_id = job_id_of(request)
    wanted = {FILTER_OF[name]: value for name, value in query.items() if name in FILTER_OF}
    page = list_messages(job_id, archive=app.archive, wanted=wanted, scope=scope_of(caller), after=after, limit=limit)
    if not page.messages and app.records.find(job_id) is None:
        raise UnknownJob(job_id)
    address = base_url(request, app)
    document: dict[str, Any] = {"jobId": job_id, "messages": [_message(row, address) for row in page.messages]}
    if page.after is None:
        return json_response(200, document)
    token = base64.urlsafe_b64encode(json.dumps(page.after).encode()).decode()
    link = f'<{address}/api/jobs/{job_id}/messages?{urlencode(query | {"continuationToken": token})}>; rel="next"'
    return json_response(200, document | {"continuationToken": token}, {"Link": link})


def show_document(request: Request, caller: Caller, app: App) -> Response:
    """One document, byte for byte as it was or will be sent, or the same as CIM XML."""
    from functions.coordinator.archive import as_xml, find_document

    query_of(request, ())
    media_type = negotiate(request.headers.get("accept"), (JSON, XML))
    line = find_document(request.params.get("messageId", ""), archive=app.archive, scope=scope_of(caller))
    return Response(200, line.content if media_type == JSON else as_xml(line), media_type)


def scope_of(caller: Caller) -> "ActorScope | None":
    """Whose messages alone the caller sees; None sees all. Raises Problem 403 when it names no actor."""
    from functions.coordinator.archive import ActorScope

    if caller.sees_all:
        return None
    if not caller.actor_id or not caller.actor_role:
        raise Problem(403, "the token names no market actor and role")
    return ActorScope(actor_id=caller.actor_id, actor_role=caller.actor_role)


def _message(row: Mapping[str, Any], address: str) -> dict[str, Any]:
    shown = {name: row[field] for name, field in SHOWN.items() if row[field] is not None}
    return shown | {"url": f"{address}/api/messages/{row['message_id']}"}


def _paging(query: Mapping[str, str], unread: Mapping[str, str]) -> tuple[int, "Place | None"]:
    errors: dict[str, str] = {}
    text = query.get("pageSize", str(PAGE))
    limit = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0
    if not 1 <= limit <= LARGEST_PAGE:
        errors["pageSize"] = f"is no number from 1 to {LARGEST_PAGE}"
    try:
        after = _place(query["continuationToken"]) if "continuationToken" in query else None
    except (binascii.Error, ValueError, TypeError, RecursionError):
        errors["continuationToken"] = "is no continuation token of this list"
        after = None
    if errors or unread:
        raise wrong(errors | dict(unread))
    return limit, after


def _place(token: str) -> "Place":
    from functions.coordinator.archive import Place

    batch, number = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    if not isinstance(batch, str) or type(number) is not int:
        raise ValueError("neither a batch nor a number")
    return Place(batch, number)
