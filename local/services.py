"""The five processes of a stack: how each is started, how it shows that it answers, and what the app is told of it."""

import os
import shlex
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "devstoreaccount1"
LOOPBACK = "http://127.0.0.1"
PROJECT = Path(__file__).parents[1]
HUB = "post-office"
LAKE, JOBS, EVENT_HUB, ISSUER, FUNCTIONS = "lake", "jobs", "event-hub", "issuer", "functions"
NAMES = (LAKE, JOBS, EVENT_HUB, ISSUER, FUNCTIONS)
PORT_NAMES = (FUNCTIONS, LAKE, JOBS, EVENT_HUB, "event-hub-health", ISSUER)
PREFERRED_PORTS = {FUNCTIONS: 7071}
"""func's own port, where it is free."""
AUDIENCE = "api://aggregations"
TRIGGERS = {"completed/": ("ResultReceived", "results-received"), "outbox/": ("Dispatch", "outbox-written")}
"""The blob trigger and the queue of the app by the prefix of their event subscription (coordinator 2)."""


@dataclass(frozen=True)
class Layout:
    """Where a stack keeps what, and which port each of its processes listens on."""

    folder: Path
    ports: Mapping[str, int]

    @property
    def lake_folder(self) -> Path:
        """The folder of the lake's file system, which Spark and the Delta reader open directly."""
        return self.folder / "lake"

    def log(self, name: str) -> Path:
        """What a process says."""
        return self.folder / "logs" / f"{name}.log"

    def url(self, name: str) -> str:
        """The address of an HTTP stand-in."""
        return f"{LOOPBACK}:{self.ports[name]}"

    @property
    def connection_string(self) -> str:
        """How the stock Event Hubs clients find the hub."""
        return (
            f"Endpoint=sb://127.0.0.1:{self.ports[EVENT_HUB]};SharedAccessKeyName=local;SharedAccessKey=local;"
            "UseDevelopmentEmulator=true;"
        )

    def addresses(self) -> dict[str, object]:
        """The content of stack.json."""
        return {
            "functions": self.url(FUNCTIONS),
            # With an account in it, as emulators have it: without one the SDK's rename refuses to work anonymously.
            "lake": {"url": f"{self.url(LAKE)}/{ACCOUNT}", "folder": str(self.lake_folder)},
            "jobs": self.url(JOBS),
            "eventHub": {"connectionString": self.connection_string, "name": HUB},
            "issuer": self.url(ISSUER),
        }


def command(name: str, layout: Layout, settlement: Path, *, faults: bool) -> list[str]:
    """The command line of a process; `faults` lets the fault tests break the stand-ins."""
    port, state = str(layout.ports[name]), str(layout.folder / name)
    options = {
        LAKE: [
            "--root",
            str(layout.lake_folder),
            "--state",
            str(layout.folder / "lake-state"),
            *_subscriptions(layout),
        ],
        JOBS: ["--state", state, "--wheel-command", shlex.quote(str(settlement))],
        EVENT_HUB: ["--state", state, "--hub", HUB, "--health-port", str(layout.ports["event-hub-health"])],
        ISSUER: ["--state", state, "--audience", AUDIENCE],
        FUNCTIONS: ["--app", str(PROJECT), "--state", state],
    }
    modules = {JOBS: "local.jobs_api", EVENT_HUB: "local.event_hub", FUNCTIONS: "local.functions_host"}
    breakable = ["--faults"] if faults and name in (LAKE, JOBS, EVENT_HUB) else []
    return [sys.executable, "-m", modules.get(name, f"local.{name}"), "--port", port, *options[name], *breakable]


def _subscriptions(layout: Layout) -> list[str]:
    """Event subscriptions of the lake: to the blob triggers, or, with EVENT_DELIVERY=queue, to the queues."""
    runtime = f"{layout.url(FUNCTIONS)}/runtime"
    hooks = {
        prefix: f"{runtime}/queues/{queue}"
        if by_queue()
        else f"{runtime}/webhooks/blobs?functionName=Host.Functions.{name}"
        for prefix, (name, queue) in TRIGGERS.items()
    }
    return [part for prefix, hook in hooks.items() for part in ("--events", f"{prefix}={hook}")]


def by_queue() -> bool:
    """Whether events come by queue, as behind private networking."""
    return os.environ.get("EVENT_DELIVERY") == "queue"


def environment(name: str, layout: Layout) -> dict[str, str]:
    """The environment of a process; the function app gets its settings by it (docs/settings.md)."""
    inherited = dict(os.environ)
    if name != FUNCTIONS:
        return inherited
    issuer = layout.url(ISSUER)
    return inherited | {
        "LAKE_URL": layout.url(LAKE),
        "LAKE_TABLES_URI": str(layout.lake_folder),
        "LAKE__blobServiceUri": layout.url(LAKE),
        "LAKE__queueServiceUri": layout.url(LAKE),
        "DATABRICKS_HOST": layout.url(JOBS),
        "DATABRICKS_TOKEN": "local",
        "POST_OFFICE": layout.connection_string,
        "POST_OFFICE_HUB": HUB,
        "PUBLIC_BASE_URL": layout.url(FUNCTIONS),
        "ENTRA_ISSUER": issuer,
        "ENTRA_AUDIENCE": AUDIENCE,
        "ENTRA_JWKS_URL": f"{issuer}/discovery/v2.0/keys",
        "AUTH_ANONYMOUS": "allow",
        "PYTHON_THREADPOOL_THREAD_COUNT": os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "32"),
    }


def answers(name: str, layout: Layout) -> bool:
    """Whether a process answers its health probe."""
    probes = {
        EVENT_HUB: f"{LOOPBACK}:{layout.ports['event-hub-health']}/_health",
        FUNCTIONS: f"{layout.url(FUNCTIONS)}/admin/host/status",
    }
    url = probes.get(name, f"{layout.url(name)}/_health")
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - an address of our own
            return bool(answer.status == 200)
    except OSError:
        return False
