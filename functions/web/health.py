"""Is the app alive, and can it work? (coordinator 3; issue "Into Azure")."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from functions.ports import Unavailable
from functions.web.access import Caller
from functions.web.http import Request, Response, json_response
from functions.wiring import App

OK = "ok"
ANSWER_WITHIN = 10


def live(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """The app answers."""
    return json_response(200, {"status": OK})


def ready(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - likewise
    """What the app needs, each by name; 503 when something is missing."""
    if app.settings.problems:
        named = {name: f"{name} {problem}" for name, problem in app.settings.problems.items()}
        return json_response(503, {"status": "not ready", "settings": named})
    checks: dict[str, Callable[[], None]] = {
        "lake": lambda: app.lake.check(),
        "databricks": lambda: app.runner.check(),
        "eventHub": lambda: app.post_office.check(),
    }
    app.load()
    pool = ThreadPoolExecutor(len(checks))
    asked = {name: pool.submit(check) for name, check in checks.items()}
    until = time.monotonic() + ANSWER_WITHIN
    found = {name: _outcome(future, until - time.monotonic()) for name, future in asked.items()}
    pool.shutdown(wait=False)
    good = all(outcome == OK for outcome in found.values())
    return json_response(200 if good else 503, {"status": OK if good else "not ready", "checks": found})


def _outcome(check: "Future[None]", seconds: float) -> str:
    try:
        check.result(max(0.0, seconds))
    except Unavailable as error:
        return str(error)
    except TimeoutError:
        return f"does not answer within {ANSWER_WITHIN} s"
    return OK
