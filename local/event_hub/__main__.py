"""`python -m local.event_hub`: serves one hub until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from local.event_hub.admin import application
from local.event_hub.connection import ClientConnection
from local.event_hub.hub import Hub, HubInUse, PartitionCountFixed
from local.faults import Faults
from local.serving import GRACE_SECONDS, LOOPBACK


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.event_hub", description="Event Hub stand-in over AMQP 1.0")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps the events")
    parser.add_argument("--port", type=int, required=True, help="AMQP port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--hub", required=True, help="name of the event hub")
    parser.add_argument("--partitions", type=int, help="number of partitions when the hub is made (default 4)")
    parser.add_argument("--max-message-size", type=int, default=1 << 20, help="bytes of an event or a batch")
    parser.add_argument("--health-port", type=int, help="HTTP port for GET /_health (and faults); 0 takes a free one")
    parser.add_argument("--faults", action="store_true", help="let POST /_faults break things; needs --health-port")
    chosen = parser.parse_args(argv)
    if chosen.faults and chosen.health_port is None:
        parser.error("--faults needs --health-port, where the rules are put")
    if chosen.partitions is not None and not 1 <= chosen.partitions <= 32:
        parser.error(f"--partitions must be 1 to 32, not {chosen.partitions}")
    return chosen


async def serve(chosen: argparse.Namespace, hub: Hub) -> None:
    """Listens until a signal comes. One line on stdout says where, when everything answers."""
    faults = Faults()
    open_connections: set[ClientConnection] = set()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(
        lambda: ClientConnection(hub, faults, open_connections), LOOPBACK, chosen.port, backlog=256
    )
    runner = web.AppRunner(
        application(hub, faults if chosen.faults else None), access_log=None, shutdown_timeout=GRACE_SECONDS
    )
    await runner.setup()
    line = f"event hub {hub.name} on {LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    if chosen.health_port is not None:
        await web.TCPSite(runner, LOOPBACK, chosen.health_port).start()
        line += f", health on {LOOPBACK}:{runner.addresses[0][1]}"
    print(line, flush=True)
    while not stop.is_set():
        await asyncio.wait([asyncio.ensure_future(stop.wait())], timeout=1)
        for connection in list(open_connections):
            connection.tick(loop.time())
    server.close()
    for connection in list(open_connections):
        connection.abort()
    await runner.cleanup()


def main() -> int:
    """Exit code 1, with one line on stderr, when the state folder or a port cannot be had."""
    chosen = arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        hub = Hub(chosen.state, chosen.hub, partitions=chosen.partitions, max_message_size=chosen.max_message_size)
    except (HubInUse, PartitionCountFixed, OSError) as wrong:
        print(f"event hub not started: {wrong}", file=sys.stderr)
        return 1
    try:
        asyncio.run(serve(chosen, hub))
    except OSError as wrong:
        print(f"event hub not started: {wrong}", file=sys.stderr)
        return 1
    finally:
        hub.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
