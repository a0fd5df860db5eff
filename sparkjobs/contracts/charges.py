"""The charge tables that cross a border: what the jobs read (inputs) and what they write (wholesale 5, 6, 7).

Result contracts leave out job_id, attempt and result_id: the writer puts them in front of every result table alike.
"""

from pyspark.sql import types as T

from sparkjobs.contracts.columns import QUANTITY, column

MONEY = T.DecimalType(18, 6)

_CHARGE = (
    column("charge_code", T.StringType(), "code of the charge, the owner's own"),
    column("charge_type", T.StringType(), "subscription, fee or tariff"),
    column("charge_owner_id", T.StringType(), "GLN of the owner; code, owner and type together identify a charge"),
)
_PERIOD = (
    column("from_date", T.TimestampType(), "inclusive, a local midnight"),
    column("to_date", T.TimestampType(), "exclusive, a local midnight; null = open", null=True),
)
_AREA_AND_SUPPLIER = (
    column("grid_area_code", T.StringType(), "grid area, three digits"),
    column("energy_supplier_id", T.StringType(), "GLN or EIC; null where the metering point has none", null=True),
)
_UNIT = column("quantity_unit", T.StringType(), "kWh for tariffs, pcs for subscriptions and fees")
_IS_TAX = column("is_tax", T.BooleanType(), "whether the charge is a tax; only tariffs can be")
_MONTH = column("time", T.TimestampType(), "start of the settled period")

CHARGE_PRICE_INFORMATION_PERIODS = T.StructType(
    [
        *_CHARGE,
        column("resolution", T.StringType(), "PT1H or P1D for tariffs, P1M otherwise"),
        _IS_TAX,
        *_PERIOD,
    ]
)

CHARGE_LINK_PERIODS = T.StructType(
    [
        *_CHARGE,
        column("metering_point_id", T.StringType(), "GSRN"),
        column("quantity", T.IntegerType(), "factor, 1 or more; ignored for tariffs"),
        *_PERIOD,
    ]
)

CHARGE_PRICE_POINTS = T.StructType(
    [
        *_CHARGE,
        column("charge_price", MONEY, "DKK per kWh (tariff), per month (subscription), each (fee)"),
        column("charge_time", T.TimestampType(), "start of the price's validity"),
    ]
)

AMOUNTS_PER_CHARGE = T.StructType(
    [
        *_AREA_AND_SUPPLIER,
        column("quantity", QUANTITY, "energy in kWh (tariff) or number of links times factor"),
        _UNIT,
        column("quantity_qualities", T.ArrayType(T.StringType()), "tariffs: sorted, each once; else null", null=True),
        column("time", T.TimestampType(), "start of the hour or the local day"),
        column("resolution", T.StringType(), "PT1H or P1D"),
        column("metering_point_type", T.StringType(), "English name of the type"),
        column("settlement_method", T.StringType(), "flex or non_profiled; null unless consumption", null=True),
        column("price", MONEY, "DKK; per day for subscriptions; null where none holds at that time", null=True),
        column("amount", MONEY, "quantity times price, half up; null where the price is", null=True),
        _IS_TAX,
        *_CHARGE,
    ]
)

MONTHLY_AMOUNTS_PER_CHARGE = T.StructType(
    [
        *_AREA_AND_SUPPLIER,
        _UNIT,
        _MONTH,
        column("amount", MONEY, "sum of the charge's amounts; null where all of them are", null=True),
        _IS_TAX,
        *_CHARGE,
    ]
)

TOTAL_MONTHLY_AMOUNTS = T.StructType(
    [
        *_AREA_AND_SUPPLIER,
        _MONTH,
        column("amount", MONEY, "owner: its own charges and others' taxes; supplier: everything", null=True),
        column("charge_owner_id", T.StringType(), "GLN of the owner; null = the supplier's total", null=True),
    ]
)
