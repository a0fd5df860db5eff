"""Child metering points get the energy supplier of their parent (wholesale 1)."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import MeteringPointType

_PARENTS = (MeteringPointType.CONSUMPTION.value, MeteringPointType.PRODUCTION.value)
_NO_CHILDREN = (*_PARENTS, MeteringPointType.EXCHANGE.value)
_OF_PARENT = ("parent_id", "parent_area", "parent_supplier", "parent_from", "parent_to")


def with_supplier_of_parent(metering_points: DataFrame) -> DataFrame:
    """Parents and exchange as they are; of the children one row per overlap with a period of their parent.

    A parent is consumption or production, in the child's own grid area, with the id that the child names. The row's
    period is the overlap and its supplier the parent's (null stays null); everything else is the child's own. What no
    parent covers drops out: see `orphaned_children`.

    Args:
        metering_points: periods with metering_point_id, type (result name), grid_area_code, energy_supplier_id,
            parent_metering_point_id (same type as metering_point_id, null for parents), from_date, to_date.
    """
    supplied = (
        _children(metering_points)
        .join(_parents(metering_points), on=_is_parent_at_that_time(), how="inner")
        .withColumns(
            {
                "energy_supplier_id": F.col("parent_supplier"),
                "from_date": F.greatest("from_date", "parent_from"),
                "to_date": F.least("to_date", "parent_to"),
            }
        )
        .drop(*_OF_PARENT)
    )
    return metering_points.filter(F.col("type").isin(*_NO_CHILDREN)).unionByName(supplied)


def orphaned_children(metering_points: DataFrame) -> DataFrame:
    """Child periods that no parent overlaps: they drop out of the settlement and are counted in the manifest."""
    return _children(metering_points).join(_parents(metering_points), on=_is_parent_at_that_time(), how="left_anti")


def _children(metering_points: DataFrame) -> DataFrame:
    return metering_points.filter(~F.col("type").isin(*_NO_CHILDREN))


def _parents(metering_points: DataFrame) -> DataFrame:
    return metering_points.filter(F.col("type").isin(*_PARENTS)).select(
        F.col("metering_point_id").alias("parent_id"),
        F.col("grid_area_code").alias("parent_area"),
        F.col("energy_supplier_id").alias("parent_supplier"),
        F.col("from_date").alias("parent_from"),
        F.col("to_date").alias("parent_to"),
    )


def _is_parent_at_that_time() -> Column:
    is_parent = F.col("parent_metering_point_id") == F.col("parent_id")
    same_area = F.col("grid_area_code") == F.col("parent_area")
    overlaps = (F.col("from_date") < F.col("parent_to")) & (F.col("parent_from") < F.col("to_date"))
    return is_parent & same_area & overlaps
