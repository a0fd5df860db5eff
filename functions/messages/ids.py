"""Message and series ids: the same job gives the same ids, and no two documents share one (messages 3)."""

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from functions.messages.actors import Party

_NAMESPACE = uuid.UUID("7c0e7f1c-3a0f-5b3e-9d55-1b6c9b1f3d2a")


class Ids(NamedTuple):
    """The two ids of a document, 32 hex digits each."""

    message: str
    series: str


def document_ids(
    *,
    job_id: str,
    row: str,
    key: Mapping[str, Any],
    original: Party,
    effective: Party,
    period_start: str,
    transaction_id: str | None = None,
) -> Ids:
    """UUIDv5 over everything that makes a document another one than any other.

    Args:
        job_id: the job, or the request that is answered.
        row: name of the row of the receiver table.
        key: the series' key values by column.
        original: receiver and role by the table.
        effective: receiver and role after delegation.
        period_start: start of the document's period; the messages of one series differ in it.
        transaction_id: the asked transaction, for answers.
    """
    parties = (original.actor_id, original.role, effective.actor_id, effective.role)
    parts: list[str | None] = [job_id, row, *parties, period_start, transaction_id]
    parts += [part for column in sorted(key) for part in (column, _text(key[column]))]
    encoded = "".join(map(_encode, parts))
    return Ids(uuid.uuid5(_NAMESPACE, encoded).hex, uuid.uuid5(_NAMESPACE, _encode("series") + encoded).hex)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _encode(part: str | None) -> str:
    # The length in front keeps two lists of parts apart whatever letters they hold; null is not the empty string.
    return "-" if part is None else f"{len(part)}:{part}"
