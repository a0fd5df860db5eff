"""Faults that a stand-in can be told to make, for the fault tests: rules, drawn by seed, counted.

Only with `--faults` does a stand-in have the route `/_faults` (no part of any Azure or Databricks interface):
`POST` replaces the rules, `GET` tells how often each fired, `DELETE` ends them all.

    {"seed": 7, "rules": [{"on": "write", "path": "jobs/", "fault": "status", "status": 503, "retry_after": 1,
                           "nth": [1, 3], "times": 2, "probability": 0.5}]}

`on` is one operation's name, `read`, `write` or `any`; `path` a beginning; a rule without `nth` and `probability`
always fires, `times` limits how often. What each `fault` does: `status` answers that status (and `code`), `delay` waits
`seconds` and goes on, `hang` waits `seconds` and drops the connection with nothing done, `lost_reply` does the work,
waits `seconds` and drops the connection. Stand-ins add their own (local/lake, local/jobs_api).
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

ROUTE = "/_faults"
SHOWN_FAULTS = frozenset({"status", "delay", "hang", "lost_reply"})


@dataclass(kw_only=True)
class Rule:
    """One fault and when it fires."""

    fault: str
    on: str = "any"
    path: str = ""
    status: int = 503
    code: str = "ServerBusy"
    retry_after: float | None = None
    seconds: float = 0.0
    nth: list[int] = field(default_factory=list)
    probability: float = 1.0
    times: int | None = None
    over: int = 0
    """Bytes: smaller operations are spared, where the stand-in tells their size."""
    matched: int = 0
    fired: int = 0

    def fires(self, draw: float) -> bool:
        """Count one matching operation; whether the fault strikes it."""
        self.matched += 1
        exhausted = self.times is not None and self.fired >= self.times
        strikes = not exhausted and draw < self.probability and (not self.nth or self.matched in self.nth)
        self.fired += strikes
        return strikes


class Faults:
    """The rules in force. Without rules nothing happens."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self.random = random.Random(0)  # noqa: S311 - faults must repeat by seed, nothing secret is drawn

    def load(self, document: Mapping[str, Any]) -> None:
        """Replace the rules.

        Raises:
            TypeError: a rule has a field that there is not, or lacks `fault`.
        """
        self._rules = [Rule(**rule) for rule in document.get("rules", [])]
        self.random = random.Random(document.get("seed", 0))  # noqa: S311 - see above

    def strike(
        self, operations: Collection[str], path: str, among: Collection[str] | None = None, size: int = 0
    ) -> list[Rule]:
        """The rules that fire for one operation of that many bytes, known by all its names, on a path."""
        return [
            rule
            for rule in self._rules
            if (rule.on == "any" or rule.on in operations)
            and path.startswith(rule.path)
            and (among is None or rule.fault in among)
            and size >= rule.over
            and rule.fires(self.random.random())
        ]

    def counts(self) -> list[dict[str, Any]]:
        """Every rule with how many operations it matched and how often it fired."""
        return [asdict(rule) for rule in self._rules]


type Hook = Callable[[web.Request, Rule], Awaitable[None]]


def breaking(
    faults: Faults,
    names: Callable[[web.Request], tuple[Collection[str], str]],
    refuse: Callable[[web.Request, Rule], web.StreamResponse],
    hooks: Mapping[str, Hook] | None = None,
) -> Middleware:
    """A middleware that lets the rules strike requests.

    Args:
        faults: the rules.
        names: the names of a request's operation, and its path.
        refuse: the answer to a request that a `status` rule strikes, in the interface's own error form.
        hooks: what the stand-in's own faults do before the request is handled.
    """
    own = hooks or {}
    among = SHOWN_FAULTS | own.keys()

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_"):  # health and the faults themselves
            return await handler(request)
        lost: Rule | None = None
        for rule in faults.strike(*names(request), among):
            if rule.fault in own:
                await own[rule.fault](request, rule)
            elif rule.fault == "status":
                return refuse(request, rule)
            elif rule.fault == "lost_reply":
                lost = rule
            else:
                await asyncio.sleep(rule.seconds)
                if rule.fault == "hang":
                    return _drop(request)
        response = await handler(request)
        if lost is None:
            return response
        await asyncio.sleep(lost.seconds)
        return _drop(request)

    return strike


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def add_fault_routes(app: web.Application, faults: Faults) -> None:
    """Give a stand-in the route that sets its faults."""

    async def replace(request: web.Request) -> web.Response:
        try:
            faults.load(json.loads(await request.read()))
        except (TypeError, ValueError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"rules": faults.counts()})

    async def counts(_: web.Request) -> web.Response:
        return web.json_response({"rules": faults.counts()})

    async def clear(_: web.Request) -> web.Response:
        last = faults.counts()
        faults.load({})
        return web.json_response({"rules": last})

    app.router.add_post(ROUTE, replace)
    app.router.add_get(ROUTE, counts)
    app.router.add_delete(ROUTE, clear)
