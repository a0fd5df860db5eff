"""The local stack: five processes and one folder that keeps all their state (coordinator 7).

`<folder>/stack.json` tells the addresses, `<folder>/processes.json` the ports and the processes. Stacks in different
folders know nothing of each other; the ports of a stack stay its own from one `up` to the next where they are free.
"""

import fcntl
import json
import os
import random
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from local import processes, services, wheel
from local.processes import Started
from local.services import Layout

DEFAULT_FOLDER = ".local"


def chosen_folder(given: str | None = None) -> Path:
    """The folder of the stack: what was given, else STACK_DIR, else `.local` here."""
    return Path(given or os.environ.get("STACK_DIR") or DEFAULT_FOLDER).resolve()


class Stack:
    """The stack of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def addresses(self) -> dict[str, Any]:
        """The content of stack.json.

        Raises:
            FileNotFoundError: the stack was never started.
        """
        content: dict[str, Any] = json.loads((self.folder / "stack.json").read_text(encoding="utf-8"))
        return content

    def up(self, wanted_ports: Mapping[str, int] | None = None, *, faults: bool = False, sample: bool = True) -> Layout:
        """Start what does not run yet, wait until all of it answers, and write stack.json. Twice is fine.

        Raises:
            NotStarted: a process does not come up; what came up stays for `down`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            running = {name: started for name, started in self._processes().items() if started.alive()}
            layout = Layout(self.folder, self._ports(wanted_ports or {}, busy=bool(running)))
            layout.lake_folder.mkdir(exist_ok=True)
            if sample:
                _make_sample(layout.lake_folder)
            started = running | self._start([name for name in services.NAMES if name not in running], layout, faults)
            self._write("processes.json", {"ports": layout.ports, "processes": _plain(started)})
            for name, process in started.items():
                processes.wait_until(partial(services.answers, name, layout), process, name, layout.log(name))
            self._write("stack.json", layout.addresses())
        return layout

    def down(self) -> int:
        """End every process of the stack and whatever they started; returns how many. The state stays."""
        if not self.folder.is_dir():
            return 0
        with self._alone():
            return processes.end(self._processes().values(), self.folder)

    def status(self) -> dict[str, bool]:
        """Which processes run."""
        known = self._processes()
        return {name: name in known and known[name].alive() for name in services.NAMES}

    def kill(self, name: str) -> None:
        """`kill -9` of one process, as a crash would."""
        process = self._processes()[name]
        if process.alive():
            os.kill(process.pid, 9)

    def _start(self, names: list[str], layout: Layout, faults: bool) -> dict[str, Started]:
        script = self.folder / "wheel" / "settlement"
        if services.JOBS in names:
            script = wheel.install(services.PROJECT, self.folder / "wheel")
        return {
            name: processes.start(
                services.command(name, layout, script, faults=faults),
                log=layout.log(name),
                stack=self.folder,
                environment=services.environment(name, layout),
                cwd=services.PROJECT,
            )
            for name in names
        }

    def _ports(self, wanted: Mapping[str, int], *, busy: bool) -> dict[str, int]:
        """Wanted ports first, then those of the last time, then the preferred ones, each where it is free."""
        last = self._document().get("ports", {})
        if busy:
            return {name: int(port) for name, port in last.items()}
        ports: dict[str, int] = {}
        for name in services.PORT_NAMES:
            candidates = [last.get(name), services.PREFERRED_PORTS.get(name)]
            free = [port for port in candidates if port and port not in ports.values() and _is_free(port)]
            ports[name] = wanted.get(name) or (free[0] if free else _free_port(ports.values()))
        return ports

    def _document(self) -> dict[str, Any]:
        path = self.folder / "processes.json"
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return content

    def _processes(self) -> dict[str, Started]:
        return {name: Started(**started) for name, started in self._document().get("processes", {}).items()}

    def _write(self, name: str, content: object) -> None:
        temporary = self.folder / f"{name}.tmp"
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.folder / name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One `up` or `down` of a folder at a time."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _make_sample(lake: Path) -> None:
    from local.sample.lake import has_input, make_sample  # brings pyarrow, which only an empty lake needs

    if not has_input(lake):
        make_sample(lake)


def _plain(started: Mapping[str, Started]) -> dict[str, Any]:
    return {name: asdict(process) for name, process in started.items()}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port(taken: Iterable[int]) -> int:
    """A port below those that outgoing connections are given, so that it is free again at the next `up`."""
    while True:
        port = random.choice(range(20_000, 32_000))  # noqa: S311 - nothing secret
        if port not in taken and _is_free(port):
            return port
