"""Which function answers an HTTP call: the routes of the worker's bindings, matched as Azure's host matches them.

A method that a route does not declare is no match, and no match is 404, never 405 (coordinator 3).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from local.functions_host.worker import Function

_PARAMETER = re.compile(r"\{(?P<star>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\??)\}")
_CONSTRAINTS = {"int": r"-?\d+", "guid": r"[0-9a-fA-F-]{36}", "alpha": r"[A-Za-z]+", "bool": r"true|false"}


@dataclass(frozen=True)
class Route:
    """One route of one function; `methods` empty means every method."""

    function: Function
    template: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    rank: tuple[int, ...]


class Routes:
    """All routes of an app: the most literal one that fits path and method answers."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        http = [function for function in functions if function.trigger["type"] == "httpTrigger"]
        self._routes = sorted((_route(function, prefix) for function in http), key=lambda route: route.rank)

    def find(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        """The function for a method and a path as sent (still percent-encoded), with its route parameters."""
        for route in self._routes:
            if route.methods and method not in route.methods:
                continue
            match = route.pattern.fullmatch(path.rstrip("/") or "/")
            if match:
                values = {name: unquote(value) for name, value in match.groupdict().items() if value is not None}
                return route.function, values
        return None

    def __iter__(self) -> Any:
        """The routes, the most literal first."""
        return iter(self._routes)


def _route(function: Function, prefix: str) -> Route:
    template = function.trigger.get("route") or function.name
    segments = [segment for segment in f"{prefix}/{template}".split("/") if segment]
    parts, rank = [], []
    for segment in segments:
        part, weight = _segment(segment)
        parts.append(part)
        rank.append(weight)
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
    return Route(function, "/".join(segments), re.compile("".join(parts) or "/", re.IGNORECASE), methods, tuple(rank))


def _segment(segment: str) -> tuple[str, int]:
    """One segment as a pattern, and how far it is from being literal."""
    if "{" not in segment:
        return "/" + re.escape(segment), 0
    whole = _PARAMETER.fullmatch(segment)
    if whole and whole["star"]:
        return f"(?:/(?P<{whole['name']}>.*))?", 4
    if whole and whole["optional"]:
        return f"(?:/(?P<{whole['name']}>[^/]+))?", 3
    parts, position = [], 0
    for parameter in _PARAMETER.finditer(segment):
        parts.append(re.escape(segment[position : parameter.start()]))
        parts.append(f"(?P<{parameter['name']}>{_CONSTRAINTS.get(parameter['constraint'] or '', '[^/]+')})")
        position = parameter.end()
    parts.append(re.escape(segment[position:]))
    return "/" + "".join(parts), 1 if whole is None or whole["constraint"] else 2
