"""KickStartJob's parameters → a request to start a job, with every wrong field named at once (coordinator 3)."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.coordinator.start_job import StartRequest
from functions.web.http import Request, wrong
from functions.web.parameters import instant, read_json, read_query
from shared.codes import ProcessType, ProcessVariant
from shared.errors import InvalidArguments
from shared.job_arguments import GRID_AREA, JobArguments, check_arguments
from shared.settings import Settings

FIELDS = ("beginTime", "endTime", "processType", "processVariant", "gridAreas", "simulation", "scheduledAt")
REQUIRED = ("beginTime", "endTime", "processType")
FIELD_OF_ARGUMENT = {
    "period_start": "beginTime",
    "period_end": "endTime",
    "process_type": "processType",
    "process_variant": "processVariant",
    "grid_areas": "gridAreas",
}
NO_JOB = "00000000-0000-0000-0000-000000000000"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
_STEP = timedelta(hours=1)


def start_request(request: Request, caller: str, settings: Settings) -> StartRequest:
    """What the caller asks for. Raises Problem 400, 413, 415."""
    from_query = request.method == "GET"
    if from_query:
        raw, errors = read_query(request, FIELDS)
    else:
        raw, errors = read_json(request, FIELDS)
        errors |= read_query(request, ())[1]
    parsed = _parse(raw, errors, from_query)
    key = request.headers.get("idempotency-key")
    if key is not None and not KEY.fullmatch(key):
        errors["Idempotency-Key"] = "is not 1 to 255 visible ASCII characters"
    arguments = _arguments(parsed, errors, settings)
    errors = _broken_rules(arguments, parsed, errors) | errors
    if errors:
        raise wrong(errors)
    body_hash = hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
    return StartRequest(
        arguments=arguments, caller=caller, body_hash=body_hash, scheduled_at=parsed.get("scheduledAt"), key=key
    )


def _parse(raw: Mapping[str, Any], errors: dict[str, str], from_query: bool) -> dict[str, Any]:
    """Each field that can be read; the others go into `errors`."""
    readers: dict[str, Callable[[Any], Any]] = {
        "beginTime": lambda value: instant(value, from_query),
        "endTime": lambda value: instant(value, from_query),
        "scheduledAt": lambda value: instant(value, from_query),
        "processType": lambda value: _code(value, ProcessType),
        "processVariant": lambda value: _code(value, ProcessVariant),
        "gridAreas": _areas,
        "simulation": lambda value: _flag(value, from_query),
    }
    parsed = {}
    for name, value in raw.items():
        try:
            parsed[name] = readers[name](value)
        except ValueError as error:
            errors.setdefault(name, str(error))
    for name in REQUIRED:
        if name not in raw:
            errors[name] = "is missing"
    return parsed


def _code(value: Any, codes: type[ProcessType] | type[ProcessVariant]) -> ProcessType | ProcessVariant:
    if isinstance(value, str) and value in codes:
        return codes(value)
    raise ValueError(f"is none of {', '.join(codes)}")


def _areas(value: Any) -> tuple[str, ...]:
    areas = value.split(",") if isinstance(value, str) else value
    if not isinstance(areas, list) or not areas:
        raise ValueError("is no list of grid areas; left out, all are settled")
    if not all(isinstance(area, str) and GRID_AREA.fullmatch(area) for area in areas):
        raise ValueError("holds something else than grid areas: three digits each, such as 003")
    return tuple(areas)


def _flag(value: Any, from_query: bool) -> bool:
    if from_query and value.lower() in ("true", "false"):
        return bool(value.lower() == "true")
    if isinstance(value, bool):
        return value
    raise ValueError("is neither true nor false")


def _arguments(parsed: Mapping[str, Any], errors: Mapping[str, str], settings: Settings) -> JobArguments:
    """The arguments; what could not be read is replaced by what breaks no rule of its own."""
    process_type = parsed.get("processType", ProcessType.AGGREGATION)
    some_day = datetime(2023, 6, 1, 22, tzinfo=UTC)
    start = parsed.get("beginTime", parsed.get("endTime", some_day) - _STEP)
    end = parsed.get("endTime", start + _STEP)
    default_variant = ProcessVariant.FIRST_CORRECTION if process_type is ProcessType.CORRECTION else None
    return JobArguments(
        job_id=NO_JOB,
        process_type=process_type,
        process_variant=parsed.get("processVariant", None if "processType" in parsed else default_variant),
        period_start=start,
        period_end=end,
        grid_areas=parsed.get("gridAreas", ()),
        simulation=parsed.get("simulation", "simulation" in errors),
        quarterly_transition=settings.quarterly_transition,
        time_zone=settings["TIME_ZONE"],
    )


def _broken_rules(arguments: JobArguments, parsed: Mapping[str, Any], errors: Mapping[str, str]) -> dict[str, str]:
    """What the rules of the arguments say about the fields that could be read."""
    try:
        check_arguments(arguments, FIELD_OF_ARGUMENT)
    except InvalidArguments as broken:
        fields = dict(broken.fields)
    else:
        return {}
    if "processType" not in parsed or "processVariant" in errors:
        fields.pop("processVariant", None)
    # Where one end of the period could not be read, an hour stands for it: only the other end's own rule counts then.
    return {name: message for name, message in fields.items() if name == "processVariant" or name in parsed}
