"""In how many intervals each series must have a row: known from the metering point periods alone (energy 2, 7, 8).

Slots are bits of one Python integer, so that a union of stretches is `|` and their length a count of bits.
"""

from collections import defaultdict

from sparkjobs.balance.clock import Clock
from sparkjobs.balance.series import AllSeries, Key, grid_loss_supplier_key, neighbour_keys, supplier_key
from sparkjobs.balance.settlement_groups import Group, Market


def expected_rows(market: Market, series: AllSeries, clock: Clock) -> dict[str, dict[str, int]]:
    """Per result table how many rows each series must have, by result id.

    A series has a row wherever one of its groups expects points; a supplier that carries grid loss also wherever its
    area has any of the four sums.
    """
    suppliers: dict[Key, int] = defaultdict(int)
    neighbours: dict[Key, int] = defaultdict(int)
    areas: dict[str | None, int] = defaultdict(int)
    for group in market.groups:
        slots = _slots(group)
        if group.series is not None:
            suppliers[supplier_key(group)] |= slots
            areas[group.grid_area_code] |= slots
        for key, _ in neighbour_keys(group, series.areas):
            neighbours[key] |= slots
            areas[key[0]] |= slots
    for period in market.grid_loss:
        carried = _stretch(period.from_slot, period.to_slot) & areas[period.grid_area_code]
        suppliers[grid_loss_supplier_key(period)] |= carried
    return {
        catalogue.table: {catalogue.ids[key]: slots.bit_count() // clock.step for key, slots in held.items()}
        for catalogue, held in ((series.per_supplier, suppliers), (series.per_neighbour, neighbours))
    }


def _slots(group: Group) -> int:
    slots = 0
    for begin, end, _ in group.steps:
        slots |= _stretch(begin, end)
    return slots


def _stretch(begin: int, end: int) -> int:
    return ((1 << (end - begin)) - 1) << begin
