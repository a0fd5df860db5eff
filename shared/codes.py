"""The market's code lists by their English names; the value is the code that travels (spec: README, inputs)."""

from enum import StrEnum

DATAHUB_GLN = "5790001330552"
SYSTEM_OPERATOR_GLN = "5790000432752"


class ProcessType(StrEnum):
    """What kind of settlement a job makes."""

    AGGREGATION = "D03"
    BALANCE_FIXING = "D04"
    WHOLESALE_FIXING = "D05"
    CORRECTION = "D32"

    @property
    def settles_charges(self) -> bool:
        """Whether the job settles tariffs, subscriptions and fees besides energy: wholesale fixing and corrections."""
        return self in (ProcessType.WHOLESALE_FIXING, ProcessType.CORRECTION)


class ProcessVariant(StrEnum):
    """Which correction a D32 job is."""

    FIRST_CORRECTION = "D01"
    SECOND_CORRECTION = "D02"
    THIRD_CORRECTION = "D03"


class Resolution(StrEnum):
    """Length of one step of a series."""

    QUARTER = "PT15M"
    HOUR = "PT1H"
    DAY = "P1D"
    MONTH = "P1M"


class MeteringPointType(StrEnum):
    """Result names of the metering point types; `METERING_POINT_TYPE_BY_CODE` has the input codes."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"
    EXCHANGE = "exchange"
    VE_PRODUCTION = "ve_production"
    NET_PRODUCTION = "net_production"
    SUPPLY_TO_GRID = "supply_to_grid"
    CONSUMPTION_FROM_GRID = "consumption_from_grid"
    WHOLESALE_SERVICES_INFORMATION = "wholesale_services_information"
    OWN_PRODUCTION = "own_production"
    NET_FROM_GRID = "net_from_grid"
    NET_TO_GRID = "net_to_grid"
    TOTAL_CONSUMPTION = "total_consumption"
    ELECTRICAL_HEATING = "electrical_heating"
    NET_CONSUMPTION = "net_consumption"
    CAPACITY_SETTLEMENT = "capacity_settlement"


METERING_POINT_TYPE_BY_CODE = {
    "E17": MeteringPointType.CONSUMPTION,
    "E18": MeteringPointType.PRODUCTION,
    "E20": MeteringPointType.EXCHANGE,
    "D01": MeteringPointType.VE_PRODUCTION,
    "D05": MeteringPointType.NET_PRODUCTION,
    "D06": MeteringPointType.SUPPLY_TO_GRID,
    "D07": MeteringPointType.CONSUMPTION_FROM_GRID,
    "D08": MeteringPointType.WHOLESALE_SERVICES_INFORMATION,
    "D09": MeteringPointType.OWN_PRODUCTION,
    "D10": MeteringPointType.NET_FROM_GRID,
    "D11": MeteringPointType.NET_TO_GRID,
    "D12": MeteringPointType.TOTAL_CONSUMPTION,
    "D14": MeteringPointType.ELECTRICAL_HEATING,
    "D15": MeteringPointType.NET_CONSUMPTION,
    "D19": MeteringPointType.CAPACITY_SETTLEMENT,
}
PARENT_TYPE_CODES = ("E17", "E18", "E20")


class SettlementMethod(StrEnum):
    """How a consumption metering point is settled."""

    FLEX = "flex"
    NON_PROFILED = "non_profiled"


SETTLEMENT_METHOD_BY_CODE = {"D01": SettlementMethod.FLEX, "E02": SettlementMethod.NON_PROFILED}


class Quality(StrEnum):
    """Where the value of a point comes from."""

    MISSING = "missing"
    ESTIMATED = "estimated"
    MEASURED = "measured"
    CALCULATED = "calculated"


# One bit each: a set of qualities is the bitwise or (architecture 3.2).
QUALITY_BIT = {Quality.MISSING: 1, Quality.ESTIMATED: 2, Quality.MEASURED: 4, Quality.CALCULATED: 8}


class ChargeType(StrEnum):
    """The three kinds of charge."""

    SUBSCRIPTION = "subscription"
    FEE = "fee"
    TARIFF = "tariff"


class TimeSeriesType(StrEnum):
    """The series of the energy tables (energy 11)."""

    PRODUCTION = "production"
    FLEX_CONSUMPTION = "flex_consumption"
    NON_PROFILED_CONSUMPTION = "non_profiled_consumption"
    NET_EXCHANGE_PER_GA = "net_exchange_per_ga"
    TOTAL_CONSUMPTION = "total_consumption"
    GRID_LOSS = "grid_loss"
    TEMP_PRODUCTION = "temp_production"
    TEMP_FLEX_CONSUMPTION = "temp_flex_consumption"


class ActorRole(StrEnum):
    """Market roles of the actors (spec: README, vocabulary)."""

    ENERGY_SUPPLIER = "DDQ"
    BALANCE_RESPONSIBLE = "DDK"
    METERED_DATA_RESPONSIBLE = "MDR"
    GRID_ACCESS_PROVIDER = "DDM"
    IMBALANCE_SETTLEMENT_RESPONSIBLE = "DDX"
    SYSTEM_OPERATOR = "EZ"
    DATAHUB = "DGL"
