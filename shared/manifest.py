"""The manifest: the notice that a run's results are complete, and the account of what they were made from.

It is created last, in place (spec: coordinator 5, architecture 4). An empty or cut short one is not there yet.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """What a run wrote into one result table; `series` is None where there are too many to list."""

    version: int
    rows: int
    series_count: int
    series: list[dict[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One finished run. Instants are text (`…Z`), versions are Delta versions."""

    job_id: str
    attempt: int
    arguments: Mapping[str, str]
    grid_areas: list[str]
    input_versions: Mapping[str, int]
    results: Mapping[str, ResultTable]
    checks: list[dict[str, Any]] = field(default_factory=list)
    data_quality: Mapping[str, Any] = field(default_factory=dict)
    engine: Mapping[str, str] = field(default_factory=dict)
    started: str = ""
    ended: str = ""

    def to_json(self) -> bytes:
        """The manifest as it lies in the lake; its last key marks it whole."""
        return json.dumps({"format": FORMAT, **asdict(self), "complete": True}, ensure_ascii=False).encode()


def read_manifest(content: bytes) -> Manifest | None:
    """Read a manifest; None when it is empty, cut short or not a manifest of this format: not there yet."""
    try:
        document = json.loads(content)
    except ValueError:
        return None
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("complete") is not True:
        return None
    fields: dict[str, Any] = {name: document.get(name) for name in Manifest.__dataclass_fields__}
    try:
        fields["results"] = {table: ResultTable(**result) for table, result in document["results"].items()}
        return Manifest(**fields) if all(value is not None for value in fields.values()) else None
    except (KeyError, TypeError, AttributeError):
        return None
