"""The small HTTP side: `GET /_health`; with --faults `/_faults` (local/faults.py) and `PUT /_max_message_size`."""

from aiohttp import web

from local.event_hub.hub import Hub
from local.faults import Faults, add_fault_routes


def application(hub: Hub, faults: Faults | None) -> web.Application:
    """The routes; without `faults` there is nothing to break."""

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "hub": hub.name, "partitions": len(hub.partitions)})

    async def resize(request: web.Request) -> web.Response:
        size = await request.text()
        if not size.isdecimal():
            return web.json_response({"error": f"the body must be a number of bytes, not {size!r}"}, status=400)
        hub.max_message_size = int(size)
        return web.json_response({"max_message_size": hub.max_message_size})

    app = web.Application()
    app.router.add_get("/_health", health)
    if faults is not None:
        add_fault_routes(app, faults)
        app.router.add_put("/_max_message_size", resize)
    return app
