"""Work tables of a run: what several steps share is made once, in the job's own folder, and removed at its end.

Neither engine shares work between two writes, and a cache is not part of Spark Connect (architecture 3). Sail makes
Delta tables (it writes no empty Parquet that could be read back), Spark plain Parquet, which needs no log. What comes
of a handful of points goes through no file at all: the client holds it.
"""

from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from sparkjobs.storage.delta import append, ensure_table, table_folder
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.files import LakeFiles

# As many bytes of points are some 100 000 rows: their sums fit in a message between client and engine.
FEW_BYTES = 256 * 1024


@dataclass(frozen=True)
class WorkTables:
    """The work tables under one folder of the lake. `input_bytes`: how large the points are, None where unknown."""

    engine: Engine
    lake: str
    folder: str
    files: LakeFiles
    input_bytes: int | None = None

    def materialise(self, name: str, frame: DataFrame) -> DataFrame:
        """Calculate a frame once and give back what reads it."""
        if self.input_bytes is not None and self.input_bytes <= FEW_BYTES:
            held = frame.toArrow()
            if not held.num_rows:
                return self.engine.spark.createDataFrame([], _nullable(frame))
            may_be_null = pa.schema([field.with_nullable(True) for field in held.schema])
            return self.engine.spark.createDataFrame(held.cast(may_be_null))
        path = table_folder(self.lake, f"{self.folder}/{name}")
        if not self.engine.is_sail:
            frame.write.parquet(path)
            return self.engine.spark.read.schema(_nullable(frame)).parquet(path)
        ensure_table(self.engine, path, _nullable(frame))
        append(path, frame)
        return self.engine.spark.read.format("delta").load(path)

    def remove(self) -> None:
        """Remove the folder; a run that dies leaves it to the sweep."""
        self.files.remove_folder(self.folder)


def _nullable(frame: DataFrame) -> T.StructType:
    return T.StructType([T.StructField(field.name, field.dataType, True) for field in frame.schema.fields])
