"""Requests, answers and problem details (RFC 9457), free of any web framework."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

JSON = "application/json"
CSV = "text/csv"
XML = "application/xml"
PROBLEM = "application/problem+json"
LARGEST_BODY = 1024 * 1024
TITLES = {
    400: "The request is wrong",
    401: "Who calls is not known",
    403: "The caller may not do this",
    404: "There is no such thing",
    405: "The method is not allowed here",
    406: "No representation satisfies the Accept header",
    409: "The state of things stands against it",
    413: "The body is too large",
    415: "The media type of the body is not supported",
    422: "The request cannot be done",
    500: "The app failed",
    503: "Something that the app needs cannot be reached",
}
_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True)
class Request:
    """One HTTP request. `url` is the raw one; header names are in lower case; `params` come from the route."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def query(self) -> str:
        """The query as it was sent."""
        return urlsplit(self.url).query

    @property
    def origin(self) -> str:
        """Scheme, host and port of the URL."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Problem(Exception):
    """What goes to the caller as problem details; `errors` has one message per wrong field."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        self.status, self.detail, self.errors = status, detail, dict(errors or {})
        self.headers, self.extra = dict(headers or {}), extra
        super().__init__(detail)

    def response(self) -> Response:
        """The answer: `type` is about:blank, so `title` says no more than the status does."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        if self.errors:
            document["errors"] = [{"field": name, "message": message} for name, message in self.errors.items()]
        return Response(self.status, json.dumps(document).encode(), PROBLEM, self.headers)


def wrong(errors: Mapping[str, str]) -> Problem:
    """400: what the request alone shows to be wrong, every field at once."""
    return Problem(400, f"{len(errors)} field(s) of the request are wrong", errors=errors)


def json_response(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(status, json.dumps(document).encode(), JSON, dict(headers or {}))


def negotiate(accept: str | None, offers: tuple[str, ...]) -> str:
    """The offered media type that the caller likes best, the first among equals. Raises Problem 406."""
    if accept is None or not accept.strip():
        return offers[0]
    ranges = [parsed for part in accept.split(",") if (parsed := _media_range(part))]
    qualities = {offer: _quality(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: qualities[offer])
    if qualities[best] == 0:
        raise Problem(406, f"this can be had as {', '.join(offers)}")
    return best


def _media_range(part: str) -> tuple[str, float] | None:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            if not _QUALITY.fullmatch(value.strip()):
                return None
            quality = float(value)
    return (name, quality) if "/" in name else None


def _quality(offer: str, ranges: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that the offer falls into."""
    for candidate in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        found = [quality for name, quality in ranges if name == candidate]
        if found:
            return max(found)
    return 0.0
