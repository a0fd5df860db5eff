"""Read the parameters of a query or a JSON body strictly: nothing unknown, nothing twice, nothing of a wrong type."""

import json
import re
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from functions.web.http import LARGEST_BODY, Problem, Request, wrong
from shared.danish_time import parse_instant

_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")
_TEXT_TYPES = ("application/json",)
EARLIEST_YEAR, LATEST_YEAR = 1970, 2999
"""Instants beyond have no local time in every zone."""


def read_query(request: Request, known: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The parameters of the query and what is wrong with them: unknown, repeated, not UTF-8."""
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise wrong({"query": "is not percent-encoded UTF-8 of at most 1000 parameters"}) from error
    for name, value in pairs:
        if name not in known:
            errors[name] = f"is not known here; known are {', '.join(known) or 'none'}"
        elif name in values:
            errors[name] = "is there more than once"
        values[name] = value
    return {name: value for name, value in values.items() if name in known}, errors


def query_of(request: Request, known: Collection[str]) -> dict[str, str]:
    """The parameters of the query. Raises Problem 400 that names every wrong one."""
    values, errors = read_query(request, known)
    if errors:
        raise wrong(errors)
    return values


def read_json(request: Request, known: Collection[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The members of a JSON object and what is wrong with them. Raises Problem for the body as a whole."""
    check_body(request, _TEXT_TYPES, LARGEST_BODY)
    doubled: set[str] = set()

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.update(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return dict(pairs)

    try:
        document = json.loads(request.body.decode("utf-8"), object_pairs_hook=members, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise wrong({"body": f"is not UTF-8 at byte {error.start}"}) from error
    except (ValueError, RecursionError) as error:
        raise wrong({"body": "is not JSON"}) from error
    if not isinstance(document, dict):
        raise wrong({"body": "is not a JSON object"})
    errors = dict.fromkeys(sorted(doubled), "is there more than once")
    unknown = {name: f"is not known here; known are {', '.join(known)}" for name in document if name not in known}
    return {name: value for name, value in document.items() if name in known}, errors | unknown


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def check_body(request: Request, types: tuple[str, ...], largest: int) -> str:
    """The media type of the body, one of `types`. Raises Problem 413, 415."""
    if len(request.body) > largest or _declared_length(request) > largest:
        raise Problem(413, f"the body is larger than {largest} bytes")
    media_type, *parameters = (piece.strip().lower() for piece in request.headers.get("content-type", "").split(";"))
    charsets = [value.strip('" ') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"]
    if media_type not in types or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise Problem(415, f"the body must be {' or '.join(types)} in UTF-8")
    return media_type


def _declared_length(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 18 else 0


def instant(value: Any, from_query: bool = False) -> datetime:
    """An instant with an offset; in a query a space before trailing digits is a lost `+`. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("is not text that holds an ISO 8601 instant with an offset")
    text = _LOST_PLUS.sub("+", value) if from_query else value
    parsed = parse_instant(text)
    if not EARLIEST_YEAR <= parsed.year <= LATEST_YEAR:
        raise ValueError(f"'{text}' is not between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    return parsed
