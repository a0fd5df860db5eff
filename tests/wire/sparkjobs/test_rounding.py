"""The written-out rounding against the formula of energy 6, on Sail."""

import pytest
from pyspark.sql import functions as F

from sparkjobs.balance.rounding import rounded_milli_kwh
from sparkjobs.storage.engine import SAIL, Engine
from tests.support.spark import engine_named

NUMBERS = [*range(-40, 41), 10**17 + 1, -(10**17) - 3]


@pytest.fixture
def sail() -> Engine:
    return engine_named(SAIL)


def by_formula(n: int, quarter: int) -> int:
    def rounded(value: int) -> int:
        size = (abs(value) + 2) // 4
        return -size if value < 0 else size

    r = n
    for _ in range(quarter):
        r = n - 4 * rounded(r) + r
    return rounded(r)


def test_an_hour_is_split_in_quarters_that_sum_to_the_hour(sail: Engine) -> None:
    numbers = sail.spark.createDataFrame([(n,) for n in NUMBERS], "n bigint")
    quarters = [rounded_milli_kwh(F.col("n"), F.lit(quarter)).alias(f"q{quarter}") for quarter in range(4)]
    for row in numbers.select("n", *quarters).collect():
        assert [row[f"q{quarter}"] for quarter in range(4)] == [by_formula(row.n, quarter) for quarter in range(4)]
        assert sum(row[f"q{quarter}"] for quarter in range(4)) == row.n
