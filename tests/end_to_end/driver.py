"""Drives a running stack the way the outside world does: HTTP calls, stock SDK clients, and `kill -9`."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from email.message import Message
from pathlib import Path
from typing import Any

from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext
from databricks.sdk import WorkspaceClient

from local.sample.market import ZONE
from local.stack import Stack
from shared.danish_time import format_instant, local_midnight

ENDED = ("Completed", "Failed", "Cancelled")


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Message
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Driver:
    """One running stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.addresses = stack.addresses
        self.lake = Path(self.addresses["lake"]["folder"])

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the function app; `body` as JSON, or as it is when it is bytes; X_Name stands for the header X-Name."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            names = {"Content-Type": "application/json"} | names
        request = urllib.request.Request(self.addresses["functions"] + path, data, names, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def start(self, day: int, days: int = 1, **fields: Any) -> str:
        """Start a D04 job over some days of the sample's October; returns its id."""
        answer = self.call("POST", "/api/KickStartJob", period(day, days) | {"processType": "D04"} | fields)
        assert answer.status == 202, answer.content
        return str(answer.json["jobId"])

    def wait(self, job_id: str, *states: str, seconds: float = 150) -> dict[str, Any]:
        """Wait until a job has one of the states (ended ones, when none is named); returns it."""
        wanted, ends = states or ENDED, time.monotonic() + seconds
        while True:
            job = self.call("GET", f"/api/jobs/{job_id}").json
            if job.get("status") in wanted:
                return dict(job)
            assert job.get("status") not in ENDED, job
            assert time.monotonic() < ends, job
            time.sleep(0.2)

    def completed(self, job_id: str, seconds: float = 150) -> dict[str, Any]:
        """Wait until a job is completed; its error when it is not."""
        job = self.wait(job_id, seconds=seconds)
        assert job["status"] == "Completed", job
        return job

    def runs(self) -> list[Any]:
        """Every run that the job platform knows, by the stock client."""
        client = WorkspaceClient(host=self.addresses["jobs"], token="local")
        return list(client.jobs.list_runs(expand_tasks=False))

    def runs_of(self, job_id: str) -> list[Any]:
        """The runs that were started for one job."""
        client = WorkspaceClient(host=self.addresses["jobs"], token="local")
        full = [client.jobs.get_run(run.run_id) for run in self.runs()]
        return [run for run in full if any(one.value == job_id for one in run.job_parameters or [])]

    def events(self, job_id: str) -> list[EventData]:
        """All events of a job that are in the hub now, by the stock client."""
        hub = self.addresses["eventHub"]
        client = EventHubConsumerClient.from_connection_string(
            hub["connectionString"], consumer_group="$Default", eventhub_name=hub["name"]
        )
        waiting = {}
        for partition in client.get_partition_ids():
            properties = client.get_partition_properties(partition)
            if not properties["is_empty"]:
                waiting[partition] = properties["last_enqueued_sequence_number"]
        found: list[EventData] = []
        done = threading.Event()

        def take(context: PartitionContext, events: Sequence[EventData]) -> None:
            found.extend(event for event in events if event.correlation_id == job_id)
            if events and events[-1].sequence_number >= waiting.get(context.partition_id, 0):
                waiting.pop(context.partition_id, None)
            if not waiting:
                done.set()

        if waiting:
            options = {"starting_position": "-1", "max_wait_time": 0.5, "max_batch_size": 100}
            reader = threading.Thread(target=client.receive_batch, args=(take,), kwargs=options)
            reader.start()
            assert done.wait(60), waiting
            client.close()
            reader.join(20)
        client.close()
        return found

    @contextmanager
    def broken(self, name: str, *rules: dict[str, Any]) -> Iterator[None]:
        """Let a stand-in fail by rules (local/faults.py) for a while."""
        # The lake's address names its account; its faults are asked for at the server's root.
        url = (
            self.addresses["lake"]["url"].removesuffix("/devstoreaccount1") if name == "lake" else self.addresses[name]
        )
        url += "/_faults"
        self._faults(url, "POST", {"rules": list(rules)})
        try:
            yield
        finally:
            self._faults(url, "DELETE", None)

    def _faults(self, url: str, method: str, document: Any) -> None:
        data = None if document is None else json.dumps(document).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=10) as answer:
            assert answer.status == 200

    def kill_and_restart(self) -> None:
        """`kill -9` of the functions host, and its start."""
        self.stack.kill("functions")
        until(lambda: not self.stack.status()["functions"])
        self.stack.up()


def period(day: int, days: int = 1) -> dict[str, str]:
    """Some days of the sample's October as the fields of a request."""
    begin = local_midnight(date(2025, 10, day), ZONE)
    last = date(2025, 10, day + days) if day + days < 32 else date(2025, 11, day + days - 31)
    return {"beginTime": format_instant(begin), "endTime": format_instant(local_midnight(last, ZONE))}


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for a condition; returns what made it true."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.02)
    return found
