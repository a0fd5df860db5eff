"""The processes of a batch: lake, jobs API, event hub and two functions hosts on one lake, which all can be killed."""

import json
import os
import shlex
import socket
import sys
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

from local import processes, services
from local.event_hub.reading import HubReader, ReceivedEvent
from local.processes import Started
from local.services import EVENT_HUB, FUNCTIONS, JOBS, LAKE, Layout
from tests.faults.received import PUBLIC_BASE_URL
from tests.faults.stack.host import CLOCK

OTHER = "functions-2"
PORTS = (FUNCTIONS, OTHER, LAKE, JOBS, EVENT_HUB, "event-hub-health", services.ISSUER)
BREAKABLE = {LAKE: LAKE, JOBS: JOBS, EVENT_HUB: "event-hub-health"}


class Ground:
    """One stack in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder, dict(zip(PORTS, _free_ports(len(PORTS)), strict=True)))
        self.plans = folder / "plans"
        self.clock = folder / "clock"
        self.running: dict[str, Started] = {}
        self.largest = 1 << 20
        for path in (self.plans, self.layout.lake_folder):
            path.mkdir(parents=True)

    def up(self) -> None:
        """Start everything and wait until it answers."""
        for name in (LAKE, JOBS, EVENT_HUB, FUNCTIONS, OTHER):
            self.start(name)
        for name in self.running:
            self.wait_for(name)

    def wait_for(self, name: str) -> None:
        """Wait until a process answers."""
        processes.wait_until(partial(self.answers, name), self.running[name], name, self.layout.log(name))

    def down(self) -> None:
        """End everything."""
        processes.end(self.running.values(), self.layout.folder)

    def start(self, name: str) -> None:
        """Start one process, unless it runs."""
        if name in self.running and self.running[name].alive():
            return
        environment = dict(os.environ)
        if name in (FUNCTIONS, OTHER):
            environment = services.environment(FUNCTIONS, self.layout)
            environment |= {"PUBLIC_BASE_URL": PUBLIC_BASE_URL, CLOCK: str(self.clock), "FUNCTION_SECONDS": "60"}
        self.running[name] = processes.start(
            self._command(name),
            log=self.layout.log(name),
            stack=self.layout.folder,
            environment=environment,
            cwd=services.PROJECT,
        )

    def kill(self, name: str) -> None:
        """`kill -9`."""
        if self.running[name].alive():
            os.kill(self.running[name].pid, 9)

    def answers(self, name: str) -> bool:
        """Whether a process answers its probe."""
        if name != OTHER:
            return services.answers(name, self.layout)
        ports = {**self.layout.ports, FUNCTIONS: self.layout.ports[OTHER]}
        return services.answers(FUNCTIONS, Layout(self.layout.folder, ports))

    def _command(self, name: str) -> list[str]:
        step = services.PROJECT / "tests" / "faults" / "stack" / "step.py"
        if name in (FUNCTIONS, OTHER):
            state = str(self.layout.folder / name)
            options = ["--app", str(services.PROJECT), "--port", str(self.layout.ports[name]), "--state", state]
            return [sys.executable, "-m", "tests.faults.stack.host", *options]
        command = services.command(name, self.layout, step, faults=True)
        if name == JOBS:
            run = shlex.join([sys.executable, "-S", "-E", str(step), str(self.plans)])
            command[command.index("--wheel-command") + 1] = run
            command += ["--max-concurrent-runs", "4"]
        if name == EVENT_HUB:
            command += ["--max-message-size", str(self.largest)]
        if name == LAKE:  # every event to both hosts: they race for it
            hooks = [part for part in command if "functionName" in part]
            ports = [f":{self.layout.ports[host]}/" for host in (FUNCTIONS, OTHER)]
            command += [part for hook in hooks for part in ("--events", hook.replace(*ports))]
        return command

    def break_it(self, name: str, rules: list[dict[str, Any]], seed: int) -> None:
        """Let a stand-in fail by rules (local/faults.py) from now on."""
        self._ask(name, "POST", {"seed": seed, "rules": rules})

    def mend(self, name: str) -> list[dict[str, Any]]:
        """End the faults of a stand-in; what each rule did."""
        return list(self._ask(name, "DELETE", None)["rules"])

    def _ask(self, name: str, method: str, document: Any) -> Any:
        data = None if document is None else json.dumps(document).encode()
        url = f"{services.LOOPBACK}:{self.layout.ports[BREAKABLE[name]]}/_faults"
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=5) as answer:
            return json.load(answer)

    def largest_message(self, size: int) -> None:
        """What the hub takes at most from the next link on, and when it is started again."""
        self.largest = size
        url = f"{services.LOOPBACK}:{self.layout.ports['event-hub-health']}/_max_message_size"
        urllib.request.urlopen(urllib.request.Request(url, str(size).encode(), method="PUT"), timeout=5).close()

    def events(self) -> list[ReceivedEvent]:
        """All that the hub holds, by a stock client."""
        with HubReader(self.layout.connection_string, services.HUB) as reader:
            return reader.until_caught_up(1.0, 60)

    def records(self) -> list[dict[str, Any]]:
        """Every job record as it lies in the lake."""
        return [
            json.loads(path.read_bytes()) for path in self.layout.lake_folder.glob("jobs/*.json") if path.stat().st_size
        ]

    def runs(self) -> list[dict[str, Any]]:
        """Every run that the jobs API keeps."""
        return [json.loads(path.read_bytes()) for path in (self.layout.folder / JOBS / "runs").glob("*/run.json")]


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
