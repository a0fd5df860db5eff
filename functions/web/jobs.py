"""The calls about jobs: start, list, look, cancel, retry, promote."""

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from functions import observability
from functions.coordinator.cancel_job import cancel_job
from functions.coordinator.list_jobs import JobFilter, list_jobs
from functions.coordinator.promote_job import promote_job
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.retry_job import retry_job
from functions.coordinator.start_job import start_job
from functions.web.access import Caller
from functions.web.http import Problem, Request, Response, json_response, wrong
from functions.web.parameters import instant, query_of, read_query
from functions.web.start_request import start_request
from functions.wiring import App
from shared.codes import ProcessType

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SORT_KEY = re.compile(r"[0-9]{15}-.{36}")
"""What a page of the list goes on from (job_index)."""
LIST_PARAMETERS = ("status", "processType", "beginTime", "endTime", "pageSize", "continuationToken")
PAGE, LARGEST_PAGE = 100, 1000


def base_url(request: Request, app: App) -> str:
    """Where the callers reach the app."""
    return app.settings.public_base_url or request.origin


def job_id_of(request: Request) -> str:
    """The job id of the route. Raises Problem 404 when it is no UUID: no job has such an id."""
    text = request.params.get("jobId", "")
    if not UUID.fullmatch(text):
        raise Problem(404, "there is no such job: its id is no UUID")
    return str(uuid.UUID(text))


def status_url(job_id: str, request: Request, app: App) -> str:
    """Where a job can be looked at."""
    return f"{base_url(request, app)}/api/jobs/{job_id}"


def kick_start(request: Request, caller: Caller, app: App) -> Response:
    """Start a job: 202 with its id and where to follow it."""
    wanted = start_request(request, caller.id, app.settings)
    with observability.job_trace("KickStartJob", request.headers.get("traceparent")) as trace:
        wanted = replace(wanted, trace_id=trace.trace_id, traceparent=trace.traceparent)
        record = start_job(
            wanted,
            records=app.records,
            runner=app.runner,
            areas=app.areas,
            tables_uri=app.settings["LAKE_TABLES_URI"],
        )
    return accepted(record, request, app)


def accepted(record: JobRecord, request: Request, app: App) -> Response:
    """202: what was asked for is under way."""
    url = status_url(record.job_id, request, app)
    body = {"jobId": record.job_id, "status": record.status.value, "statusUrl": url}
    return json_response(202, body, {"Location": url})


def show_job(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """One job with all that is known about it."""
    query_of(request, ())
    record = app.records.get(job_id_of(request))
    history = [
        {"status": step.state.value, "at": step.at, "cause": step.cause, "attempt": step.attempt}
        for step in record.history
    ]
    return json_response(200, {**job_document(record, request, app), "history": history})


def show_jobs(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """A page of jobs, newest first, and the token of the next."""
    query, errors = read_query(request, LIST_PARAMETERS)
    wanted, size, before = _list_request(query, errors)
    jobs, token = list_jobs(wanted, index=app.index, size=size, before=before)
    document: dict[str, Any] = {"jobs": [job_document(record, request, app) for record in jobs]}
    if token is None:
        return json_response(200, document)
    document["continuationToken"] = base64.urlsafe_b64encode(token.encode()).decode()
    following = urlencode(query | {"continuationToken": document["continuationToken"]})
    return json_response(200, document, {"Link": f'<{base_url(request, app)}/api/jobs?{following}>; rel="next"'})


def _list_request(query: dict[str, str], errors: dict[str, str]) -> tuple[JobFilter, int, str | None]:
    """`errors`: what is wrong with the query already. Raises Problem 400 that names every wrong parameter."""
    readers: dict[str, Callable[[str], Any]] = {
        "status": lambda text: _one_of(text, JobState),
        "processType": lambda text: _one_of(text, ProcessType),
        "beginTime": lambda text: instant(text, from_query=True),
        "endTime": lambda text: instant(text, from_query=True),
        "pageSize": _page_size,
        "continuationToken": _token,
    }
    parsed: dict[str, Any] = {}
    for name, text in query.items():
        try:
            parsed[name] = readers[name](text)
        except ValueError as error:
            errors.setdefault(name, str(error))
    if errors:
        raise wrong(errors)
    wanted = JobFilter(
        status=parsed.get("status"),
        process_type=parsed.get("processType"),
        begin=parsed.get("beginTime"),
        end=parsed.get("endTime"),
    )
    return wanted, parsed.get("pageSize", PAGE), parsed.get("continuationToken")


def _one_of(text: str, names: type[StrEnum]) -> StrEnum:
    if text in names:
        return names(text)
    raise ValueError(f"is none of {', '.join(names)}")


def _page_size(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,4}", text) and 1 <= int(text) <= LARGEST_PAGE:
        return int(text)
    raise ValueError(f"is no number from 1 to {LARGEST_PAGE}")


def _token(text: str) -> str:
    try:
        key = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not SORT_KEY.fullmatch(key):
        raise ValueError("is no continuation token of this list")
    return key


def cancel(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """Cancel a job."""
    query_of(request, ())
    return accepted(cancel_job(job_id_of(request), records=app.records, runner=app.runner), request, app)


def retry(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """Try a failed or cancelled job again."""
    query_of(request, ())
    record = retry_job(
        job_id_of(request), records=app.records, runner=app.runner, tables_uri=app.settings["LAKE_TABLES_URI"]
    )
    return accepted(record, request, app)


def promote(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """Make a completed simulation an actual job."""
    query_of(request, ())
    return accepted(promote_job(job_id_of(request), records=app.records), request, app)


def job_document(record: JobRecord, request: Request, app: App) -> dict[str, Any]:
    """A job as callers see it; what is not there is left out."""
    arguments = record.arguments
    document = {
        "jobId": record.job_id,
        "status": record.status.value,
        "processType": arguments["process-type"],
        "processVariant": arguments["process-variant"] or None,
        "beginTime": arguments["period-start"],
        "endTime": arguments["period-end"],
        "gridAreas": arguments["grid-areas"].split(","),
        "simulation": record.simulation,
        "promoted": record.promoted,
        "created": record.created,
        "scheduledAt": record.scheduled_at,
        "attempt": record.attempt,
        "cancelRequested": record.cancel_requested,
        "runId": record.run_id,
        "runPage": record.run_page,
        "error": record.error,
        "version": record.frozen.version if record.frozen else None,
        "splitAt": record.frozen.split_at if record.frozen else None,
        "traceId": record.trace_id,
        "results": record.results,
        "messages": {
            "made": record.messages,
            "rejected": record.rejected,
            "withoutReceiver": record.without_receiver,
        }
        | ({} if record.sent is None else {"sent": record.sent}),
        "statusUrl": status_url(record.job_id, request, app),
    }
    return {name: value for name, value in document.items() if value is not None}
