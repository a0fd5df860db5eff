"""Data errors of the charge tables: every row that the reading rules keep is judged, after clamping (inputs)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from shared.codes import ChargeType, Resolution
from shared.danish_time import is_local_midnight
from sparkjobs.wholesale.charge_keys import CHARGE, Charge
from sparkjobs.wholesale.findings import charge_named, text_of
from sparkjobs.wholesale.local_days import as_instant, instant, local_midnight, micros, written
from sparkjobs.wholesale.reading import Charges, PriceInformation

_CHARGE_TYPES = [charge_type.value for charge_type in ChargeType]
_TARIFF_RESOLUTIONS = (Resolution.HOUR.value, Resolution.DAY.value)

NULL_IN_LINK = "charge_link_periods: a null where none is allowed"
NULL_IN_PRICE_INFORMATION = "charge_price_information_periods: a null where none is allowed"
NULL_IN_PRICE_POINT = "charge_price_points: a null where none is allowed"
UNKNOWN_TYPE = "charge_type is not one of subscription, fee and tariff"
UNKNOWN_RESOLUTION = (
    "a tariff's resolution is PT1H or P1D, that of subscriptions and fees P1M (PT1H and P1D do no harm)"
)
TAX_NO_TARIFF = "only a tariff can be a tax"
FACTOR = "the factor (quantity) of a link is 1 or more"
BACKWARDS = "to_date is before from_date"
NO_MIDNIGHT = "a period of a charge begins or ends inside the settled period at a time that is no local midnight"
LINKS_OVERLAP = "tariff and subscription links of one charge and metering point must not overlap"
PRICES_OVERLAP = "price information periods of one charge must not overlap"
CHANGES = "resolution and is_tax of one charge must be equal in all its periods in the settled period"
TWO_PRICES = "two price points of one charge at one time"


def broken_links_and_points(
    charges: Charges, period_start: datetime, period_end: datetime, time_zone: str
) -> DataFrame:
    """What the kept links and price points break: rule, row, count, once for every rule that a row breaks.

    A link to an unknown charge is no error (`quality.unmatched_links` lists it).
    """
    links = _link_rules(_off_midnight(period_start, period_end, time_zone))
    return _judge(charges.links, links, "metering_point", "quantity", "from_date", "to_date").unionByName(
        _judge(charges.price_points, _price_point_rules(), "charge_price", "charge_time")
    )


def broken_prices(
    prices: Iterable[PriceInformation], period_start: datetime, period_end: datetime, time_zone: str
) -> dict[str, list[str]]:
    """What kept price information breaks: by rule the rows, as text; nothing when all is well."""
    zone, inside = ZoneInfo(time_zone), range(micros(period_start) + 1, micros(period_end))
    broken: dict[str, list[str]] = defaultdict(list)
    by_charge: dict[Charge, list[PriceInformation]] = defaultdict(list)
    for price in prices:
        by_charge[price.charge].append(price)
    for charge, periods in by_charge.items():
        changes = len({p.resolution for p in periods} - {None}) > 1 or len({p.is_tax for p in periods} - {None}) > 1
        reached = micros(period_start)
        for price in sorted(periods, key=lambda p: (p.from_date is not None, p.from_date or 0, p.to_date)):
            off = [
                b
                for b in (price.from_date, price.to_date)
                if b is not None and b in inside and not is_local_midnight(as_instant(b), zone)
            ]
            rules = {
                NULL_IN_PRICE_INFORMATION: None in (price.resolution, price.is_tax, price.from_date),
                UNKNOWN_RESOLUTION: price.resolution is not None and price.resolution not in _resolutions(charge),
                TAX_NO_TARIFF: bool(price.is_tax) and not charge.is_tariff,
                BACKWARDS: price.from_date is not None and price.to_date < price.from_date,
                NO_MIDNIGHT: bool(off),
                PRICES_OVERLAP: price.from_date is not None and price.from_date < reached,
                CHANGES: changes,
            }
            reached = max(reached, price.to_date)
            for rule, is_broken in rules.items():
                if is_broken:
                    broken[rule].append(_as_text(price))
    return broken


def _resolutions(charge: Charge) -> tuple[str, ...]:
    return _TARIFF_RESOLUTIONS if charge.is_tariff else (*_TARIFF_RESOLUTIONS, Resolution.MONTH.value)


def _as_text(price: PriceInformation) -> str:
    is_tax = "null" if price.is_tax is None else str(price.is_tax).lower()
    begins = "null" if price.from_date is None else written(price.from_date)
    return (
        f"{price.charge} resolution={price.resolution or 'null'} is_tax={is_tax} "
        f"from_date={begins} to_date={written(price.to_date)}"
    )


def _judge(rows: DataFrame, rules: dict[str, Column], *shown: str) -> DataFrame:
    """One row (rule, row) for every rule that a row breaks."""
    broken = F.filter(F.array(*[F.when(is_broken, F.lit(rule)) for rule, is_broken in rules.items()]), _is_named)
    texts = [charge_named(), *[text_of(column) for column in shown]]
    # The windows of the rules become a column first: an explode over a window does not plan on every engine.
    judged = rows.select(broken.alias("broken"), F.concat_ws(" ", *texts).alias("row"))
    return judged.select(F.explode("broken").alias("rule"), "row", F.lit(1).cast("bigint").alias("count"))


def _is_named(rule: Column) -> Column:
    return rule.isNotNull()


def _link_rules(off_midnight: Column) -> dict[str, Column]:
    same_link = Window.partitionBy(*CHARGE, "metering_point_id").orderBy("from_date", "to_date")
    may_overlap = F.col("charge_type") == ChargeType.FEE.value
    return {
        NULL_IN_LINK: _any_null(*CHARGE, "quantity", "from_date"),
        UNKNOWN_TYPE: ~F.col("charge_type").isin(_CHARGE_TYPES),
        FACTOR: F.col("quantity") < 1,
        BACKWARDS: F.col("to_date") < F.col("from_date"),
        NO_MIDNIGHT: off_midnight,
        LINKS_OVERLAP: _begins_before_end_of_earlier(same_link) & ~may_overlap,
    }


def _price_point_rules() -> dict[str, Column]:
    same_time = Window.partitionBy(*CHARGE, "charge_time")
    return {
        NULL_IN_PRICE_POINT: _any_null("charge_price", "charge_time"),
        TWO_PRICES: F.count(F.lit(1)).over(same_time) > 1,
    }


def _any_null(*columns: str) -> Column:
    return F.concat(*[F.col(column).cast("string") for column in columns]).isNull()


def _begins_before_end_of_earlier(periods: WindowSpec) -> Column:
    earlier = periods.rowsBetween(Window.unboundedPreceding, -1)
    return F.col("from_date") < F.max("to_date").over(earlier)


def _off_midnight(period_start: datetime, period_end: datetime, time_zone: str) -> Column:
    """Clamped borders lie in [S,E]; only those strictly inside must be local midnights."""
    start, end = instant(period_start), instant(period_end)

    def is_off(border: Column) -> Column:
        inside = (border > start) & (border < end)
        return inside & (local_midnight(border, time_zone) != border)

    return is_off(F.col("from_date")) | is_off(F.col("to_date"))
