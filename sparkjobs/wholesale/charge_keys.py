"""What a charge and a row of its amounts are known by (inputs: code, owner and type; wholesale 5)."""

from collections.abc import Callable
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# Calculates a frame once, under a name, in the job's work folder, and gives back what reads it.
Materialise = Callable[[str, DataFrame], DataFrame]

CHARGE = ("charge_code", "charge_type", "charge_owner_id")
GROUP = ("grid_area_code", "energy_supplier_id", "metering_point_type", "settlement_method")


def numbered(rows: DataFrame, columns: tuple[str, ...], number: str) -> DataFrame:
    """Each distinct combination of the columns once, with a number from 1 in their order."""
    place = F.expr(f"row_number() over (order by {', '.join(columns)})")
    return rows.select(*columns).distinct().select(*columns, place.alias(number))


def with_number(rows: DataFrame, numbers: DataFrame, columns: tuple[str, ...]) -> DataFrame:
    """The rows with the columns of `numbered` beside their own; null matches null."""
    renamed = numbers.select("*", *[F.col(name).alias(f"_{name}") for name in columns]).drop(*columns)
    equal = [F.col(name).eqNullSafe(F.col(f"_{name}")) for name in columns]
    joined = rows.join(F.broadcast(renamed), on=reduce(Column.__and__, equal), how="inner")  # one row per combination
    return joined.drop(*[f"_{name}" for name in columns])
