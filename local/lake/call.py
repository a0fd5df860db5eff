"""One request to the lake: which operation it is, on which path, and what its headers ask for."""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from aiohttp import web

from local.lake.errors import StorageError, condition_not_met
from local.lake.folder import Entry, Properties

# How an emulated account may stand before the file system in the path.
ACCOUNT = "devstoreaccount1"
READS = frozenset(
    {
        "read",
        "properties",
        "access_control",
        "list",
        "list_blobs",
        "list_file_systems",
        "file_system",
        "account",
        "blocks",
    }
)
_DFS = frozenset(
    {"create", "rename", "append", "flush", "set_properties", "list", "access_control", "create_file_system"}
)
_CONTENT_HEADERS = ("type", "encoding", "language", "disposition")


@dataclass(frozen=True)
class Call:
    """A request with its meaning; `name` is the path below the file system."""

    request: web.Request
    operation: str
    file_system: str
    name: str

    @property
    def dfs(self) -> bool:
        """Whether it came as the DFS endpoint is asked, which answers errors in JSON."""
        if self.operation == "delete":  # both endpoints are asked alike: only the form of the answer tells them apart
            return "recursive" in self.request.query or "json" in self.request.headers.get("Accept", "")
        return self.operation in _DFS

    @property
    def lease_id(self) -> str | None:
        """The lease that the caller says to hold."""
        return self.request.headers.get("x-ms-lease-id")

    def header(self, name: str) -> str:
        """A header that must be there."""
        value = self.request.headers.get(name)
        if value is None:
            raise StorageError(400, "MissingRequiredHeader", f"The header {name} is missing.")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number of the query, not below zero."""
        text = self.request.query.get(name)
        if text is None and default is not None:
            return default
        if text is None or not text.isdecimal():
            raise StorageError(400, "InvalidQueryParameterValue", f"{name} must be a whole number.")
        return int(text)

    def flag(self, name: str) -> bool:
        """A true or false of the query."""
        return self.request.query.get(name, "").lower() == "true"

    def body(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        return self.request.content.iter_chunked(1 << 20)


def call_of(request: web.Request) -> Call:
    """What a request asks for."""
    file_system, name = split_path(request.rel_url.raw_path)
    return Call(request, _operation(request, name), file_system, name)


def split_path(raw_path: str) -> tuple[str, str]:
    """File system and name of `/<file system>/<name>`, also with the emulator's account before it."""
    parts = unquote(raw_path).strip("/").split("/")
    if parts[0] == ACCOUNT:
        parts = parts[1:] or [""]
    return parts[0], "/".join(parts[1:])


def rename_source(call: Call) -> str:
    """The name that a rename moves; both must lie in one file system here."""
    file_system, name = split_path(urlsplit(call.header("x-ms-rename-source")).path)
    if file_system != call.file_system or not name:
        raise StorageError(404, "SourcePathNotFound", "The source of the rename is not in this file system.")
    return name


def _operation(request: web.Request, name: str) -> str:
    query = request.query
    if request.method == "PATCH":
        known = {"append": "append", "flush": "flush", "setProperties": "set_properties"}
        return known.get(query.get("action", ""), "set_access_control")
    if request.method == "PUT":
        return _put_operation(request)
    if request.method == "POST":
        return "lease" if "x-ms-lease-action" in request.headers else "unknown"
    if request.method == "DELETE":
        return "delete" if name else "delete_file_system"
    return _get_operation(request, name)


def _put_operation(request: web.Request) -> str:
    query = request.query
    if query.get("restype") == "container" or query.get("resource") == "filesystem":
        return "create_file_system"
    if "x-ms-rename-source" in request.headers:
        return "rename"
    if "resource" in query:
        return "create"
    by_comp = {
        "lease": "lease",
        "metadata": "set_metadata",
        "properties": "set_headers",
        "block": "put_block",
        "blocklist": "commit",
    }
    return by_comp.get(query.get("comp", ""), "put_blob" if "x-ms-blob-type" in request.headers else "unknown")


def _get_operation(request: web.Request, name: str) -> str:
    query, comp = request.query, request.query.get("comp")
    if query.get("action") == "getAccessControl":
        return "access_control"
    if name:
        return "properties" if request.method == "HEAD" or comp == "metadata" else "read"
    if comp == "list":
        return "list_blobs" if query.get("restype") == "container" else "list_file_systems"
    if query.get("resource") == "filesystem" and request.method == "GET":
        return "list"
    if query.get("restype") in ("account", "service"):
        return "account"
    return "file_system"


def check_conditions(
    headers: Mapping[str, str], entry: Entry | None, there: StorageError, source: bool = False
) -> None:
    """Check the conditional headers against what is there now.

    Args:
        headers: of the request; with `source` those that begin with x-ms-source-.
        entry: what is there, None when nothing is.
        there: the error for something that must not be there.
        source: whether the source of a rename is meant.

    Raises:
        StorageError: 412 when a condition does not hold, or `there`.
    """
    prefix = "x-ms-source-" if source else ""
    match, none_match = headers.get(f"{prefix}If-Match"), headers.get(f"{prefix}If-None-Match")
    if match is not None and not _names(match, entry):
        raise condition_not_met(source)
    if none_match is not None and _names(none_match, entry):
        raise there if none_match.strip() == "*" else condition_not_met(source)
    since, until = headers.get(f"{prefix}If-Modified-Since"), headers.get(f"{prefix}If-Unmodified-Since")
    if entry and since and entry.modified <= parsedate_to_datetime(since):
        raise condition_not_met(source)
    if entry and until and entry.modified > parsedate_to_datetime(until):
        raise condition_not_met(source)


def _names(tags: str, entry: Entry | None) -> bool:
    if entry is None:
        return False
    wanted = {tag.strip().removeprefix("W/").strip('"') for tag in tags.split(",")}
    return "*" in wanted or entry.etag.strip('"') in wanted


def properties_asked(headers: Mapping[str, str], former: Properties | None = None) -> Properties:
    """The metadata and content headers that a write sets; what it does not name stays as it was."""
    metadata: dict[str, str] = dict(former.metadata) if former else {}
    kept: dict[str, str] = dict(former.headers) if former else {}
    for name in _CONTENT_HEADERS:
        value = headers.get(f"x-ms-content-{name}") or headers.get(f"x-ms-blob-content-{name}")
        if value:
            kept[f"Content-{name.capitalize()}"] = value
    cache = headers.get("x-ms-cache-control") or headers.get("x-ms-blob-cache-control")
    if cache:
        kept["Cache-Control"] = cache
    metadata |= metadata_asked(headers)
    for pair in filter(None, headers.get("x-ms-properties", "").split(",")):
        key, _, value = pair.partition("=")
        metadata[key.strip()] = _decoded(value)
    return Properties(metadata, kept)


def metadata_asked(headers: Mapping[str, str]) -> dict[str, str]:
    """User metadata as the Blob endpoint takes it."""
    return {name[10:]: value for name, value in headers.items() if name.lower().startswith("x-ms-meta-")}


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("latin-1")
    except (binascii.Error, ValueError) as error:
        raise StorageError(400, "InvalidPropertyName", f"x-ms-properties: '{value}' is not base64.") from error


def encoded(metadata: Mapping[str, str]) -> str:
    """User metadata as the DFS endpoint shows it."""
    return ",".join(f"{key}={base64.b64encode(value.encode('latin-1')).decode()}" for key, value in metadata.items())


def version_headers(entry: Entry) -> dict[str, str]:
    """ETag and time of what is there now."""
    return {"ETag": entry.etag, "Last-Modified": format_datetime(entry.modified, usegmt=True)}
