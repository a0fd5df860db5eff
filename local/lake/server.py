"""The lake as one aiohttp application: finds the operation that a request asks for, answers errors in its form."""

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from xml.etree import ElementTree as ET

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from local.faults import Faults, Rule, add_fault_routes, breaking
from local.lake.call import READS, Call, call_of
from local.lake.errors import StorageError, error_response, from_os
from local.lake.events import Events, Subscription
from local.lake.folder import Folder
from local.lake.leases import Leases
from local.lake.paths import Paths
from local.lake.reading import Reading
from local.lake.uploads import Uploads

logger = logging.getLogger(__name__)
FILE_SYSTEM = "aggregations"
HEALTH = "/_health"
LARGEST_BLOCK_LIST = 16 << 20


def lake_app(
    root: Path,
    *,
    state: Path | None = None,
    subscriptions: list[Subscription] | None = None,
    with_faults: bool = False,
    file_system: str = FILE_SYSTEM,
    address: str = "http://127.0.0.1",
) -> web.Application:
    """The endpoint over one folder.

    Args:
        root: the folder of the file system.
        state: what must not lie in it: data not flushed, properties, leases; default `.<root>.state` beside the root.
        subscriptions: which events go where.
        with_faults: whether the route /_faults is there.
        file_system: the name that clients know the root by.
        address: where it is served, for the URLs in events.
    """
    root = root.absolute()
    state = (state or root.with_name(f".{root.name}.state")).absolute()
    folder, faults = Folder(root, state), Faults()
    leases, uploads = Leases(state / "leases.json"), Uploads(folder)
    events = Events(folder, subscriptions or [], faults, f"{address}/{file_system}")
    paths = Paths(folder, leases, uploads, events)
    lake = Lake(file_system, paths, Reading(folder, leases, paths), folder)

    async def run_events(_: web.Application) -> AsyncIterator[None]:
        await events.start()
        yield
        await events.stop()

    middlewares: list[Middleware] = [answers_as_azure]
    if with_faults:
        middlewares.append(breaking(faults, _names, _refuse, {"race": lake.race}))
    app = web.Application(middlewares=middlewares, client_max_size=LARGEST_BLOCK_LIST)
    app.cleanup_ctx.append(run_events)
    app.on_response_prepare.append(add_azure_headers)
    app.router.add_get(HEALTH, _healthy)
    if with_faults:
        add_fault_routes(app, faults)
    app.router.add_route("*", "/{path:.*}", lake.handle)
    return app


class Lake:
    """Which operation answers which request."""

    def __init__(self, file_system: str, paths: Paths, reading: Reading, folder: Folder) -> None:
        self._file_system = file_system
        self._folder = folder
        self._paths = paths
        self._operations: dict[str, Callable[[Call], Awaitable[web.StreamResponse]]] = {
            "create": paths.create,
            "append": paths.append,
            "flush": paths.flush,
            "rename": paths.rename,
            "delete": paths.delete,
            "lease": paths.lease,
            "set_metadata": paths.set_metadata,
            "set_headers": paths.set_headers,
            "set_properties": paths.set_properties,
            "put_blob": paths.put_blob,
            "put_block": paths.put_block,
            "read": reading.read,
            "properties": reading.properties,
            "access_control": reading.access_control,
            "set_access_control": reading.set_access_control,
            "list": reading.list_paths,
            "list_blobs": reading.list_blobs,
            "file_system": reading.file_system,
        }
        self._account = reading.account

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        call = call_of(request)
        if call.operation == "account":
            return await self._account()
        if call.operation == "list_file_systems":
            return self._list_file_systems()
        if call.file_system != self._file_system:
            code = "FilesystemNotFound" if call.dfs else "ContainerNotFound"
            raise StorageError(404, code, f"There is no file system '{call.file_system}', only '{self._file_system}'.")
        if call.operation == "create_file_system":
            code = "FilesystemAlreadyExists" if call.dfs else "ContainerAlreadyExists"
            raise StorageError(409, code, f"The file system '{call.file_system}' is there already.")
        if call.operation == "commit":
            return await self._paths.commit(call, await _block_ids(request))
        operation = self._operations.get(call.operation)
        if operation is None:
            raise StorageError(400, "UnsupportedHttpVerb", "This stand-in does not know the operation.")
        return await operation(call)

    async def race(self, request: web.Request, _: Rule) -> None:
        """The fault `race`: another writer gives the file a new ETag just before."""
        self._folder.touch(call_of(request).name)

    def _list_file_systems(self) -> web.Response:
        text = (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Containers><Container>'
            f"<Name>{self._file_system}</Name><Properties><Last-Modified>Mon, 01 Jan 2024 00:00:00 GMT</Last-Modified>"
            '<Etag>"0x1"</Etag></Properties></Container></Containers><NextMarker/></EnumerationResults>'
        )
        return web.Response(text=text, content_type="application/xml")


@web.middleware
async def answers_as_azure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors in Azure's forms."""
    try:
        return await handler(request)
    except StorageError as error:
        return error_response(error, call_of(request).dfs)
    except OSError as error:
        if request.transport is None or request.transport.is_closing():
            raise
        return error_response(from_os(error), call_of(request).dfs)


async def add_azure_headers(request: web.Request, response: web.StreamResponse) -> None:
    """The ids and the version that every answer of Azure carries."""
    response.headers["x-ms-request-id"] = str(uuid.uuid4())
    response.headers["x-ms-version"] = request.headers.get("x-ms-version", "2023-11-03")
    if "x-ms-client-request-id" in request.headers:
        response.headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]


def _names(request: web.Request) -> tuple[Collection[str], str]:
    call = call_of(request)
    return {call.operation, "read" if call.operation in READS else "write"}, call.name


def _refuse(request: web.Request, rule: Rule) -> web.StreamResponse:
    error = StorageError(rule.status, rule.code, "A fault that was asked for.")
    return error_response(error, call_of(request).dfs, rule.retry_after)


async def _block_ids(request: web.Request) -> list[str]:
    try:
        listed = ET.fromstring(await request.read())  # noqa: S314 - on this machine, from our own clients
    except ET.ParseError as error:
        raise StorageError(400, "InvalidXmlDocument", str(error)) from error
    return [item.text or "" for item in listed]


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})
