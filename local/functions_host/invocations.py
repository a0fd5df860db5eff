"""Invoking a function with an account of it: one line per invocation in `<state>/logs/invocations.log`."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from azure_functions_runtime import invocation_id_cv

from local.functions_host import worker
from local.functions_host.protos import TypedData
from local.functions_host.worker import Function, Outcome

logger = logging.getLogger(__name__)
_account = logging.getLogger("invocations")


async def run(
    function: Function,
    data: TypedData,
    metadata: Mapping[str, TypedData] | None = None,
    trace_parent: str | None = None,
) -> Outcome:
    """Invoke a function and log name, duration and outcome; never raises what the function raised."""
    started = time.perf_counter()
    outcome = await worker.invoke(function, data, metadata, trace_parent)
    took = (time.perf_counter() - started) * 1000
    if outcome.error is None:
        _account.info("%s Succeeded %.0f ms", function.name, took)
    else:
        _account.info("%s Failed %.0f ms %s", function.name, took, outcome.error.replace("\n", " "))
        logger.error("%s failed: %s\n%s", function.name, outcome.error, outcome.trace)
    return outcome


def log_to(folder: Path) -> None:
    """Send what the app logs to `functions.log` and the account of invocations to `invocations.log`."""
    folder.mkdir(parents=True, exist_ok=True)
    app = logging.FileHandler(folder / "functions.log", encoding="utf-8")
    app.setFormatter(_utc(logging.Formatter("%(asctime)s %(levelname)s [%(invocation)s] %(name)s %(message)s")))
    app.addFilter(_with_invocation)
    root = logging.getLogger()
    root.addHandler(app)
    root.setLevel(logging.INFO)
    logging.getLogger("azure").setLevel(logging.WARNING)
    lines = logging.FileHandler(folder / "invocations.log", encoding="utf-8")
    lines.setFormatter(_utc(logging.Formatter("%(asctime)s %(message)s")))
    _account.addHandler(lines)
    _account.propagate = False
    _account.setLevel(logging.INFO)


def _utc(formatter: logging.Formatter) -> logging.Formatter:
    formatter.converter = time.gmtime
    formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    formatter.default_msec_format = "%s.%03dZ"
    return formatter


def _with_invocation(record: logging.LogRecord) -> bool:
    record.invocation = (invocation_id_cv.get() or "host")[:8]
    return True
