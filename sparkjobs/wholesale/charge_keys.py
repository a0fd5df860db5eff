"""What a charge and a row of its amounts are known by (inputs: code, owner and type; wholesale 5)."""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shared.codes import ChargeType

# Calculates a frame once, under a name, in the job's work folder, and gives back what reads it.
Materialise = Callable[[str, DataFrame], DataFrame]

CHARGE = ("charge_code", "charge_type", "charge_owner_id")
GROUP = ("grid_area_code", "energy_supplier_id", "metering_point_type", "settlement_method")


class Charge(NamedTuple):
    """What a charge is identified by; the fields are CHARGE."""

    charge_code: str
    charge_type: str
    charge_owner_id: str

    @property
    def is_tariff(self) -> bool:
        """Whether it is paid for energy; subscriptions and fees are paid for by the piece."""
        return self.charge_type == ChargeType.TARIFF

    def __str__(self) -> str:
        """`tariff 40000 of 5790000432752`."""
        return f"{self.charge_type} {self.charge_code} of {self.charge_owner_id}"


class Supply(NamedTuple):
    """Who supplies what kind of metering point where; the fields are GROUP."""

    grid_area_code: str
    energy_supplier_id: str | None
    metering_point_type: str
    settlement_method: str | None


def small(spark: SparkSession, rows: Iterable[tuple[object, ...]], schema: T.StructType) -> DataFrame:
    """A frame of what the client knows: as many rows as there are charges or series, never as metering points."""
    return spark.createDataFrame(list(rows), schema)


def beside(few: DataFrame, rows: DataFrame, columns: tuple[str, ...], how: str = "inner") -> DataFrame:
    """Join a small frame, one row per combination of the columns, to many rows; null matches null.

    The small frame stands on the left and is broadcast: Spark heeds the hint, and Sail, which takes the left side for
    the one to be held unless it knows better, the place.
    """
    renamed = few.select("*", *[F.col(name).alias(f"_{name}") for name in columns]).drop(*columns)
    equal = [F.col(name).eqNullSafe(F.col(f"_{name}")) for name in columns]
    joined = F.broadcast(renamed).join(rows, on=reduce(Column.__and__, equal), how=how)
    return joined.drop(*[f"_{name}" for name in columns])
