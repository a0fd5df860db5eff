"""`python -m local.functions_host --app <folder> --port N --state <folder>`: run a function app on loopback."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from local.functions_host import invocations, worker
from local.functions_host.host import Host, read_host_json


def main() -> int:
    """Run until SIGTERM or SIGINT. Exit 1 when the app cannot be indexed, with the worker's reason on stderr."""
    parser = argparse.ArgumentParser(prog="local.functions_host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="the folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, default=7071)
    parser.add_argument("--state", type=Path, required=True, help="where queues, timers and logs are kept")
    arguments = parser.parse_args()
    code = asyncio.run(_run(arguments.app.resolve(), arguments.port, arguments.state.resolve()))
    sys.stdout.flush()
    os._exit(code)  # a function that hangs in the worker's thread pool must not keep the host


async def _run(app: Path, port: int, state: Path) -> int:
    invocations.log_to(state / "logs")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        functions = await worker.load_app(app)
        host = Host(functions, read_host_json(app), os.environ, state)
    except (worker.IndexingFailed, KeyError, ValueError) as error:
        print(f"functions host: {error.args[0]}", file=sys.stderr, flush=True)
        return 1
    await host.serve(port, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
