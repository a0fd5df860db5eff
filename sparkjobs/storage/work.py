"""Work tables of a run: what several steps share is made once, in the job's own folder, and removed at its end.

Neither engine shares work between two writes, and a cache is not part of Spark Connect (architecture 3).
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from sparkjobs.storage.delta import append, ensure_table, table_folder
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.files import LakeFiles


@dataclass(frozen=True)
class WorkTables:
    """The work tables under one folder of the lake."""

    engine: Engine
    lake: str
    folder: str
    files: LakeFiles

    def materialise(self, name: str, frame: DataFrame) -> DataFrame:
        """Calculate a frame once and give back what reads it."""
        path = table_folder(self.lake, f"{self.folder}/{name}")
        nullable = T.StructType([T.StructField(field.name, field.dataType, True) for field in frame.schema.fields])
        ensure_table(self.engine, path, nullable)
        append(path, frame)
        return self.engine.spark.read.format("delta").load(path)

    def remove(self) -> None:
        """Remove the folder; a run that dies leaves it to the sweep."""
        self.files.remove_folder(self.folder)
