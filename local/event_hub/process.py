"""A hub process of its own, for tests and benchmarks."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class RunningHub:
    """Where the process listens, and how to break or end it."""

    process: subprocess.Popen[str]
    name: str
    port: int
    http: str

    @property
    def connection_string(self) -> str:
        """What stock clients connect with."""
        return (
            f"Endpoint=sb://127.0.0.1:{self.port};SharedAccessKeyName=local;SharedAccessKey=local;"
            f"UseDevelopmentEmulator=true;EntityPath={self.name}"
        )

    def break_by(self, *rules: dict[str, Any], seed: int = 0) -> None:
        """Puts fault rules in force; none ends them."""
        self._call("/_faults", "POST", json.dumps({"seed": seed, "rules": rules}))

    def fired(self) -> int:
        """How often the rules in force have fired."""
        return sum(rule["fired"] for rule in self._call("/_faults", "GET")["rules"])

    def limit_to(self, size: int) -> None:
        """The largest message that links attached from now on take."""
        self._call("/_max_message_size", "PUT", str(size))

    def kill(self) -> None:
        """`kill -9`."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def _call(self, path: str, method: str, body: str | None = None) -> Any:
        url = self.http + path
        request = urllib.request.Request(url, body.encode() if body else None, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)


@contextlib.contextmanager
def running_hub(state: Path, *options: str, name: str = "post-office", port: int = 0) -> Iterator[RunningHub]:
    """Starts a hub that takes faults, waits until it answers, and ends it.

    Raises:
        RuntimeError: it did not start; its stderr says why.
    """
    command = [sys.executable, "-m", "local.event_hub", "--state", str(state), "--hub", name, "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--health-port", "0", "--faults", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        found = re.fullmatch(r"event hub \S+ on 127\.0\.0\.1:(\d+), health on (\S+)\n", line)
        if found is None:
            raise RuntimeError(f"the hub did not start: {line!r}")
        yield RunningHub(process, name, int(found[1]), f"http://{found[2]}")
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=10)
