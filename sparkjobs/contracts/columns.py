"""How a column of a contract is written down: name, type, meaning, and whether it may be null."""

from pyspark.sql import types as T

QUANTITY = T.DecimalType(18, 3)


def column(name: str, kind: T.DataType, comment: str, null: bool = False) -> T.StructField:
    """A commented column."""
    return T.StructField(name, kind, null, {"comment": comment})
