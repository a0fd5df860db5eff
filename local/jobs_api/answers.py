"""Errors in the form that databricks-sdk reads, and what requests carry."""

import json
from collections.abc import Collection
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from local.faults import Rule

READS = frozenset({"list", "get", "runs/get", "runs/list", "runs/get-output"})


class Refused(Exception):
    """What the API refuses, as it says it."""

    def __init__(self, message: str, code: str = "INVALID_PARAMETER_VALUE", status: int = 400) -> None:
        self.message = message
        self.code = code
        self.status = status
        super().__init__(message)


@web.middleware
async def answers_as_databricks(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors in the form that databricks-sdk reads."""
    try:
        return await handler(request)
    except Refused as error:
        return _error(error)
    except web.HTTPNotFound:
        return _error(Refused(f"No API found for '{request.method} {request.path}'", "ENDPOINT_NOT_FOUND", 404))


def _error(error: Refused, headers: dict[str, str] | None = None) -> web.Response:
    content = {"error_code": error.code, "message": error.message}
    return web.json_response(content, status=error.status, headers=headers)


def operation_names(request: web.Request) -> tuple[Collection[str], str]:
    """The names that fault rules know a request by."""
    operation = request.path.partition("/jobs/")[2]
    return {operation, "read" if operation in READS or not operation else "write"}, operation


def refusal(_: web.Request, rule: Rule) -> web.StreamResponse:
    """The answer to a request that a fault strikes."""
    by_status = {429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE", 500: "INTERNAL_ERROR"}
    code = by_status.get(rule.status, rule.code)
    headers = {} if rule.retry_after is None else {"Retry-After": f"{rule.retry_after:g}"}
    return _error(Refused("A fault that was asked for.", code, rule.status), headers)


def number(given: Any, name: str) -> int:
    """A whole number of the request. Raises Refused."""
    try:
        return int(given)
    except (TypeError, ValueError) as error:
        raise Refused(f"{name} must be a whole number, not '{given}'") from error


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object that the request carries. Raises Refused."""
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise Refused(f"The body is no JSON: {error}", "MALFORMED_REQUEST") from error
    if not isinstance(body, dict):
        raise Refused("The body must be an object.", "MALFORMED_REQUEST")
    return body
