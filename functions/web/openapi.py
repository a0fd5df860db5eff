"""OpenAPI 3.1 at /api/openapi.json."""

from functions.web.access import Caller
from functions.web.http import Request, Response, json_response
from functions.wiring import App


def show(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """The description of the interface."""
    return json_response(200, {"openapi": "3.1.0", "info": {"title": "Settlement", "version": "1"}, "paths": {}})
