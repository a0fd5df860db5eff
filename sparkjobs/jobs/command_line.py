"""The command line of the settlement job (coordinator 5): read, checked, or refused in one line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.codes import ProcessType, ProcessVariant
from shared.danish_time import parse_instant
from shared.errors import InvalidArguments
from shared.job_arguments import JobArguments, check_arguments

FLAGS = ("simulation", "skip-unique-check")
REQUIRED = ("lake", "job-id", "process-type", "period-start", "period-end")


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to settle, and where. `input_versions`: path or name of the manifest whose versions are read."""

    lake: str
    arguments: JobArguments
    input_schema: str | None = None
    input_versions: str | None = None
    skip_unique_check: bool = False


def parse_command(argv: Sequence[str]) -> Command:
    """Read the arguments: `--name=value` or `--name value`; an empty value is as if it were left out.

    Raises:
        InvalidArguments: names every argument that is unknown, missing or wrong.
    """
    given, problems = _named_values(argv)
    problems |= {f"--{name}": "is missing" for name in REQUIRED if name not in given}
    values: dict[str, Any] = {}
    for name, text in given.items():
        try:
            values[name.replace("-", "_")] = _READERS[name](text)
        except ValueError as error:
            problems[f"--{name}"] = str(error)
    if problems:
        raise InvalidArguments(problems)
    own = {field.name for field in fields(Command)} - {"arguments"}
    arguments = JobArguments(**{name: value for name, value in values.items() if name not in own})
    check_arguments(arguments, {field.name: f"--{field.name.replace('_', '-')}" for field in fields(JobArguments)})
    return Command(arguments=arguments, **{name: value for name, value in values.items() if name in own})


def _named_values(argv: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    given: dict[str, str] = {}
    problems: dict[str, str] = {}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in _READERS:
            problems[word.partition("=")[0]] = "is unknown"
            continue
        if not has_value:
            follows = bool(rest) and not rest[0].startswith("--")
            if not follows and name not in FLAGS:
                problems[word] = "has no value"
                continue
            value = rest.pop(0) if follows else "true"
        if name in given:
            problems[f"--{name}"] = "is given twice"
        if value:
            given[name] = value
    return given, problems


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"'{text}' is not a number from 1")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"'{text}' is neither true nor false")
    return text.lower() == "true"


def _areas(text: str) -> tuple[str, ...]:
    return tuple(sorted({area.strip() for area in text.split(",")}))


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{text}' is no time zone, such as Europe/Copenhagen") from error
    return text


def _process_type(text: str) -> ProcessType:
    if text not in list(ProcessType):
        raise ValueError(f"'{text}' is none of {', '.join(ProcessType)}")
    return ProcessType(text)


def _process_variant(text: str) -> ProcessVariant:
    if text not in list(ProcessVariant):
        raise ValueError(f"'{text}' is none of {', '.join(ProcessVariant)}")
    return ProcessVariant(text)


def _instant(text: str) -> datetime:
    return parse_instant(text)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "lake": str,
    "job-id": str,
    "attempt": _number,
    "process-type": _process_type,
    "process-variant": _process_variant,
    "period-start": _instant,
    "period-end": _instant,
    "grid-areas": _areas,
    "simulation": _flag,
    "quarterly-transition": _instant,
    "time-zone": _zone,
    "input-schema": str,
    "input-versions": str,
    "skip-unique-check": _flag,
}
