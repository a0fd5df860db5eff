"""How old a file of the lake is, by the lake's own clock where it matters: a host's clock may be wrong by minutes."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from functions.ports import AlreadyExists, Clock, Lake
from shared import lake_layout


def older_than(limit: timedelta, modified: datetime, *, lake: Lake, clock: Clock) -> bool:
    """Whether a file has this age. The lake is asked only where the host's clock does not call the file young.

    A file that is called young and is old is looked at again later.
    """
    if timedelta() <= clock.now() - modified < limit:
        return False
    return lake_now(lake) - modified >= limit


def lake_now(lake: Lake) -> datetime:
    """The lake's time, as it marks a file that was just written; the beginning of time where the file is gone."""
    path = f"{lake_layout.WRITING}/{uuid.uuid4()}"
    with suppress(AlreadyExists):  # a lost reply: no other one has the name
        lake.create(path, b"")
    written = next((file.modified for file in lake.list(lake_layout.WRITING) if file.path == path), None)
    lake.delete(path)
    return written or datetime.min.replace(tzinfo=UTC)
