"""The one table of the HTTP interface: paths, methods, who may call, what goes in and comes back (coordinator 3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from functions.web import health, jobs, messages, results
from functions.web.access import MARKET, READ, RUN, Caller
from functions.web.description import LIST, MESSAGE_LIST, ROWS, START, Schema
from functions.web.http import CSV, JSON, XML, Request, Response, json_response
from functions.web.openapi import describe
from functions.wiring import App

Handler = Callable[[Request, Caller, App], Response]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path. `roles` empty: open to all; `media`: what the answer can be had as."""

    handler: Handler
    roles: frozenset[str] = frozenset()
    media: tuple[str, ...] = (JSON,)
    status: int = 200
    answer: str = "Anything"
    query: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    body: str = ""
    keyed: bool = False
    also: tuple[int, ...] = ()
    """Problems of its own, besides those that every operation may answer with."""

    @property
    def problems(self) -> tuple[int, ...]:
        """Every problem that it may answer with."""
        guarded = (400, 401, 403, 406, 413, 503) if self.roles else (406, 413)
        return tuple(sorted({*guarded, *self.also}))


@dataclass(frozen=True)
class Route:
    """One path below /api and its methods; every other method is answered with 405.

    HEAD is answered as GET is, without the body, where a GET changes nothing.
    """

    path: str
    operations: dict[str, Operation]

    @property
    def safe(self) -> bool:
        """Whether a GET only reads."""
        return "GET" in self.operations and self.operations["GET"].status == 200


def show_openapi(request: Request, caller: Caller, app: App) -> Response:  # noqa: ARG001 - every operation takes the same
    """The description of the interface."""
    return json_response(200, describe(ROUTES, anonymous=app.settings.anonymous))


RUNS = frozenset({RUN})
READS = frozenset({READ})
ACTORS = frozenset({READ, MARKET})

START_BY_QUERY = Operation(
    handler=jobs.kick_start,
    roles=RUNS,
    query=START,
    required=("beginTime", "endTime", "processType"),
    keyed=True,
    status=202,
    answer="Accepted",
    also=(409, 422),
)
START_BY_BODY = Operation(
    handler=jobs.kick_start,
    roles=RUNS,
    body="Start",
    keyed=True,
    status=202,
    answer="Accepted",
    also=(409, 413, 415, 422),
)
CANCEL = Operation(handler=jobs.cancel, roles=RUNS, status=202, answer="Accepted", also=(404, 409))
RETRY = Operation(handler=jobs.retry, roles=RUNS, status=202, answer="Accepted", also=(404, 409))
PROMOTE = Operation(handler=jobs.promote, roles=RUNS, status=202, answer="Accepted", also=(404, 409, 422))
SHOW_JOBS = Operation(handler=jobs.show_jobs, roles=READS, answer="Jobs", query=LIST)
SHOW_JOB = Operation(handler=jobs.show_job, roles=READS, answer="Job", also=(404,))
SHOW_TABLES = Operation(handler=results.show_tables, roles=ACTORS, answer="Tables", also=(404,))
SHOW_ROWS = Operation(
    handler=results.show_rows, roles=ACTORS, media=(JSON, CSV), answer="Rows", query=ROWS, also=(404,)
)
SHOW_MESSAGES = Operation(
    handler=messages.show_messages, roles=ACTORS, answer="Messages", query=MESSAGE_LIST, also=(404,)
)
SHOW_DOCUMENT = Operation(handler=messages.show_document, roles=ACTORS, media=(JSON, XML), also=(404,))

ROUTES = (
    Route("KickStartJob", {"GET": START_BY_QUERY, "POST": START_BY_BODY}),
    Route("jobs", {"GET": SHOW_JOBS}),
    Route("jobs/{jobId}", {"GET": SHOW_JOB, "DELETE": CANCEL}),
    Route("jobs/{jobId}/retry", {"POST": RETRY}),
    Route("jobs/{jobId}/promote", {"POST": PROMOTE}),
    Route("jobs/{jobId}/results", {"GET": SHOW_TABLES}),
    Route("jobs/{jobId}/results/{table}", {"GET": SHOW_ROWS}),
    Route("jobs/{jobId}/messages", {"GET": SHOW_MESSAGES}),
    Route("messages/{messageId}", {"GET": SHOW_DOCUMENT}),
    Route("health/live", {"GET": Operation(handler=health.live, answer="Health")}),
    Route("health/ready", {"GET": Operation(handler=health.ready, roles=READS, answer="Health")}),
    Route("openapi.json", {"GET": Operation(handler=show_openapi)}),
)
BY_PATH = {route.path: route for route in ROUTES}
