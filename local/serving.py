"""How every HTTP stand-in is served: loopback only, until SIGTERM or SIGINT."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from aiohttp import web

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 1.0
IDLE_SECONDS = 3600.0
"""Idle connections stay open: one that closes just as a client uses it again would be a fault nobody asked for."""


def serve(app: web.Application, port: int, name: str) -> None:
    """Serve until the process is told to end; prints one line when it listens."""

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        runner, address = await _start(app, port)
        print(f"{name} listens on {address}", flush=True)
        try:
            await stop.wait()
        finally:
            await runner.cleanup()

    asyncio.run(run())


@contextlib.contextmanager
def serving(make_app: Callable[[], web.Application], port: int = 0) -> Iterator[str]:
    """Serve in a thread of this process and yield the address: for tests."""
    started = threading.Event()
    address: list[str] = []
    stops: list[Callable[[], object]] = []
    failures: list[BaseException] = []

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        try:
            runner, url = await _start(make_app(), port)
        except BaseException as error:
            failures.append(error)
            started.set()
            raise
        address.append(url)
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    started.wait()
    if failures:
        raise failures[0]
    try:
        yield address[0]
    finally:
        stops[0]()
        thread.join()


async def _start(app: web.Application, port: int) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_SECONDS, keepalive_timeout=IDLE_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    return runner, f"http://{LOOPBACK}:{runner.addresses[0][1]}"
