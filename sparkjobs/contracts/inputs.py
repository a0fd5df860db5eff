"""The input tables of energy settlement (inputs): every column that is read, with meaning and legal values.

The charge tables are in `charges`. `nullable` says whether a kept row may hold a null: the
reader judges rows, not columns.
"""

from pyspark.sql import types as T

from sparkjobs.contracts.columns import QUANTITY, column

METERING_POINT_PERIODS = T.StructType(
    [
        column("metering_point_id", T.StringType(), "GSRN, digits"),
        column(
            "type",
            T.StringType(),
            "E17 consumption, E18 production, E20 exchange, or one of the child types D01 to D19",
        ),
        column("calculation_type", T.StringType(), "not used by the rules", null=True),
        column("settlement_method", T.StringType(), "E17 only: D01 flex, E02 non_profiled", null=True),
        column("grid_area_code", T.StringType(), "grid area, three digits"),
        column("resolution", T.StringType(), "PT15M or PT1H"),
        column("from_grid_area_code", T.StringType(), "E20 only: the sending area", null=True),
        column("to_grid_area_code", T.StringType(), "E20 only: the receiving area", null=True),
        column("parent_metering_point_id", T.StringType(), "children only: GSRN of the parent", null=True),
        column("energy_supplier_id", T.StringType(), "GLN or EIC; null for children and E20", null=True),
        column("balance_responsible_party_id", T.StringType(), "GLN or EIC; null for children and E20", null=True),
        column("from_date", T.TimestampType(), "inclusive, a local midnight"),
        column("to_date", T.TimestampType(), "exclusive, a local midnight; null = open", null=True),
    ]
)

TIME_SERIES_POINTS = T.StructType(
    [
        column("metering_point_id", T.StringType(), "GSRN, digits"),
        column("quantity", QUANTITY, "kWh; null when missing", null=True),
        column("quality", T.StringType(), "missing, estimated, measured or calculated"),
        column("observation_time", T.TimestampType(), "start of the interval"),
    ]
)

GRID_LOSS_METERING_POINTS = T.StructType(
    [column("metering_point_id", T.StringType(), "GSRN of a metering point that carries a calculated grid loss")]
)
