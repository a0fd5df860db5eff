"""The market of the sample: who there is, and every metering point with the shape that it follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from shared.codes import SYSTEM_OPERATOR_GLN
from shared.danish_time import DEFAULT_TIME_ZONE, local_midnight

ZONE = ZoneInfo(DEFAULT_TIME_ZONE)
START, END = local_midnight(date(2025, 10, 1), ZONE), local_midnight(date(2025, 11, 1), ZONE)
SUPPLIER_CHANGE = local_midnight(date(2025, 10, 16), ZONE)
NEW_CONNECTION = local_midnight(date(2025, 10, 11), ZONE)
SINCE = datetime(2020, 12, 31, 23, tzinfo=UTC)
AREAS = ("801", "802", "803")
OUTSIDE = "950"
"""The neighbour that is not settled here; 801 and 803 exchange with it."""


def with_check_digit(number: str) -> str:
    """A GLN or GSRN from all its digits but the last, which GS1 computes from the others."""
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(number)))
    return f"{number}{-weighted % 10}"


def _gln(number: int) -> str:
    return with_check_digit(f"579000{number:06}")


OWNERS = dict(zip(AREAS, (_gln(801001), _gln(802001), _gln(803001)), strict=True))
SUPPLIERS = tuple(_gln(110000 + number) for number in range(1, 5))
RESPONSIBLES = tuple(_gln(220000 + number) for number in range(1, 4))
RESPONSIBLE_OF = dict(zip(SUPPLIERS, (RESPONSIBLES[0], RESPONSIBLES[0], RESPONSIBLES[1], RESPONSIBLES[2]), strict=True))
SYSTEM_OPERATOR = SYSTEM_OPERATOR_GLN


@dataclass(frozen=True, kw_only=True)
class MeteringPoint:
    """One period of a metering point, and how its values are made: `peak` kW times the profile of that name."""

    id: str
    type: str
    area: str
    resolution: str = "PT15M"
    method: str | None = None
    supplier: str | None = None
    parent: str | None = None
    sender: str | None = None
    receiver: str | None = None
    profile: str | None = None
    peak: float = 0.0
    since: datetime = SINCE
    until: datetime | None = None

    @property
    def responsible(self) -> str | None:
        """The balance responsible of the supplier; the first supplier has another one in the third area."""
        if self.supplier == SUPPLIERS[0] and self.area == AREAS[2]:
            return RESPONSIBLES[1]
        return RESPONSIBLE_OF[self.supplier] if self.supplier else None


HOUSEHOLDS = ("H0-A", "H0-B", "H0-C", "H0-G", "H0-H", "H0-L")
TRADE = ("G0-A", "G1-A", "G1-B", "G4-A", "L0-A", "L1-A")
INDUSTRY = ("G3-A", "G3-H", "G5-A", "BL-H", "WB-H")
SUN = ("PV1", "PV3", "PV8")
WIND = {"801": ("WP4", 240.0), "802": ("WP2", 190.0), "803": ("WP10", 330.0)}


def metering_points() -> list[MeteringPoint]:
    """Every period of every metering point of the sample, those of one point in order."""
    return [point for number, area in enumerate(AREAS) for point in _of_area(area, number)] + list(_exchange())


def _gsrn(area: str, number: int) -> str:
    return with_check_digit(f"571313{area}{number:08}")


def _of_area(area: str, turn: int) -> Iterator[MeteringPoint]:
    yield from _grid_losses(area, turn)
    yield from _flex(area, turn)
    yield from _non_profiled(area, turn)
    yield from _production(area, turn)
    yield from _children(area)


def _grid_losses(area: str, turn: int) -> Iterator[MeteringPoint]:
    supplier = SUPPLIERS[turn]
    yield MeteringPoint(id=_gsrn(area, 1), type="E17", method="D01", area=area, supplier=supplier)
    yield MeteringPoint(id=_gsrn(area, 2), type="E18", area=area, supplier=supplier)


def _flex(area: str, turn: int) -> Iterator[MeteringPoint]:
    """Households and small trade: ten by the quarter, eight by the hour; two change supplier, one is new."""
    for number in range(18):
        profile = HOUSEHOLDS[number % 6] if number % 3 else TRADE[number // 3 % 6]
        supplier = SUPPLIERS[(number + turn) % 4]
        until = SUPPLIER_CHANGE if number in (4, 13) else None
        first = MeteringPoint(
            id=_gsrn(area, 100 + number),
            type="E17",
            method="D01",
            area=area,
            resolution="PT15M" if number < 10 else "PT1H",
            supplier=supplier,
            profile=profile,
            peak=3.0 + number % 5,
            since=NEW_CONNECTION if number == 7 else SINCE,
            until=until,
        )
        yield first
        if until:
            other = SUPPLIERS[(number + turn + 1) % 4]
            yield MeteringPoint(**{**vars(first), "supplier": other, "since": until, "until": None})


def _non_profiled(area: str, turn: int) -> Iterator[MeteringPoint]:
    for number, profile in enumerate(INDUSTRY):
        yield MeteringPoint(
            id=_gsrn(area, 200 + number),
            type="E17",
            method="E02",
            area=area,
            resolution="PT15M" if number < 3 else "PT1H",
            supplier=SUPPLIERS[(number + turn) % 4],
            profile=profile,
            peak=40.0 + 10 * number,
        )


def _production(area: str, turn: int) -> Iterator[MeteringPoint]:
    for number, profile in enumerate(SUN):
        yield MeteringPoint(
            id=_gsrn(area, 300 + number),
            type="E18",
            area=area,
            resolution="PT1H" if number == len(SUN) - 1 else "PT15M",
            supplier=SUPPLIERS[(number + turn) % 4],
            profile=profile,
            peak=25.0 + 15 * number,
        )
    profile, peak = WIND[area]
    yield MeteringPoint(
        id=_gsrn(area, 310), type="E18", area=area, supplier=SUPPLIERS[(turn + 2) % 4], profile=profile, peak=peak
    )


def _children(area: str) -> Iterator[MeteringPoint]:
    """Behind the first households: what a solar roof delivers and takes, and electrical heating by its own meter."""
    solar = (("D06", "PV5", 5.0), ("D07", "H0-A", 2.0))
    heating = (("D14", "Air_Parallel_1", 6.0), ("D14", "Soil_Alternative_1", 5.0))
    for number, (kind, profile, peak) in enumerate((*solar, *heating)):
        yield MeteringPoint(
            id=_gsrn(area, 400 + number),
            type=kind,
            area=area,
            resolution="PT1H",
            parent=_gsrn(area, 100 + max(0, number - 1)),
            profile=profile,
            peak=peak,
        )


LINKS = (("801", "802", "PT15M"), ("802", "803", "PT1H"), ("801", "803", "PT15M"))
BORDERS = (("801", OUTSIDE, "PT15M"), ("803", OUTSIDE, "PT15M"))


def _exchange() -> Iterator[MeteringPoint]:
    """Two metering points on every connection, one for each direction; their values follow from the balance."""
    for number, (here, there, resolution) in enumerate((*LINKS, *BORDERS)):
        for direction, (sender, receiver) in enumerate(((here, there), (there, here))):
            yield MeteringPoint(
                id=_gsrn(here, 500 + 10 * number + direction),
                type="E20",
                area=here,
                resolution=resolution,
                sender=sender,
                receiver=receiver,
            )
