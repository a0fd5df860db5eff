"""The one table of the HTTP interface: paths, methods, who may call, what comes back (coordinator 3)."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.web import health, jobs, openapi
from functions.web.access import READ, RUN, Caller
from functions.web.http import JSON, Request, Response
from functions.wiring import App

Handler = Callable[[Request, Caller, App], Response]


@dataclass(frozen=True)
class Operation:
    """One method of one path. `roles` empty: open to all; `media`: what the answer can be had as."""

    handler: Handler
    roles: frozenset[str]
    media: tuple[str, ...] = (JSON,)


@dataclass(frozen=True)
class Route:
    """One path below /api and its methods; every other method is answered with 405."""

    path: str
    operations: dict[str, Operation]


RUNS = frozenset({RUN})
READS = frozenset({READ})

ROUTES = (
    Route("KickStartJob", {"GET": Operation(jobs.kick_start, RUNS), "POST": Operation(jobs.kick_start, RUNS)}),
    Route("jobs", {"GET": Operation(jobs.show_jobs, READS)}),
    Route("jobs/{jobId}", {"GET": Operation(jobs.show_job, READS), "DELETE": Operation(jobs.cancel, RUNS)}),
    Route("jobs/{jobId}/retry", {"POST": Operation(jobs.retry, RUNS)}),
    Route("jobs/{jobId}/promote", {"POST": Operation(jobs.promote, RUNS)}),
    Route("health/live", {"GET": Operation(health.live, frozenset())}),
    Route("health/ready", {"GET": Operation(health.ready, READS)}),
    Route("openapi.json", {"GET": Operation(openapi.show, frozenset())}),
)
BY_PATH = {route.path: route for route in ROUTES}
