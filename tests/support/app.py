"""The function app over fakes: what its unit tests start from."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from functions.adapters.in_memory import FakeClock, FakeJobRunner, FakePostOffice, FakeResultTables, InMemoryLake
from functions.coordinator.archive import Archive
from functions.coordinator.dispatch import Dispatched, DispatchOutcome
from functions.coordinator.dispatching import Dispatching
from functions.coordinator.job_index import JobIndex
from functions.coordinator.receive_result import SplitOutcome
from functions.coordinator.record import JobRecord
from functions.coordinator.records import RecordStore
from functions.coordinator.results_received import Splitting
from functions.ports import AlreadyExists
from functions.web.answer import UNKNOWN, answer
from functions.web.http import Request, Response
from functions.web.routes import ROUTES
from functions.wiring import App
from shared.manifest import Manifest, ResultTable
from tests.support.message_index import InMemoryMessageIndex

ENVIRONMENT = {
    "LAKE_URL": "http://lake.example",
    "LAKE_TABLES_URI": "/lake",
    "DATABRICKS_HOST": "http://databricks.example",
    "POST_OFFICE": "Endpoint=sb://hub.example;UseDevelopmentEmulator=true",
    "AUTH_ANONYMOUS": "allow",
    "PUBLIC_BASE_URL": "https://settlement.example",
}
DAY = {"beginTime": "2023-02-01T00:00:00+0100", "endTime": "2023-02-02T00:00:00+0100", "processType": "D04"}


def owner(area: str, owner_id: str = "5790000000001") -> dict[str, Any]:
    """A row of grid_area_owners."""
    return {
        "grid_area_code": area,
        "owner_id": owner_id,
        "from_date": datetime(2015, 1, 1, tzinfo=UTC),
        "to_date": None,
    }


@dataclass
class World:
    """The app, its fakes, and short words for what happens to it. Splitting makes one batch of each grid area."""

    clock: FakeClock = field(default_factory=FakeClock)
    runner: FakeJobRunner = field(default_factory=FakeJobRunner)
    post_office: FakePostOffice = field(default_factory=FakePostOffice)
    tables: FakeResultTables = field(default_factory=FakeResultTables)
    split_error: Exception | None = None
    sent: list[str] = field(default_factory=list)
    message_index: InMemoryMessageIndex = field(default_factory=InMemoryMessageIndex)

    def __post_init__(self) -> None:
        self.lake = InMemoryLake(self.clock)
        self.tables.inputs["grid_area_owners"] = [owner("800"), owner("801", "5790000000002")]
        self.app = self.new_host()

    def new_host(self, **environment: str) -> App:
        """An instance of the app with nothing in its memory, on the same lake."""
        index = JobIndex(self.lake)
        records = RecordStore(self.lake, self.clock, index.note)
        splitting = Splitting(self.split, self.tables, self.runner, index, "4260024590017")
        self.app = App(ENVIRONMENT | environment).replace(
            load=lambda: None,
            clock=self.clock,
            lake=self.lake,
            runner=self.runner,
            tables=self.tables,
            post_office=self.post_office,
            records=records,
            index=index,
            splitting=splitting,
            dispatching=Dispatching(self.dispatch),
            archive=Archive(lake=self.lake, index=self.message_index),
        )
        return self.app

    def split(self, record: JobRecord, until: datetime) -> SplitOutcome:
        """One batch of each area, as splitting writes it."""
        if self.split_error:
            raise self.split_error
        areas = record.arguments["grid-areas"].split(",")
        for area in areas:
            path = f"{record.job_id}/{area}.jsonl.gz"
            if f"sent/{path}" in self.lake.files:
                continue
            try:
                self.lake.create(f"outbox/{path}", f"{record.frozen}".encode())
            except AlreadyExists:
                continue
        return SplitOutcome(batches=areas, messages=len(areas), rejected=0, without_receiver=0)

    def dispatch(self, path: str, until: datetime) -> DispatchOutcome:
        """Send a file and move it."""
        self.post_office.check()
        self.sent.append(path)
        _, job_id, name = path.split("/")
        self.lake.rename(path, path.replace("outbox/", "sent/", 1))
        return DispatchOutcome(job_id=job_id, batch=name, state=Dispatched.SENT, sent=1)

    def call(self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None) -> Response:
        """Call the interface: `path` below /api, with its query."""
        bare = path.partition("?")[0]
        template, params = route_of(bare)
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {} if body is None else {"content-type": "application/json"}
        request = Request(method, f"https://host.example/api/{path}", sent | (headers or {}), params, content)
        return answer(request, template, self.app)

    def start(self, **parameters: Any) -> str:
        """Start a job and return its id."""
        answered = self.call("POST", "KickStartJob", body=DAY | parameters)
        assert answered.status == 202, answered.body
        return str(json.loads(answered.body)["jobId"])

    def record(self, job_id: str) -> JobRecord:
        """The record as it lies in the lake."""
        return self.app.records.get(job_id)

    def finish_run(self, job_id: str, attempt: int | None = None) -> None:
        """Let the Spark job leave its manifest."""
        number = attempt or self.record(job_id).attempt
        table = ResultTable(version=1, rows=3, series_count=1)
        manifest = Manifest(
            job_id=job_id, attempt=number, arguments={}, grid_areas=[], input_versions={}, results={"energy": table}
        )
        self.lake.create(f"completed/{job_id}.{number}.json", manifest.to_json())

    def tick(self, **duration: float) -> None:
        """Let time go by, a minute if nothing else is said, and every timer run."""
        self.clock.advance(**(duration or {"minutes": 1}))
        self.app.watch()
        self.app.start_due()
        self.app.sweep()


def route_of(path: str) -> tuple[str, dict[str, str]]:
    """The route that a path belongs to, and its parameters; UNKNOWN when there is none."""
    parts = path.split("/")
    for route in sorted(ROUTES, key=lambda route: "{" in route.path):
        names = route.path.split("/")
        if len(names) == len(parts) and all(n.startswith("{") or n == p for n, p in zip(names, parts, strict=True)):
            return route.path, {n[1:-1]: p for n, p in zip(names, parts, strict=True) if n.startswith("{")}
    return UNKNOWN, {"path": path}


def wsgi(world: World) -> Callable[[dict[str, Any], Any], list[bytes]]:
    """The app as WSGI, for tools that speak HTTP to it in process."""

    def serve(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ.get("REQUEST_URI", environ["PATH_INFO"]).partition("?")[0].removeprefix("/api/")
        headers = {
            name[5:].replace("_", "-").lower(): text for name, text in environ.items() if name.startswith("HTTP_")
        }
        headers |= {"content-type": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {}
        url = f"http://host.example/api/{path}?{environ.get('QUERY_STRING', '')}"
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        template, params = route_of(path)
        params = {name: unquote(text) for name, text in params.items()}
        given = answer(Request(environ["REQUEST_METHOD"], url, headers, params, body), template, world.app)
        start_response(f"{given.status} X", [("Content-Type", given.media_type), *given.headers.items()])
        return [given.body]

    return serve


def problem(response: Response) -> dict[str, Any]:
    """The problem details of an answer."""
    assert response.media_type == "application/problem+json", response
    document = json.loads(response.body)
    assert document["status"] == response.status
    return dict(document)


def fields(response: Response) -> set[str]:
    """The fields that an answer names as wrong."""
    return {error["field"] for error in problem(response).get("errors", [])}
