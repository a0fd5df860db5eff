"""Sums beyond the range of a long are found, never wrapped, on both engines (architecture 3.2)."""

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from sparkjobs.balance.exact import OUT_OF_RANGE, exact_sum, long_sum
from sparkjobs.storage.engine import Engine

LARGEST = 2**63 - 1
VALUES = T.StructType([T.StructField("value", T.LongType())])


def sums(engine: Engine, values: list[int]) -> tuple[int, int | None]:
    frame = engine.spark.createDataFrame([(value,) for value in values], VALUES)
    row = frame.agg(exact_sum(F.col("value")).alias("exact"), long_sum(F.col("value")).alias("long")).collect()[0]
    return row.exact, row.long


@pytest.mark.parametrize(
    "values", [[0], [-1, -1, 5], [2**60, 2**60 - 2**32], [-(2**60), 1 - 2**60 + 2**32], [2**31, -(2**31), -7]]
)
def test_sums_within_the_range_are_exact(engine: Engine, values: list[int]) -> None:
    assert sums(engine, values) == (sum(values), sum(values))


@pytest.mark.parametrize("values", [[LARGEST, LARGEST], [LARGEST] * 4, [-LARGEST, -2], [2**62] * 4, [-(2**62)] * 3])
def test_sums_beyond_a_long_never_wrap(engine: Engine, values: list[int]) -> None:
    assert sums(engine, values) == (OUT_OF_RANGE, None)


def test_a_sum_with_a_part_out_of_range_is_out_of_range(engine: Engine) -> None:
    exact, _ = sums(engine, [OUT_OF_RANGE, 2**59])
    assert exact == OUT_OF_RANGE


def test_what_is_out_of_range_can_not_be_written(engine: Engine) -> None:
    frame = engine.spark.createDataFrame([(OUT_OF_RANGE,), (10**18,), (-(10**18),), (10**18 - 1,)], VALUES)
    written = [row[0] for row in frame.select(F.col("value").cast("decimal(18,0)")).collect()]
    assert written == [None, None, None, 10**18 - 1]
