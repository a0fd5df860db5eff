"""What the manifest tells about links, prices and children (coordinator 5): counted, with up to ten examples."""

from collections import defaultdict
from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkjobs.contracts.columns import columns
from sparkjobs.wholesale.charge_keys import CHARGE, Charge, small
from sparkjobs.wholesale.children import orphaned_children
from sparkjobs.wholesale.findings import charge_named, finding, text_of
from sparkjobs.wholesale.reading import Charges, PriceInformation

UNMATCHED_LINKS = "unmatched_links"
NULL_PRICES = "null_prices"
ORPHANED_CHILDREN = "orphaned_children"
KINDS = (UNMATCHED_LINKS, NULL_PRICES, ORPHANED_CHILDREN)

_KNOWN = columns("charge_code string, charge_type string, charge_owner_id string, known_from bigint, known_to bigint")


def unmatched_and_orphaned(charges: Charges, metering_points: DataFrame) -> DataFrame:
    """Links not wholly inside known charge periods, children without a parent: rule (its kind), row, count.

    Args:
        charges: kept rows.
        metering_points: kept periods before the child rule.
    """
    shown = [text_of(name) for name in ("metering_point", "from_date", "to_date")]
    links = unmatched_links(charges).select(*finding(F.lit(UNMATCHED_LINKS), charge_named(), *shown))
    orphans = orphaned_children(metering_points).select(*finding(F.lit(ORPHANED_CHILDREN), *shown))
    return links.unionByName(orphans)


def unmatched_links(charges: Charges) -> DataFrame:
    """Kept links whose period is not wholly inside price information of their charge; the rest of it goes on."""
    known = small(charges.links.sparkSession, _known_stretches(charges.prices), _KNOWN)
    begins, ends = F.unix_micros("from_date"), F.unix_micros("to_date")
    inside = (begins >= F.col("known_from")) & (ends <= F.col("known_to"))
    of_charge = [F.col(name) == F.col(f"_{name}") for name in CHARGE]
    renamed = known.select(*[F.col(name).alias(f"_{name}") for name in CHARGE], "known_from", "known_to")
    return charges.links.join(F.broadcast(renamed), on=[*of_charge, inside], how="left_anti")


def _known_stretches(prices: Iterable[PriceInformation]) -> list[tuple[object, ...]]:
    """Adjacent price-information periods of a charge put together: (CHARGE, from, to)."""
    stretches: dict[Charge, list[list[int]]] = defaultdict(list)
    sound = [price for price in prices if price.from_date is not None]
    for price in sorted(sound, key=lambda price: (price.charge, price.from_date)):
        of_charge = stretches[price.charge]
        if of_charge and of_charge[-1][1] == price.from_date:
            of_charge[-1][1] = price.to_date
        else:
            of_charge.append([price.from_date or 0, price.to_date])
    return [(*charge, *stretch) for charge, of_charge in stretches.items() for stretch in of_charge]
