"""function_app.py in Microsoft's own worker library: indexed as in Azure (platform 1.3 and 8)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.web.routes import ROUTES
from local.functions_host.routes import Routes
from local.functions_host.worker import Function

ROOT = Path(__file__).parents[3]
INDEX = """
import asyncio, json, sys
from pathlib import Path
from local.functions_host import worker
async def main():
    functions = await worker.load_app(Path(sys.argv[1]))
    print(json.dumps([[f.name, dict(f.trigger)] for f in functions]))
asyncio.run(main())
import os; sys.stdout.flush(); os._exit(0)
"""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def indexed(**environment: str) -> dict[str, dict[str, Any]]:
    """The functions by name, with their triggers."""
    done = subprocess.run(
        [sys.executable, "-c", INDEX, str(ROOT)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def functions() -> dict[str, dict[str, Any]]:
    return indexed()


def test_every_path_has_a_function_and_every_method_is_declared(functions: dict[str, dict[str, Any]]) -> None:
    declared: dict[str, set[str]] = {}
    for trigger in functions.values():
        if trigger["type"] == "httpTrigger":
            assert trigger["authLevel"].lower() == "anonymous"
            methods = declared.setdefault(trigger["route"], set())
            assert not methods & set(trigger["methods"])
            methods.update(trigger["methods"])
    assert dict.fromkeys((route.path for route in ROUTES), METHODS).items() <= declared.items()


def test_unknown_paths_have_a_function_that_shadows_no_other(functions: dict[str, dict[str, Any]]) -> None:
    http = [name for name, trigger in functions.items() if trigger["type"] == "httpTrigger"]
    assert max(http) == "UnknownPath"
    for order in (http, http[::-1]):
        routes = Routes([Function(name, name, functions[name]) for name in order], "api")
        for method in METHODS:
            for route in ROUTES:
                found = routes.find(method, f"/api/{route.path.replace('{', '').replace('}', '')}")
                assert found is not None
                assert functions[found[0].name]["route"] == route.path
            for path in ("/api", "/api/nothing", "/api/jobs/1/2/3"):
                unknown = routes.find(method, path)
                assert unknown is not None
                assert unknown[0].name == "UnknownPath"


def test_blob_triggers_and_timers_are_there(functions: dict[str, dict[str, Any]]) -> None:
    for name, path in (("ResultReceived", "completed"), ("Dispatch", "outbox")):
        trigger = functions[name]
        assert (trigger["type"], trigger["path"]) == ("blobTrigger", f"aggregations/{path}/{{name}}")
        assert (trigger["connection"], trigger["source"]) == ("LAKE", "EventGrid")
    schedules = {name: functions[name]["schedule"] for name in ("WatchRuns", "StartScheduledJobs", "Sweep")}
    assert schedules == {
        "WatchRuns": "*/15 * * * * *",
        "StartScheduledJobs": "*/15 * * * * *",
        "Sweep": "0 * * * * *",
    }
    assert "DispatchFromQueue" not in functions


def test_behind_private_networking_events_come_by_queue() -> None:
    functions = indexed(EVENT_DELIVERY="queue")
    assert {"ResultReceivedFromQueue", "DispatchFromQueue"} <= functions.keys()
    assert not {"ResultReceived", "Dispatch"} & functions.keys()


def test_heavy_packages_are_not_imported_at_the_start() -> None:
    heavy = ("azure.storage", "azure.eventhub", "azure.identity", "databricks", "deltalake", "jwt", "lxml", "google")
    code = f"import function_app, sys; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
