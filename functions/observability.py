"""Logs, traces and metrics: OpenTelemetry's interface, JSON lines on one machine, Application Insights in Azure.

One trace per job: it begins with the call that starts it; its traceparent lies on the record, so that run, splitting
and dispatch join it wherever they happen. Nothing here writes a header, a token or a secret.
"""

import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.danish_time import parse_instant

if TYPE_CHECKING:
    from functions.coordinator.record import Transition

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
TRACER = "settlement"
_job: ContextVar[str | None] = ContextVar("job", default=None)
_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


@dataclass(frozen=True)
class JobTrace:
    """The trace of a job and the span that its later steps are children of."""

    trace_id: str
    traceparent: str


@contextmanager
def job_trace(name: str, caller_traceparent: str | None) -> Iterator[JobTrace]:
    """Begin a job's trace, as part of the caller's where it sent one; there is an id even when nobody collects."""
    with _span(name, caller_traceparent, {}) as traceparent:
        yield JobTrace(traceparent.split("-")[1], traceparent)


@contextmanager
def job_span(name: str, traceparent: str | None, **attributes: str | int) -> Iterator[None]:
    """One step of a job, inside its trace; what is logged meanwhile is about that job."""
    token = _job.set(str(attributes.get("job_id", "")) or None)
    try:
        with _span(name, traceparent, attributes):
            yield
    finally:
        _job.reset(token)


def past_span(name: str, traceparent: str | None, begin: str, end: str) -> None:
    """A step of a job that went on elsewhere, such as its run: told when it is over."""
    from opentelemetry import trace

    began, ended = (int(parse_instant(instant).timestamp() * 1e9) for instant in (begin, end))
    span = trace.get_tracer(TRACER).start_span(name, context=_context(traceparent), start_time=began)
    span.end(end_time=ended)


def _context(traceparent: str | None) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    known = traceparent and TRACEPARENT.fullmatch(traceparent)
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}) if known else None


@contextmanager
def _span(name: str, parent: str | None, attributes: Mapping[str, str | int]) -> Iterator[str]:
    from opentelemetry import trace

    parent = parent if parent and TRACEPARENT.fullmatch(parent) else None
    context = _context(parent)
    with trace.get_tracer(TRACER).start_as_current_span(name, context=context, attributes=dict(attributes)) as span:
        own = span.get_span_context()
        if own.is_valid:
            yield f"00-{own.trace_id:032x}-{own.span_id:016x}-{int(own.trace_flags):02x}"
        else:
            yield parent or f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"


def count(name: str, amount: int = 1, **attributes: str) -> None:
    """Count something that happened, such as aggregations.messages.sent."""
    from opentelemetry import metrics

    _instrument("counter", name, metrics.get_meter(TRACER).create_counter).add(amount, attributes)


def measure(name: str, value: float, **attributes: str) -> None:
    """Record how much something was, such as seconds in a state or the age of the outbox."""
    from opentelemetry import metrics

    _instrument("histogram", name, metrics.get_meter(TRACER).create_histogram).record(value, attributes)


def job_moved(before: Sequence["Transition"], step: "Transition") -> None:
    """Count a job's step, and record how long it was in the state that it left."""
    count("aggregations.jobs.steps", state=step.state.value)
    if step.state.value == "Failed":
        count("aggregations.jobs.failed")
    for left in before:
        seconds = (parse_instant(step.at) - parse_instant(left.at)).total_seconds()
        measure("aggregations.jobs.state.seconds", seconds, state=left.state.value)


_instruments: dict[tuple[str, str], Any] = {}
_lock = threading.Lock()


def _instrument(kind: str, name: str, create: Any) -> Any:
    with _lock:
        if (kind, name) not in _instruments:
            _instruments[kind, name] = create(name)
        return _instruments[kind, name]


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the caller put in `extra` (job_id always)."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "job_id": getattr(record, "job_id", None) or _job.get(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


_configured = threading.Event()


def configure(telemetry_file: str) -> None:
    """Write logs, spans and metrics to a file as JSON lines; without one the worker's own configuration stands."""
    if not telemetry_file or _configured.is_set():
        return
    _configured.set()
    handler = logging.FileHandler(telemetry_file, encoding="utf-8")
    handler.setFormatter(JsonLines())
    for name in ("functions", "shared"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    _collect(telemetry_file)


def _collect(telemetry_file: str) -> None:
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    out = Path(telemetry_file).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open as long as the app runs
    spans = TracerProvider()
    spans.add_span_processor(
        SimpleSpanProcessor(ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None) + "\n"))
    )
    trace.set_tracer_provider(spans)
    exporter = ConsoleMetricExporter(out=out, formatter=lambda data: data.to_json(indent=None) + "\n")
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(exporter, 30_000)]))
