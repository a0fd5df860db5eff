"""The errors of the charge tables (inputs.md): only kept rows are judged, after clamping."""

from collections import Counter, defaultdict

from tests.support.oracle.judging import judge_periods, refuse
from tests.support.oracle.model import Arguments, Row
from tests.support.oracle.reading import charge_of

CHARGE_TYPES = ("subscription", "fee", "tariff")
CHARGE_COLUMNS = ("charge_code", "charge_type", "charge_owner_id")


def _refuse_nulls(table: str, rows: list[Row], columns: tuple[str, ...]) -> None:
    for column in columns:
        refuse(f"{table}.{column} is null", (row for row in rows if row[column] is None))
    refuse(f"unknown charge type in {table}", (row for row in rows if row["charge_type"] not in CHARGE_TYPES))


def judge_links(rows: list[Row], arguments: Arguments) -> None:
    _refuse_nulls("charge_link_periods", rows, (*CHARGE_COLUMNS, "metering_point_id", "quantity", "from_date"))
    refuse("factor below 1", (row for row in rows if row["quantity"] < 1))
    judge_periods([row for row in rows if row["charge_type"] == "fee"], arguments, key=None)
    others = [row for row in rows if row["charge_type"] != "fee"]
    judge_periods(others, arguments, key=lambda row: (charge_of(row), row["metering_point_id"]))


def judge_charge_periods(rows: list[Row], arguments: Arguments) -> None:
    table = "charge_price_information_periods"
    _refuse_nulls(table, rows, (*CHARGE_COLUMNS, "resolution", "is_tax", "from_date"))
    tariffs = [row for row in rows if row["charge_type"] == "tariff"]
    refuse("unknown resolution of a charge", (row for row in rows if row["resolution"] not in ("PT1H", "P1D", "P1M")))
    refuse("a tariff is PT1H or P1D", (row for row in tariffs if row["resolution"] not in ("PT1H", "P1D")))
    refuse("tax that is no tariff", (row for row in rows if row["is_tax"] and row["charge_type"] != "tariff"))
    judge_periods(rows, arguments, key=charge_of)
    kinds = defaultdict(set)
    for row in rows:
        kinds[charge_of(row)].add((row["resolution"], row["is_tax"]))
    refuse("a charge changes resolution or tax", (row for row in rows if len(kinds[charge_of(row)]) > 1))


def judge_prices(rows: list[Row]) -> None:
    _refuse_nulls("charge_price_points", rows, (*CHARGE_COLUMNS, "charge_time"))
    refuse("a price is null", (row for row in rows if row["charge_price"] is None))
    times = Counter((charge_of(row), row["charge_time"]) for row in rows)
    refuse(
        "two prices of one charge at one time", (row for row in rows if times[charge_of(row), row["charge_time"]] > 1)
    )
