"""The values of the sample's metering points: measured shapes, and exchange that leaves a grid loss of some percent.

Everything is in whole milli-kWh. What a meter by the hour shows is spread evenly over its quarters before the balance
is struck, as the settlement will spread it (energy 3), so that the grid loss is the loss that was put in.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from local.sample.market import AREAS, BORDERS, END, LINKS, START, MeteringPoint

type Series = np.ndarray[tuple[int], np.dtype[np.int64]]

QUARTER = timedelta(minutes=15)
QUARTERS = int((END - START) / QUARTER)
LOSS, UNCERTAINTY = 0.045, 0.014
"""The grid loss as a share of the consumption, and the standard deviation of what the meters make of it."""


def quarter_values(points: list[MeteringPoint]) -> dict[str, Series]:
    """Milli-kWh per quarter of the month for every metering point that has values; hours lie in their first quarter."""
    profiles = pq.read_table(Path(__file__).with_name("profiles.parquet"))
    chance = np.random.default_rng(2025)
    values: dict[str, Series] = {}
    for point in points:
        if point.profile and point.id not in values:
            shape = profiles[point.profile].to_numpy() / 10_000
            wobble = 1 + 0.15 * chance.standard_normal(QUARTERS) if point.profile[0] != "P" else 1.0
            values[point.id] = _metered(point, np.maximum(shape * wobble, 0) * point.peak / 4 * 1000)
    return values | _exchange_values(points, values, chance)


def present(point: MeteringPoint) -> slice:
    """The quarters of the month in which a period of a metering point lies."""
    return slice(_quarter(max(point.since, START)), _quarter(min(point.until or END, END)))


def _quarter(instant: datetime) -> int:
    return int((instant - START) / QUARTER)


def _metered(point: MeteringPoint, energy: Any) -> Series:
    if point.resolution == "PT15M":
        quarters: Series = np.rint(energy).astype(np.int64)
        return quarters
    values = np.zeros(QUARTERS, np.int64)
    values[::4] = np.rint(energy.reshape(-1, 4).sum(axis=1)).astype(np.int64)
    return values


def _exchange_values(points: list[MeteringPoint], values: dict[str, Series], chance: Any) -> dict[str, Series]:
    """The flow on every connection: what an area has too much goes to its neighbours, the rest over the border."""
    surplus = {area: _surplus(area, points, values, chance) for area in AREAS}
    first, second, third = (surplus[area] for area in AREAS)
    second_to_third = np.repeat((second / 2).reshape(-1, 4).sum(axis=1) / 4, 4)
    first_to_second = second_to_third - second
    first_to_third = (first - third) / 4
    flows = dict(zip([link[:2] for link in LINKS], (first_to_second, second_to_third, first_to_third), strict=True))
    flows[BORDERS[0][:2]] = first - first_to_second - first_to_third
    flows[BORDERS[1][:2]] = third + second_to_third + first_to_third
    found = {}
    for point in points:
        if point.type == "E20":
            way = (str(point.sender), str(point.receiver))
            flow = flows[way] if way in flows else -flows[way[::-1]]
            found[point.id] = _metered(point, np.maximum(flow, 0))
    return found


def _surplus(area: str, points: list[MeteringPoint], values: dict[str, Series], chance: Any) -> Any:
    """Production less consumption and loss per quarter, as the settlement will see it."""
    production, consumption = np.zeros(QUARTERS), np.zeros(QUARTERS)
    for point in points:
        if point.area != area or point.id not in values or point.type not in ("E17", "E18"):
            continue
        shown = values[point.id] if point.resolution == "PT15M" else np.repeat(values[point.id][::4] / 4, 4)
        side = production if point.type == "E18" else consumption
        side[present(point)] += shown[present(point)]
    loss = consumption * (LOSS + UNCERTAINTY * chance.standard_normal(QUARTERS))
    return production - consumption - loss
