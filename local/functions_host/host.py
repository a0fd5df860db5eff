"""The host itself: one app, one process, loopback only."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from local.functions_host import http_triggers, worker
from local.functions_host.blob_triggers import BlobTriggers
from local.functions_host.queue_triggers import QueueTriggers
from local.functions_host.routes import Routes
from local.functions_host.timers import Timer, timers
from local.functions_host.worker import Function

logger = logging.getLogger(__name__)
SUPPORTED = ("httpTrigger", "blobTrigger", "queueTrigger", "timerTrigger")
_DRAIN_SECONDS = 5.0


@dataclass(frozen=True)
class HostSettings:
    """What host.json says that this host heeds; the defaults are those of Azure's extensions."""

    prefix: str = "api"
    blobs_at_once: int = 8
    queue_batch: int = 16
    queue_pause: float = 0.0


def read_host_json(folder: Path) -> HostSettings:
    """Read host.json of an app; one that is not there leaves the defaults."""
    path = folder / "host.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    extensions = document.get("extensions", {})
    queues = extensions.get("queues", {})
    batch = int(queues.get("batchSize", 16))
    hours, minutes, seconds = (float(part) for part in queues.get("visibilityTimeout", "00:00:00").split(":"))
    return HostSettings(
        prefix=extensions.get("http", {}).get("routePrefix", "api"),
        blobs_at_once=int(extensions.get("blobs", {}).get("maxDegreeOfParallelism", 8)),
        queue_batch=batch + int(queues.get("newBatchThreshold", batch // 2)),
        queue_pause=hours * 3600 + minutes * 60 + seconds,
    )


class Host:
    """An indexed app with all that can start its functions."""

    def __init__(self, functions: list[Function], host: HostSettings, settings: Mapping[str, str], state: Path) -> None:
        _refuse_unsupported(functions)
        self._settings = host
        self._routes = Routes(functions, host.prefix)
        self._blobs = BlobTriggers(functions, settings, state / "queues")
        self._queues = QueueTriggers(functions, state / "queues")
        self._timers: list[Timer] = timers(functions, settings, state / "timers")

    async def serve(self, port: int, stop: asyncio.Event) -> None:
        """Serve HTTP on loopback and run every trigger until `stop` is set."""
        app = web.Application(client_max_size=http_triggers.LARGEST_BODY)
        app.router.add_route("*", "/runtime/webhooks/blobs", self._blobs.webhook)
        app.router.add_route("*", "/runtime/queues/{name}", self._queues.receive)
        app.router.add_get("/admin/host/status", _status)
        app.router.add_route("*", "/{path:.*}", self._http)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_SECONDS)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
        print(f"Functions host: http://127.0.0.1:{port}", flush=True)
        for route in self._routes:
            print(f"  {route.function.name}: {','.join(sorted(route.methods)) or '*'} /{route.template}", flush=True)
        endless = [self._blobs.run(self._settings.blobs_at_once), *(timer.run() for timer in self._timers)]
        endless += self._queues.workers(self._settings.queue_batch, self._settings.queue_pause)
        tasks = [asyncio.create_task(work) for work in endless]
        for task in tasks:
            task.add_done_callback(lambda done: _report(done, stop))
        await stop.wait()
        for task in tasks:
            task.cancel()
        await runner.cleanup()

    async def _http(self, request: web.Request) -> web.Response:
        return await http_triggers.answer(request, self._routes)


def _refuse_unsupported(functions: list[Function]) -> None:
    for function in functions:
        kind = function.trigger["type"]
        outputs = [binding["type"] for binding in function.outputs.values() if binding["type"] != "http"]
        if kind not in SUPPORTED or outputs:
            raise worker.IndexingFailed(f"{function.name}: this host knows no {', '.join(outputs) or kind} binding")


def _report(task: asyncio.Task[Any], stop: asyncio.Event) -> None:
    """A worker that broke ends the host: better gone and seen than alive and deaf."""
    if not task.cancelled() and task.exception() is not None:
        logger.critical("a worker of the host broke", exc_info=task.exception())
        stop.set()


async def _status(_: web.Request) -> web.Response:
    return web.json_response({"state": "Running", "version": f"emulation {worker.__name__}"})
