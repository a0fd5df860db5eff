"""From a request to its answer: method, settings, caller, Accept, the use case, and every error as problem details."""

import logging
from dataclasses import replace
from typing import Any

from functions.coordinator.errors import Conflict, IllegalTransition, NothingThere, UnknownJob, Unprocessable
from functions.ports import Changed, LeaseHeld, Unavailable
from functions.web import health
from functions.web.access import Caller, authenticate, authorise
from functions.web.http import LARGEST_BODY, Problem, Request, Response, negotiate, wrong
from functions.web.jobs import base_url
from functions.web.routes import BY_PATH, Operation
from functions.wiring import App
from shared.errors import InvalidArguments

logger = logging.getLogger(__name__)
NOBODY = Caller("nobody", frozenset())
UNKNOWN = ""
"""Stands for every path that the table does not hold."""
COME_BACK = "5"
"""Seconds after which a caller may try again when the lake cannot be reached and does not say when."""


def answer(request: Request, path: str, app: App) -> Response:
    """Answer a request to a path of the table, or to one that is not there: 404."""
    try:
        route = BY_PATH.get(path)
        if route is None:
            raise Problem(404, "there is no such path; /api/openapi.json tells which there are")
        operations = route.operations
        if request.method == "HEAD" and route.safe:
            whole = _perform(request, operations["GET"], app)
            return replace(whole, body=b"")
        if request.method not in operations:
            allowed = ", ".join([*operations, "HEAD"] if route.safe else operations)
            raise Problem(405, f"{request.method} is not allowed here, {allowed} is", headers={"Allow": allowed})
        return _perform(request, operations[request.method], app)
    except Problem as problem:
        return problem.response()
    except Exception as error:
        return _translated(error, request, app).response()


def _perform(request: Request, operation: Operation, app: App) -> Response:
    caller = NOBODY
    # Without its settings the app can check no caller: only what is missing is told, to anybody.
    broken = app.settings.problems
    if broken and operation.roles and operation.handler is not health.ready:
        raise Problem(503, f"the app lacks settings: {', '.join(broken)}", errors=broken)
    if operation.roles and not broken:
        caller = authenticate(request, app)
        authorise(caller, operation.roles)
    if len(request.body) > LARGEST_BODY:
        raise Problem(413, f"the body is larger than {LARGEST_BODY} bytes")
    negotiate(request.headers.get("accept"), operation.media)
    return operation.handler(request, caller, app)


def _translated(error: Exception, request: Request, app: App) -> Problem:
    match error:
        case InvalidArguments():
            return wrong(error.fields)
        case UnknownJob() | NothingThere():
            return Problem(404, str(error))
        case Conflict():
            extra: dict[str, Any] = dict(error.extra)
            if "jobId" in extra:
                extra["statusUrl"] = f"{base_url(request, app)}/api/jobs/{extra['jobId']}"
            return Problem(409, str(error), **extra)
        case IllegalTransition():
            return Problem(409, str(error))
        case Unprocessable():
            return Problem(422, str(error), errors=error.fields)
        case Unavailable():
            logger.warning("%s", error)
            seconds = COME_BACK if error.retry_after is None else str(max(1, round(error.retry_after)))
            return Problem(503, f"{error.name} cannot be reached", headers={"Retry-After": seconds})
        case Changed() | LeaseHeld():
            return Problem(503, "too many writers at once", headers={"Retry-After": COME_BACK})
    logger.exception("a call failed", exc_info=error)
    return Problem(500, "something that was not foreseen; the log says what")
