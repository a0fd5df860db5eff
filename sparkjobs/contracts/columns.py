"""How a column of a contract is written down: name, type, meaning, and whether it may be null."""

from collections.abc import Mapping

from pyspark.sql import types as T

QUANTITY = T.DecimalType(18, 3)


def column(name: str, kind: T.DataType, comment: str, null: bool = False) -> T.StructField:
    """A commented column."""
    return T.StructField(name, kind, null, {"comment": comment})


_TYPES: Mapping[str, T.DataType] = {
    "int": T.IntegerType(),
    "bigint": T.LongType(),
    "string": T.StringType(),
    "boolean": T.BooleanType(),
    "array<string>": T.ArrayType(T.StringType()),
}


def columns(text: str) -> T.StructType:
    """The schema of a small frame, `name type, …`: read here, since an engine would be asked for it each time."""
    fields = [field.split() for field in text.split(",")]
    return T.StructType([T.StructField(name, _TYPES[kind]) for name, kind in fields])
