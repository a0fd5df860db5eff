"""A running host over a tiny app of its own, with a lake of two blobs: what the tests of the host share."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
APP = """
import os
import time
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
bp = func.Blueprint()
STATE = os.environ["TEST_STATE"]

def note(text):
    with open(STATE + "/notes.txt", "a") as notes:
        notes.write(text + "\\n")

@bp.route(route="echo/{first}/{second?}", methods=["GET", "POST"])
def Echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {"url": req.url, "route": dict(req.route_params), "query": dict(req.params), "method": req.method,
            "body": req.get_body().decode("latin-1"), "trace": req.headers.get("x-one", "")}
    return func.HttpResponse(str(seen), status_code=207, headers={"X-Answer": "yes"}, mimetype="text/plain")

@bp.route(route="echo/fixed", methods=["GET"])
def Fixed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("fixed")

@bp.route(route="slow", methods=["GET"])
def Slow(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(0.2)
    return func.HttpResponse("slow")

@bp.route(route="coroutine")
async def Coroutine(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("async")

@bp.route(route="broken")
def Broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("of its own")

@bp.blob_trigger(arg_name="blob", path="aggregations/completed/{name}", connection="LAKE", source="EventGrid")
def Completed(blob: func.InputStream) -> None:
    note("started " + blob.name)
    if os.path.exists(STATE + "/hang"):
        time.sleep(600)
    if "bad" in blob.name:
        raise ValueError("bad blob")
    note(blob.name + " " + blob.read().decode())

@bp.queue_trigger(arg_name="message", queue_name="orders", connection="LAKE")
def Orders(message: func.QueueMessage) -> None:
    note("order " + str(message.dequeue_count) + " " + message.get_body().decode())
    if "fail" in message.get_body().decode() and message.dequeue_count < 3:
        raise ValueError("again")

@bp.timer_trigger(arg_name="timer", schedule="* * * * * *")
def Tick(timer: func.TimerRequest) -> None:
    note("tick")

app.register_functions(bp)
"""


class Host:
    """The address of a running host, its state folder and its process."""

    def __init__(self, state: Path, port: int, environment: dict[str, str]) -> None:
        self.state, self.port, self.environment = state, port, environment
        self.url = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        app = self.state / "app"
        command = [sys.executable, "-m", "local.functions_host", "--app", str(app), "--port", str(self.port)]
        command += ["--state", str(self.state)]
        with (self.state / "out.txt").open("ab") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=out, stderr=out)
        self.until(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, Message]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=names)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers

    def notes(self) -> list[str]:
        path = self.state / "notes.txt"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends, f"{self.notes()} {(self.state / 'out.txt').read_text()}"
            time.sleep(0.02)


class _Blobs(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = "gone" not in self.path
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(f"content of {self.path}".encode() if found else b"")

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def _lake() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Blobs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(state: Path, app: str = APP, host_json: dict[str, object] | None = None) -> Iterator[Host]:
    (state / "app").mkdir(parents=True)
    (state / "app" / "function_app.py").write_text(app)
    (state / "app" / "host.json").write_text(json.dumps(host_json or {"version": "2.0"}))
    with _lake() as lake:
        settings = {"LAKE__blobServiceUri": lake, "LAKE__queueServiceUri": lake, "TEST_STATE": str(state)}
        host = Host(state, _free_port(), {**os.environ, **settings})
        host.start()
        yield host
        host.end()


@pytest.fixture(scope="session")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running(tmp_path_factory.mktemp("host") / "state") as host:
        yield host


@pytest.fixture
def own_host(tmp_path: Path) -> Iterator[Host]:
    with running(tmp_path / "state") as host:
        yield host
