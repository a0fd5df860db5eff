"""Servers of the stand-ins in a thread, and stock clients that speak to them."""

import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from azure.storage.blob import ExponentialRetry
from azure.storage.filedatalake import DataLakeServiceClient, FileSystemClient

from local.lake.events import Subscription
from local.lake.server import lake_app
from local.serving import serving


def quick_retry() -> ExponentialRetry:
    """Three tries again at once: the client's own pauses are 15 seconds and more."""
    return ExponentialRetry(initial_backoff=0, increment_base=0, retry_total=3, random_jitter_range=0)


class Webhook:
    """Takes events; answers 503 to as many as `refusals` says."""

    def __init__(self) -> None:
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.refusals = 0
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = webhook.refusals > 0
                webhook.refusals -= refused
                self.send_response(503 if refused else 202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if not refused:
                    for event in orjson.loads(body):
                        webhook.events.put(event | {"notification": self.headers["aeg-event-type"]})

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/runtime/webhooks/blobs?functionName=Host.Functions.X"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, seconds: float = 5) -> dict[str, Any]:
        return self.events.get(timeout=seconds)

    def subjects(self, number: int) -> list[str]:
        return sorted(self.next()["subject"].rpartition("/blobs/")[2] for _ in range(number))


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


@pytest.fixture
def lake_folder(tmp_path: Path) -> Path:
    return tmp_path / "aggregations"


@pytest.fixture
def lake_url(lake_folder: Path, webhook: Webhook) -> Iterator[str]:
    watched = [Subscription(prefix, webhook.url) for prefix in ("completed/", "outbox/")]
    with serving(lambda: lake_app(lake_folder, subscriptions=watched, with_faults=True)) as url:
        yield url


@pytest.fixture
def lake(lake_url: str) -> Iterator[FileSystemClient]:
    with (
        # Without an account in the path, rename_file of a client without credential fails before it sends anything.
        DataLakeServiceClient(f"{lake_url}/devstoreaccount1", retry_policy=quick_retry()) as service,
        service.get_file_system_client("aggregations") as client,
    ):
        yield client
