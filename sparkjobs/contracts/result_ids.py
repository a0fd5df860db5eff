"""Result ids: one UUIDv5 per series, the same whenever and wherever the job is run again (energy 11)."""

import uuid
from collections.abc import Iterable

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "aggregations/results")


def result_id(job_id: str, table: str, key: Iterable[object]) -> str:
    """The id of a series: UUIDv5 over job, table and key values.

    Each value is written with its length before it (`3:800`) and null as `-`, so that no two keys collide:
    `36:<job_id>6:energy3:80010:production5:PT15M`. Booleans are `true` and `false`.
    """
    return str(uuid.uuid5(NAMESPACE, "".join(_written(value) for value in (job_id, table, *key))))


def _written(value: object) -> str:
    if value is None:
        return "-"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{len(text)}:{text}"
