"""Result tables: made when missing, a job's own rows replaced, written once, sorted (energy 11, architecture 3.6)."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared import lake_layout
from sparkjobs.contracts.conform import conform
from sparkjobs.contracts.results import stored
from sparkjobs.storage.delta import append, delete, ensure_table, has_partition, table_folder
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.versions import newest_version, read_partition

PARTITIONS = ("job_id", "attempt")
# What readers look for: an area, a series, a stretch of time.
SEARCHED_BY = ("result_id", "grid_area_code", "time")


def ensure_result_table(engine: Engine, path: str, table: str) -> bool:
    """Make a result table at a path when there is none; True when this call made it."""
    return ensure_table(engine, path, stored(table), PARTITIONS, SEARCHED_BY)


@dataclass(frozen=True)
class ResultTables:
    """The result tables of one run."""

    engine: Engine
    lake: str
    job_id: str
    attempt: int

    def write(
        self,
        table: str,
        frame: DataFrame,
        order: tuple[str, ...],
        named: Callable[[DataFrame], DataFrame] = lambda frame: frame,
    ) -> int:
        """Replace this job's rows of this and lower attempts by the frame, sorted; gives the version written.

        Args:
            table: its name.
            frame: the contract's columns and result_id; further columns may serve the order.
            order: the columns to sort by, which must amount to area, result_id, time.
            named: makes the contract's columns of the frame's, a row of each row.
        """
        path = table_folder(self.lake, lake_layout.result_table(table))
        made = ensure_result_table(self.engine, path, table)
        if not made and has_partition(path, f"job_id={self.job_id}"):
            delete(self.engine, path, f"job_id = '{self.job_id}' AND attempt <= {self.attempt}")
        run = {"job_id": F.lit(self.job_id), "attempt": F.lit(self.attempt)}
        rows = self._sorted(frame, order, named)
        append(path, rows.withColumns(run).transform(conform, stored(table)))
        return newest_version(self.engine, path)

    def read(self, table: str) -> DataFrame:
        """This run's rows of a table."""
        path = table_folder(self.lake, lake_layout.result_table(table))
        return read_partition(self.engine, path, {"job_id": self.job_id, "attempt": self.attempt})

    def _sorted(self, frame: DataFrame, order: tuple[str, ...], named: Callable[[DataFrame], DataFrame]) -> DataFrame:
        """One range of files for an area: each engine has its own way there (platform 10).

        Spark moves and sorts the numbers and keeps their order when it puts names beside them: a fifth of the bytes.
        """
        if self.engine.is_sail:
            return named(frame).orderBy(*order)
        return named(frame.repartitionByRange(*order[:-1]).sortWithinPartitions(*order))
