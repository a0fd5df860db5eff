"""Metering points with the same set of tariff links are one group, so prices join sums, not points (architecture 3.5).

period of a metering point   |----------------------------|
link of tariff A             |------------------|
link of tariff B                    |---------------------|
cuts and their sets          |  {A} |  {A, B}   |   {B}   |
"""

import json

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import ChargeType, MeteringPointType
from sparkjobs.wholesale.charge_keys import Charge


def with_tariff_sets(periods: DataFrame, links: DataFrame) -> DataFrame:
    """Cut metering point periods where their tariff links begin or end, and name the set of tariffs of each cut.

    Exchange metering points are not cut and carry no charge. Which prices a tariff has plays no part here.

    Args:
        periods: clamped, with metering_point_id bigint, type (result name), from_date, to_date; other columns go along.
        links: kept and clamped charge links (`reading.Charges.links`) of every charge type.

    Returns:
        The cuts: the periods' columns and tariff_set_id, which tells the tariffs (`tariffs_of_set`), null where none is
        linked.
    """
    linked = periods.join(_tariff_links(links), on="metering_point_id", how="left").withColumn(
        "tariff_links", F.when(F.col("type") != MeteringPointType.EXCHANGE.value, F.col("tariff_links"))
    )
    cuts = linked.withColumn("borders", _borders()).withColumn("cut_from", F.explode("borders"))
    later_borders = F.filter("borders", lambda border: border > F.col("cut_from"))
    tariffs = F.array_sort(F.transform(F.filter("tariff_links", _counts_at_cut), _tariff))
    return cuts.withColumns(
        {
            "to_date": F.coalesce(F.array_min(later_borders), F.col("to_date")),
            "from_date": F.col("cut_from"),
            "tariff_set_id": F.when(F.size(tariffs) > 0, F.to_json(tariffs)),
        }
    ).drop("tariff_links", "borders", "cut_from")


def tariffs_of_set(tariff_set_id: str) -> list[Charge]:
    """The tariffs that a set consists of.

    >>> tariffs_of_set('[{"charge_code":"40000","charge_owner_id":"5790000432752"}]')
    [Charge(charge_code='40000', charge_type='tariff', charge_owner_id='5790000432752')]
    """
    tariff = ChargeType.TARIFF.value
    return [Charge(each["charge_code"], tariff, each["charge_owner_id"]) for each in json.loads(tariff_set_id)]


def _tariff_links(links: DataFrame) -> DataFrame:
    """One row per metering point, so that a join with periods makes no further row."""
    link = F.struct("charge_code", "charge_owner_id", "from_date", "to_date")
    tariffs = links.filter(F.col("charge_type") == ChargeType.TARIFF.value)
    return tariffs.groupBy("metering_point_id").agg(F.collect_list(link).alias("tariff_links"))


def _borders() -> Column:
    """The period's own begin, and every begin and end of a link inside the period."""
    begins_and_ends = F.concat(
        F.transform("tariff_links", lambda link: link["from_date"]),
        F.transform("tariff_links", lambda link: link["to_date"]),
    )
    inside = F.filter(begins_and_ends, lambda border: (border > F.col("from_date")) & (border < F.col("to_date")))
    own = F.array("from_date")
    return F.coalesce(F.array_distinct(F.concat(own, inside)), own)


def _counts_at_cut(link: Column) -> Column:
    return (link["from_date"] <= F.col("cut_from")) & (F.col("cut_from") < link["to_date"])


def _tariff(link: Column) -> Column:
    return F.struct(link["charge_code"].alias("charge_code"), link["charge_owner_id"].alias("charge_owner_id"))
