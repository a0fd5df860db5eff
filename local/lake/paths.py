"""What both endpoints do with a path: create, write, move, delete, lease. One step each: no two requests cross."""

from aiohttp import web

from local.lake.call import Call, check_conditions, metadata_asked, properties_asked, rename_source, version_headers
from local.lake.errors import StorageError, already_exists, condition_not_met, not_found
from local.lake.events import Events
from local.lake.folder import Entry, Folder, Properties
from local.lake.leases import Leases
from local.lake.uploads import Uploads

FLUSHED = "FlushWithClose"


class Paths:
    """The operations that change something. Each returns its answer or raises StorageError."""

    def __init__(self, folder: Folder, leases: Leases, uploads: Uploads, events: Events) -> None:
        self._folder = folder
        self._leases = leases
        self._uploads = uploads
        self._events = events

    def existing(self, call: Call, name: str | None = None) -> Entry:
        """What is at the path. Raises StorageError 404 when nothing is."""
        name = call.name if name is None else name
        entry = self._folder.entry(name)
        if entry is None:
            raise not_found(call.dfs, name)
        return entry

    def checked(self, call: Call) -> Entry:
        """What is at the path, with conditions and lease checked for a write."""
        entry = self.existing(call)
        check_conditions(call.request.headers, entry, condition_not_met())
        self._leases.check(call.name, call.lease_id)
        return entry

    async def create(self, call: Call) -> web.Response:
        """Create an empty file, or make one empty; or a directory."""
        self._may_replace(call)
        properties = properties_asked(call.request.headers)
        if call.request.query["resource"] == "directory":
            entry = self._folder.create_directory(call.name, properties)
        else:
            entry = self._folder.create_empty(call.name, properties)
        self._uploads.discard(call.name)
        self._written(entry)
        if "x-ms-proposed-lease-id" in call.request.headers:
            self._lease(call, "acquire")
        return web.Response(status=201, headers=version_headers(entry))

    async def append(self, call: Call) -> web.Response:
        """Take data that nobody sees before it is flushed."""
        entry = self.existing(call)
        if entry.is_directory:
            raise StorageError(409, "ResourceTypeMismatch", f"'{call.name}' is a directory.")
        self._before(call)
        self._leases.check(call.name, call.lease_id)
        await self._uploads.append(entry, call.number("position"), call.body())
        if call.flag("flush"):
            position = self._uploads.begin(entry).end()
            entry = self._uploads.flush(entry, position, self._folder.properties(entry))
            self._written(entry)
        self._after(call)
        return web.Response(status=202, headers=version_headers(entry))

    async def flush(self, call: Call) -> web.Response:
        """Make appended data visible; with close=true the event goes out."""
        self._before(call)
        entry = self.checked(call)
        properties = properties_asked(call.request.headers, self._folder.properties(entry))
        entry = self._uploads.flush(entry, call.number("position"), properties)
        self._written(entry, FLUSHED if call.flag("close") else None, call)
        self._after(call)
        return web.Response(status=200, headers=version_headers(entry))

    async def rename(self, call: Call) -> web.Response:
        """Move a file or directory in one step; conditions of its own for source and target."""
        name = rename_source(call)
        source = self._folder.entry(name)
        if source is None:
            raise StorageError(404, "SourcePathNotFound", f"There is no '{name}'.")
        headers = call.request.headers
        check_conditions(headers, source, condition_not_met(source=True), source=True)
        self._leases.check(name, headers.get("x-ms-source-lease-id"))
        self._may_replace(call)
        entry = self._folder.rename(source, call.name)
        for moved in (name, call.name):
            self._uploads.discard(moved)
        self._leases.drop(name)
        self._leases.written(entry.name)
        self._events.moved(entry)
        return web.Response(status=201, headers=version_headers(entry))

    async def delete(self, call: Call) -> web.Response:
        """Delete a file, or with recursive=true a directory with all that is in it."""
        entry = self.checked(call)
        self._folder.delete(entry, call.flag("recursive"))
        self._uploads.discard(call.name)
        self._leases.drop(call.name)
        return web.Response(status=200 if call.dfs else 202, headers={"x-ms-delete-type-permanent": "true"})

    async def set_metadata(self, call: Call) -> web.Response:
        """Replace the user metadata (Blob endpoint)."""
        entry = self.checked(call)
        headers = self._folder.properties(entry).headers
        return self._set(entry, Properties(metadata_asked(call.request.headers), headers))

    async def set_headers(self, call: Call) -> web.Response:
        """Replace the content headers (Blob endpoint)."""
        entry = self.checked(call)
        headers = properties_asked(call.request.headers).headers
        return self._set(entry, Properties(self._folder.properties(entry).metadata, headers))

    async def set_properties(self, call: Call) -> web.Response:
        """Change metadata and content headers (DFS endpoint)."""
        entry = self.checked(call)
        return self._set(entry, properties_asked(call.request.headers, self._folder.properties(entry)))

    async def put_blob(self, call: Call) -> web.Response:
        """Write a whole file in one request."""
        if call.header("x-ms-blob-type") != "BlockBlob" or "x-ms-copy-source" in call.request.headers:
            raise StorageError(400, "UnsupportedHeader", "Only block blobs can be put here, with their content.")
        staged = await self._uploads.whole(call.body())
        try:
            self._may_replace(call)
            entry = self._folder.publish(call.name, staged, properties_asked(call.request.headers))
        finally:
            staged.unlink(missing_ok=True)
        self._uploads.discard(call.name)
        self._written(entry, "PutBlob", call)
        return web.Response(status=201, headers=version_headers(entry))

    async def put_block(self, call: Call) -> web.Response:
        """Take one block of a blob."""
        self._leases.check(call.name, call.lease_id)
        await self._uploads.put_block(call.name, call.request.query.get("blockid", ""), call.body())
        return web.Response(status=201)

    async def commit(self, call: Call, block_ids: list[str]) -> web.Response:
        """Make blocks the content of a file."""
        self._may_replace(call)
        entry = self._uploads.commit_blocks(call.name, block_ids, properties_asked(call.request.headers))
        self._written(entry, "PutBlockList", call)
        return web.Response(status=201, headers=version_headers(entry))

    async def lease(self, call: Call) -> web.Response:
        """Acquire, renew, change, release or break a lease."""
        entry = self.existing(call)
        check_conditions(call.request.headers, entry, condition_not_met())
        action = call.header("x-ms-lease-action").lower()
        return self._lease(call, action, version_headers(entry))

    def _lease(self, call: Call, action: str, headers: dict[str, str] | None = None) -> web.Response:
        given, name, leases = call.request.headers, call.name, self._leases
        answer = headers or {}
        if action == "acquire":
            lease = leases.acquire(
                name, int(given.get("x-ms-lease-duration", "-1")), given.get("x-ms-proposed-lease-id")
            )
            return web.Response(status=201, headers=answer | {"x-ms-lease-id": lease.id})
        if action == "renew":
            lease = leases.renew(name, call.header("x-ms-lease-id"))
            return web.Response(status=200, headers=answer | {"x-ms-lease-id": lease.id})
        if action == "change":
            lease = leases.change(name, call.header("x-ms-lease-id"), call.header("x-ms-proposed-lease-id"))
            return web.Response(status=200, headers=answer | {"x-ms-lease-id": lease.id})
        if action == "release":
            leases.release(name, call.header("x-ms-lease-id"))
            return web.Response(status=200, headers=answer)
        if action == "break":
            period = given.get("x-ms-lease-break-period")
            rest = leases.break_(name, int(period) if period else None)
            return web.Response(status=202, headers=answer | {"x-ms-lease-time": str(rest)})
        raise StorageError(400, "InvalidHeaderValue", f"x-ms-lease-action: '{action}' is no action.")

    def _before(self, call: Call) -> None:
        """Leases that an append or a flush takes or renews on its way."""
        action = call.request.headers.get("x-ms-lease-action", "")
        if action.startswith("acquire"):
            proposed = call.header("x-ms-proposed-lease-id")
            self._leases.acquire(call.name, int(call.request.headers.get("x-ms-lease-duration", "-1")), proposed)
        elif action == "auto-renew":
            self._leases.renew(call.name, call.header("x-ms-lease-id"))

    def _after(self, call: Call) -> None:
        """Leases that an append or a flush gives back at its end."""
        if call.request.headers.get("x-ms-lease-action", "").endswith("release"):
            held = self._leases.holds(call.name)
            if held:
                self._leases.release(call.name, held.id)

    def _may_replace(self, call: Call) -> None:
        """Whether a file may come to be at the path, whatever is there now."""
        entry = self._folder.entry(call.name)
        if not call.name or (entry and entry.is_directory and call.request.query.get("resource") != "directory"):
            raise StorageError(409, "PathAlreadyExists", f"'{call.name}' is a directory.")
        if entry and not entry.is_directory and call.request.query.get("resource") == "directory":
            raise StorageError(409, "PathAlreadyExists", f"'{call.name}' is a file.")
        check_conditions(call.request.headers, entry, already_exists(call.dfs, call.name))
        self._leases.check(call.name, call.lease_id)

    def _set(self, entry: Entry, properties: Properties) -> web.Response:
        changed = self._folder.set_properties(entry, properties)
        self._written(changed)
        return web.Response(status=200, headers=version_headers(changed))

    def _written(self, entry: Entry, api: str | None = None, call: Call | None = None) -> None:
        self._leases.written(entry.name)
        self._events.written(entry, api, call.request.headers.get("x-ms-client-request-id", "") if call else "")
