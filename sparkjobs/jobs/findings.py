"""From rows that break a rule to the job's error."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from shared.errors import ROWS_NAMED, DataError


def raise_first(broken: DataFrame) -> None:
    """Turn rows (rule, row) into one error: the first rule with ten of its rows; the message names the other rules.

    Raises:
        DataError: there is such a row.
    """
    if not broken.limit(1).collect():  # the usual case, without the windows of the other
        return
    of_rule = Window.partitionBy("rule")
    numbered = broken.withColumns(
        {"place": F.row_number().over(of_rule.orderBy("row")), "total": F.count(F.lit(1)).over(of_rule)}
    )
    found = numbered.filter(F.col("place") <= ROWS_NAMED).orderBy("rule", "place").collect()
    messages = []
    for rule in dict.fromkeys(row.rule for row in found):
        rows = [row for row in found if row.rule == rule]
        messages.append(str(DataError("", rule, [row.row for row in rows], rows[0].total)))
    raise DataError("INPUT_RULE", "; ".join(messages))
