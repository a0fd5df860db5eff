"""`python -m local up|down|status|sample|demo|token`: the whole system on one machine, without a cloud account."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from local import services
from local.processes import NotStarted
from local.stack import Stack, chosen_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit 1 with the reason on stderr when it cannot be done."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["token"]:  # the issuer knows its own options
        from local.issuer import token

        return token(given[1:])
    parsed = _parser().parse_args(given)
    try:
        return int(parsed.run(parsed))
    except (NotStarted, FileExistsError) as error:
        print(f"{parsed.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = _command(commands, "up", _up, "start the stack and wait until all of it answers")
    up.add_argument(
        "--ports",
        default=os.environ.get("STACK_PORTS", ""),
        metavar="NAME=PORT,…",
        help=f"ports that must be these (also STACK_PORTS); names: {', '.join(services.PORT_NAMES)}",
    )
    up.add_argument("--faults", action="store_true", help="let the stand-ins be broken by tests")
    up.add_argument("--empty", action="store_true", help="leave an empty lake empty: no sample")
    _command(commands, "down", _down, "end the stack; its state stays")
    _command(commands, "status", _status, "which processes run, and the addresses")
    sample = _command(commands, "sample", _sample, "write the sample into an empty lake")
    sample.add_argument("--lake", type=Path, help="folder of the lake; default: that of the stack")
    _command(commands, "demo", _demo, "settle a month and show what came of it")
    commands.add_parser("token", help="print an access token: --role settlement.run [--actor … --actor-role DDQ]")
    return parser


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--stack", metavar="FOLDER", help="folder of the stack (default: STACK_DIR, else .local)")
    command.set_defaults(run=run)
    return command


def _up(parsed: argparse.Namespace) -> int:
    stack = Stack(chosen_folder(parsed.stack))
    layout = stack.up(_ports(parsed.ports), faults=parsed.faults, sample=not parsed.empty)
    print(json.dumps(stack.addresses, indent=2))
    interface = f"{layout.url(services.FUNCTIONS)}/api/openapi.json"
    print(f"\nThe interface: {interface}\nLogs: {stack.folder / 'logs'}\nEnd it: make down")
    return 0


def _down(parsed: argparse.Namespace) -> int:
    ended = Stack(chosen_folder(parsed.stack)).down()
    print(f"{ended} processes ended" if ended else "nothing was running")
    return 0


def _status(parsed: argparse.Namespace) -> int:
    stack = Stack(chosen_folder(parsed.stack))
    running = stack.status()
    for name, alive in running.items():
        print(f"{name:10} {'runs' if alive else 'does not run'}")
    if any(running.values()):
        print(json.dumps(stack.addresses, indent=2))
    return 0 if all(running.values()) else 1


def _sample(parsed: argparse.Namespace) -> int:
    from local.sample.lake import make_sample

    lake = parsed.lake or chosen_folder(parsed.stack) / "lake"
    for table, rows in make_sample(lake).items():
        print(f"{rows:8} {table}")
    return 0


def _demo(parsed: argparse.Namespace) -> int:
    from local.demo import demo

    return demo(parsed.stack)


def _ports(text: str) -> dict[str, int]:
    """`functions=7071,lake=10000` as a mapping; a name that there is not, or a port that is none, ends the command."""
    ports = {}
    for part in filter(None, text.split(",")):
        name, _, port = part.partition("=")
        if name not in services.PORT_NAMES or not port.isdecimal():
            raise SystemExit(f"--ports: '{part}' is not <name>=<port> with a name of {', '.join(services.PORT_NAMES)}")
        ports[name] = int(port)
    return ports


if __name__ == "__main__":
    sys.exit(main())
