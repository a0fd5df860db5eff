"""The index over sent messages as a Delta table, `archive/messages`, partitioned by month of sending.

Found by id through Bloom filters, by the others through the statistics of the files; messages of a job lie together.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from functions.adapters.delta import DeltaLake, Snapshot, as_rows, columns_of, errors, literal
from functions.ports import Row
from shared.danish_time import format_instant
from shared.lake_layout import ARCHIVE

PATH = f"{ARCHIVE}/messages"
COLUMNS = {
    **dict.fromkeys(("message_id", "job_id", "batch", "recipient", "recipient_role", "document_type"), "utf8"),
    **dict.fromkeys(("process_type", "grid_area", "row", "original_recipient", "original_role"), "utf8"),
    **dict.fromkeys(("period_start", "period_end", "created", "sent_at", "content_sha256", "month"), "utf8"),
    **dict.fromkeys(("number", "content_length"), "int64"),
}
SMALL_FILES = 32
TIDIED_EVERY = timedelta(hours=6)
_RANGES = {
    "sent_from": "sent_at >=",
    "sent_to": "sent_at <",
    "period_from": "period_end >",
    "period_to": "period_start <",
}


class DeltaMessageIndex:
    """Implements ports.MessageIndex below the root of the lake's tables."""

    def __init__(self, root: str, client_id: str = "") -> None:
        self._lake = DeltaLake(root, client_id)
        self._tidied: float | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows, sorted by job and batch; a commit that lost to another one is repeated by delta-rs."""
        from deltalake import BloomFilterProperties, ColumnProperties, WriterProperties, write_deltalake

        ordered = sorted(rows, key=lambda row: (row["job_id"], row["batch"], row["number"]))
        bloom = ColumnProperties(bloom_filter_properties=BloomFilterProperties(set_bloom_filter_enabled=True))
        with errors():
            write_deltalake(
                self._lake.address(PATH),
                columns_of([{**row, "month": row["sent_at"][:7]} for row in ordered], COLUMNS),
                mode="append",
                partition_by=["month"],
                storage_options=self._lake.storage_options(),
                writer_properties=WriterProperties(compression="ZSTD", column_properties={"message_id": bloom}),
            )

    def find(self, message_id: str) -> Row | None:
        """The row of a message."""
        return next(iter(self._rows(f"message_id = {literal(message_id)}", 1)), None)

    def search(self, wanted: Mapping[str, str], *, after: tuple[str, str, int] | None, limit: int) -> Sequence[Row]:
        """Rows by their fields, sorted by (job_id, batch, number)."""
        conditions = [
            f"{_RANGES[name]} {literal(value)}" if name in _RANGES else f"{_column(name)} = {literal(value)}"
            for name, value in wanted.items()
        ]
        if after is not None:
            job, batch, number = literal(after[0]), literal(after[1]), int(after[2])
            conditions.append(
                f"(job_id > {job} OR job_id = {job} AND (batch > {batch} OR batch = {batch} AND number > {number}))"
            )
        return self._rows(" AND ".join(conditions) or "true", limit)

    def _rows(self, where: str, limit: int) -> list[Row]:
        opened = self._lake.open(PATH)
        if opened is None:
            return []
        columns = ", ".join(name for name in COLUMNS if name not in ("sent_at", "month"))
        # The same message may be indexed twice; it was sent when it was first accepted.
        rows = self._lake.query(
            opened,
            "SELECT",
            columns,
            ", min(sent_at) AS sent_at FROM t WHERE",
            where,
            "GROUP BY",
            columns,
            "ORDER BY job_id, batch, number LIMIT",
            str(limit),
        )
        return list(as_rows(rows))

    def tidy(self, keep_from: datetime | None) -> None:
        """A few times a day: drop old rows, join small files, remove files that no version needs any more."""
        now = time.monotonic()
        if self._tidied is not None and now - self._tidied < TIDIED_EVERY.total_seconds():
            return
        self._tidied = now
        opened = self._lake.open(PATH)
        if opened is not None:
            with errors():
                self._tidy(opened, keep_from)

    def _tidy(self, opened: Snapshot, keep_from: datetime | None) -> None:
        if keep_from is not None:
            opened.table.delete(f"sent_at < {literal(format_instant(keep_from))}")
        if len(opened.table.file_uris()) > SMALL_FILES:
            opened.table.optimize.compact()
        opened.table.vacuum(dry_run=False)
        opened.table.create_checkpoint()


def _column(name: str) -> str:
    if name not in COLUMNS:
        raise ValueError(f"'{name}' is no field of the message index: {', '.join(COLUMNS)}")
    return name
