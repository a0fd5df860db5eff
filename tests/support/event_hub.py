"""A hub process of its own for tests, and what tests send and read with stock clients."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from azure.eventhub import EventData, EventHubProducerClient

from local.event_hub.reading import HubReader, ReceivedEvent

ROOT = Path(__file__).parents[2]
HUB = "post-office"


@dataclass
class RunningHub:
    """Where the process listens, and how to break or end it."""

    process: subprocess.Popen[str]
    port: int
    http: str

    @property
    def connection_string(self) -> str:
        return (
            f"Endpoint=sb://127.0.0.1:{self.port};SharedAccessKeyName=local;SharedAccessKey=local;"
            f"UseDevelopmentEmulator=true;EntityPath={HUB}"
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
        request = urllib.request.Request(self.http + path, body.encode() if body else None, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@contextlib.contextmanager
def running_hub(state: Path, *options: str, port: int = 0) -> Iterator[RunningHub]:
    """Starts a hub, waits until it answers, and ends it."""
    command = [sys.executable, "-m", "local.event_hub", "--state", str(state), "--hub", HUB, "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--health-port", "0", "--faults", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.fullmatch(r"event hub \S+ on 127\.0\.0\.1:(\d+), health on (\S+)\n", line)
        assert found, f"the hub did not start: {line!r}"
        yield RunningHub(process, int(found[1]), f"http://{found[2]}")
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=10)


def a_producer(hub: RunningHub, **options: Any) -> EventHubProducerClient:
    options = {"retry_backoff_factor": 0.01, **options}
    return EventHubProducerClient.from_connection_string(hub.connection_string, **options)


def send(
    producer: EventHubProducerClient, *bodies: str, event: Callable[[str], EventData] = EventData, **to: Any
) -> None:
    batch = producer.create_batch(**to)
    for body in bodies:
        batch.add(event(body))
    producer.send_batch(batch)


def matching(reader: HubReader, count: int, **wanted: Any) -> list[ReceivedEvent]:
    """The events with these attributes, as soon as there are so many."""

    def fit(event: ReceivedEvent) -> bool:
        return all(getattr(event, name) == value for name, value in wanted.items())

    return [event for event in reader.until(lambda events: sum(map(fit, events)) >= count, 10) if fit(event)]


def unique() -> str:
    return uuid4().hex
