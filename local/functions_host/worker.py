"""The function app inside Microsoft's worker library: index it, list its functions, invoke one (platform 8)."""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from local.functions_host import protos
from local.functions_host.protos import ParameterBinding, TypedData


class IndexingFailed(Exception):
    """The worker refused the app: an import error, a wrong annotation, two functions of one name."""


@dataclass(frozen=True)
class Function:
    """One function of the app as the worker reports it: its trigger and its other bindings, as in function.json."""

    name: str
    function_id: str
    trigger: Mapping[str, Any]
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How one invocation ended; `error` is the exception's text and trace, None when it succeeded."""

    value: Any = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    trace: str = ""


async def load_app(folder: Path) -> list[Function]:
    """Import and index `function_app.py` of a folder in this process, once.

    The folder takes the place of this package's own on the import path: the app sees what it would see in Azure.

    Raises:
        IndexingFailed: with the worker's reason.
    """
    os.chdir(folder)
    own = Path(__file__).parents[2]
    sys.path[:] = [str(folder), *(path for path in sys.path if Path(path).resolve() != own)]
    runtime.start_threadpool_executor()
    request = SimpleNamespace(capabilities={}, function_app_directory=str(folder))
    answer = await runtime.worker_init_request(_request("worker_init_request", request))
    if answer.result.status == protos.StatusResult.Failure:
        raise IndexingFailed(f"{answer.result.exception.message}\n{answer.result.exception.stack_trace}")
    metadata = await runtime.functions_metadata_request(_request("functions_metadata_request", SimpleNamespace()))
    if metadata.function_metadata_results is None:
        raise IndexingFailed(f"there is no function_app.py in {folder}")
    functions = [_function(found) for found in metadata.function_metadata_results]
    for function in functions:
        load = SimpleNamespace(function_id=function.function_id)
        await runtime.function_load_request(_request("function_load_request", load))
    return functions


def close() -> None:
    """End the worker's threads; waits for the functions that run in them."""
    runtime.stop_threadpool_executor()


async def invoke(
    function: Function,
    data: TypedData,
    metadata: Mapping[str, TypedData] | None = None,
    trace_parent: str | None = None,
) -> Outcome:
    """Run a function in the worker: a sync one in its thread pool, an async one on this loop."""
    request = SimpleNamespace(
        invocation_id=str(uuid.uuid4()),
        function_id=function.function_id,
        input_data=[ParameterBinding(name=function.trigger["name"], data=data)],
        trigger_metadata=dict(metadata or {}),
        trace_context=SimpleNamespace(trace_parent=trace_parent or new_trace_parent(), trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    answer = await asyncio.shield(runtime.invocation_request(_request("invocation_request", request)))
    if answer.result.status == protos.StatusResult.Failure:
        return Outcome(error=answer.result.exception.message, trace=answer.result.exception.stack_trace)
    return Outcome(answer.return_value, {output.name: output.data for output in answer.output_data})


def new_trace_parent() -> str:
    """A W3C trace context of its own, for what no caller traces."""
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"


def _request(kind: str, content: Any) -> SimpleNamespace:
    properties = {"host": "127.0.0.1", "protos": protos}
    return SimpleNamespace(request=SimpleNamespace(**{kind: content}), properties=properties)


def _function(found: Any) -> Function:
    bindings = [json.loads(text) for text in found.raw_bindings]
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    if len(triggers) != 1:
        raise IndexingFailed(f"{found.name}: a function has one trigger, this one has {len(triggers)}")
    outputs = {
        binding["name"]: binding for binding in bindings if str(binding.get("direction")).upper() in ("1", "OUT")
    }
    return Function(found.name, found.function_id, triggers[0], outputs)
