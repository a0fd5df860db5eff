"""Rows that are named to people: up to ten per rule or kind, and how many there are (architecture 4)."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shared.errors import ROWS_NAMED

_INSTANTS = ("from_date", "to_date", "charge_time", "time", "first")


def findings(rows: DataFrame) -> DataFrame:
    """Of rows (rule, row, count) the first ten of each rule by their text, with the sum of the counts.

    Returns:
        rule, row, total bigint.
    """
    rule = Window.partitionBy("rule")
    numbered = rows.withColumns(
        {"place": F.row_number().over(rule.orderBy("row")), "total": F.sum("count").over(rule).cast("bigint")}
    )
    return numbered.filter(F.col("place") <= ROWS_NAMED).select("rule", "row", "total")


def finding(rule: Column, *texts: Column) -> list[Column]:
    """The columns of one found row: rule, row (the texts side by side), count."""
    return [rule.alias("rule"), F.concat_ws(" ", *texts).alias("row"), F.lit(1).cast("bigint").alias("count")]


def charge_named() -> Column:
    """`tariff 40000 of 5790000432752`."""
    named = [F.coalesce(F.col(column), F.lit("null")) for column in ("charge_type", "charge_code", "charge_owner_id")]
    return F.concat_ws(" ", named[0], named[1], F.lit("of"), named[2])


def text_of(column: str) -> Column:
    """`column=value`, instants as 2023-01-31T23:00:00Z."""
    value = F.col(column)
    text = F.date_format(value, "yyyy-MM-dd'T'HH:mm:ss'Z'") if column in _INSTANTS else value.cast("string")
    return F.concat(F.lit(f"{column}="), F.coalesce(text, F.lit("null")))
