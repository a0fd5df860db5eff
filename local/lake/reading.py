"""What reads the lake: content and its ranges, properties, lists, and what the clients ask about the account."""

import base64
import os
import re
from collections.abc import Iterator
from email.utils import format_datetime
from itertools import islice
from xml.sax.saxutils import escape

from aiohttp import web

from local.lake.call import Call, check_conditions, encoded, version_headers
from local.lake.errors import StorageError, condition_not_met
from local.lake.folder import Entry, Folder, entry_of
from local.lake.leases import Leases
from local.lake.paths import Paths

PAGE = 5000
PIECE = 1 << 20
WHOLE_ANSWER = 4 << 20
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_EPOCH_1601 = 116_444_736_000_000_000


class Reading:
    """The operations that change nothing."""

    def __init__(self, folder: Folder, leases: Leases, paths: Paths) -> None:
        self._folder = folder
        self._leases = leases
        self._paths = paths

    async def read(self, call: Call) -> web.StreamResponse:
        """The content or a range of it, as it was when the file was opened."""
        entry = self._paths.existing(call)
        if entry.is_directory:
            return await self.properties(call)
        descriptor = os.open(entry.path, os.O_RDONLY)
        try:
            entry = entry_of(call.name, entry.path, os.fstat(descriptor))
            self._may_read(call, entry)
            first, last = _range(call, entry.size)
            headers = self._shown(entry)
            partial = (first, last) != (0, entry.size - 1) or _range_header(call) is not None
            if partial:
                headers["Content-Range"] = f"bytes {first}-{last}/{entry.size}"
            status = 206 if partial else 200
            if last - first < WHOLE_ANSWER:
                content = os.pread(descriptor, last - first + 1, first)
                return web.Response(body=content, status=status, headers=headers)
            return await _stream(call, descriptor, first, last, status, headers)
        finally:
            os.close(descriptor)

    async def properties(self, call: Call) -> web.Response:
        """Size, ETag, times, lease and metadata."""
        entry = self._root() if not call.name else self._paths.existing(call)
        self._may_read(call, entry)
        return _sized(self._shown(entry), entry.size)

    async def access_control(self, call: Call) -> web.Response:
        """Owner and rights: always the same here."""
        entry = self._root() if not call.name else self._paths.existing(call)
        rights = {"x-ms-owner": "$superuser", "x-ms-group": "$superuser", "x-ms-permissions": "rwxr-x---"}
        acl = {"x-ms-acl": "user::rwx,group::r-x,other::---"}
        return web.Response(status=200, headers=version_headers(entry) | rights | acl)

    async def set_access_control(self, call: Call) -> web.Response:
        """Taken and forgotten: everybody on this machine may do everything."""
        return web.Response(status=200, headers=version_headers(self._paths.existing(call)))

    async def list_paths(self, call: Call) -> web.Response:
        """Paths below a directory, by name, in pages."""
        directory = call.request.query.get("directory", "").strip("/")
        if directory:
            self._paths.existing(call, directory)
        size = min(call.number("maxResults", PAGE) or PAGE, PAGE)
        found, token = self._page(call, directory, call.flag("recursive"), call.request.query.get("continuation"), size)
        headers = {"x-ms-continuation": token} if token else {}
        return web.json_response({"paths": [_listed(entry) for entry in found]}, headers=headers)

    async def list_blobs(self, call: Call) -> web.Response:
        """The same as the Blob endpoint tells it: files whose name begins with a prefix; flat or by directory."""
        query = call.request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        folder = prefix.rpartition("/")[0]
        size = min(call.number("maxresults", PAGE) or PAGE, PAGE)
        found, token = self._page(call, folder, not delimiter, query.get("marker"), size)
        items = "".join(_blob(entry, bool(delimiter)) for entry in found if entry.name.startswith(prefix))
        return web.Response(
            text=f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{call.file_system}">'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{items}</Blobs><NextMarker>{token}</NextMarker></EnumerationResults>",
            content_type="application/xml",
        )

    async def file_system(self, _: Call) -> web.Response:
        """That the file system is there."""
        entry = self._root()
        shown = {"x-ms-namespace-enabled": "true", "x-ms-lease-status": "unlocked", "x-ms-lease-state": "available"}
        return web.Response(status=200, headers=version_headers(entry) | shown)

    async def account(self) -> web.Response:
        """What kind of account this is: one with a hierarchical namespace."""
        kind = {"x-ms-sku-name": "Standard_LRS", "x-ms-account-kind": "StorageV2", "x-ms-is-hns-enabled": "true"}
        body = '<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties></StorageServiceProperties>'
        return web.Response(text=body, status=200, headers=kind, content_type="application/xml")

    def _page(self, call: Call, folder: str, recursive: bool, token: str | None, size: int) -> tuple[list[Entry], str]:
        after = tuple(base64.urlsafe_b64decode(token).decode().split("/")) if token else ()
        begin = tuple(call.request.query.get("beginFrom", "").strip("/").split("/"))
        found: Iterator[Entry] = self._folder.walk(folder, recursive, after)
        if begin != ("",):
            start = (*folder.split("/"), *begin) if folder else begin
            found = (entry for entry in found if tuple(entry.name.split("/")) >= start)
        page = list(islice(found, size + 1))
        more = len(page) > size
        return page[:size], base64.urlsafe_b64encode(page[size - 1].name.encode()).decode() if more else ""

    def _root(self) -> Entry:
        return entry_of("", self._folder.root, self._folder.root.stat())

    def _may_read(self, call: Call, entry: Entry) -> None:
        headers = call.request.headers
        try:
            check_conditions(headers, entry, condition_not_met())
        except StorageError as error:
            if "If-Match" in headers or "If-Unmodified-Since" in headers:
                raise
            raise StorageError(304, "ConditionNotMet") from error
        self._leases.check(call.name, call.lease_id, needed=False)

    def _shown(self, entry: Entry) -> dict[str, str]:
        kept = self._folder.properties(entry)
        resource = "directory" if entry.is_directory else "file"
        shown = {
            "Content-Type": "application/octet-stream",
            "Accept-Ranges": "bytes",
            "x-ms-resource-type": resource,
            "x-ms-blob-type": "BlockBlob",
            "x-ms-creation-time": format_datetime(entry.modified, usegmt=True),
            "x-ms-server-encrypted": "false",
            **version_headers(entry),
            **self._leases.state(entry.name),
            **kept.headers,
            **{f"x-ms-meta-{key}": value for key, value in kept.metadata.items()},
        }
        if kept.metadata:
            shown["x-ms-properties"] = encoded(kept.metadata)
        return shown | ({"x-ms-meta-hdi_isfolder": "true"} if entry.is_directory else {})


def _sized(headers: dict[str, str], size: int) -> web.Response:
    """An answer to HEAD: the length of what GET would bring."""
    response = web.Response(status=200, headers=headers)
    response.headers["Content-Length"] = str(size)
    return response


def _range_header(call: Call) -> str | None:
    headers = call.request.headers
    return headers.get("x-ms-range") or headers.get("Range")


def _range(call: Call, size: int) -> tuple[int, int]:
    asked = _range_header(call)
    parsed = _RANGE.fullmatch(asked) if asked else None
    if parsed is None:
        return 0, size - 1
    first, last = int(parsed[1]), int(parsed[2]) if parsed[2] else size - 1
    if first >= size or last < first:
        raise StorageError(416, "InvalidRange", f"The range is outside the {size} bytes of the file.")
    return first, min(last, size - 1)


async def _stream(
    call: Call, descriptor: int, first: int, last: int, status: int, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers | {"Content-Length": str(last - first + 1)})
    await response.prepare(call.request)
    while first <= last:
        piece = os.pread(descriptor, min(PIECE, last - first + 1), first)
        if not piece:
            break
        await response.write(piece)
        first += len(piece)
    await response.write_eof()
    return response


def _listed(entry: Entry) -> dict[str, str]:
    shown = {
        "name": entry.name,
        "contentLength": str(entry.size),
        "etag": entry.etag.strip('"'),
        "lastModified": format_datetime(entry.modified, usegmt=True),
        "creationTime": str(entry.modified_ns // 100 + _EPOCH_1601),
        "owner": "$superuser",
        "group": "$superuser",
        "permissions": "rwxr-x---" if entry.is_directory else "rw-r-----",
    }
    return shown | ({"isDirectory": "true"} if entry.is_directory else {})


def _blob(entry: Entry, by_directory: bool) -> str:
    if entry.is_directory:
        return f"<BlobPrefix><Name>{escape(entry.name)}/</Name></BlobPrefix>" if by_directory else ""
    return (
        f"<Blob><Name>{escape(entry.name)}</Name><Properties><Etag>{escape(entry.etag.strip(chr(34)))}</Etag>"
        f"<Last-Modified>{format_datetime(entry.modified, usegmt=True)}</Last-Modified>"
        f"<Content-Length>{entry.size}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
    )
