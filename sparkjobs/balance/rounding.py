"""Rounding to 3 decimals that keeps sums (energy 6)."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def rounded_milli_kwh(quarter_milli_kwh: Column, quarter: Column) -> Column:
    """Round a sum in ¼ milli-kWh to whole milli-kWh, so that the four quarters of an hour add up to the hour.

    Energy 6 says for n in ¼ milli-kWh and quarter i: round(n) = sgn(n) · ((|n| + 2) div 4); r = n, i times
    r = n − 4 · round(r) + r; the result is round(r). Written out for the four fractions |n| mod 4 that there are, the
    result is |n| div 4, and one more in these quarters:

    ==============  ========================  =========================================
    fraction        quarters one higher       example, kWh in the hour → its quarters
    ==============  ========================  =========================================
    0               none                      0.004 → .001 .001 .001 .001
    1 (¼ milli)     1                         0.001 → .000 .001 .000 .000
    2 (½ milli)     0 and 2                   0.002 → .001 .000 .001 .000
    3 (¾ milli)     0, 1 and 3                0.003 → .001 .001 .000 .001
    ==============  ========================  =========================================

    Negative sums are mirrored: an hourly export of 1.117 gives −.279 −.280 −.279 −.279.

    Args:
        quarter_milli_kwh: bigint, 4 · Σ quarter milli-kWh + Σ hour milli-kWh.
        quarter: 0 to 3, minute / 15.
    """
    size = F.abs(quarter_milli_kwh)
    fraction = size % 4
    one_higher = (
        ((fraction == 1) & (quarter == 1)) | ((fraction == 2) & (quarter % 2 == 0)) | ((fraction == 3) & (quarter != 2))
    )
    whole = F.shiftright(size, 2) + F.when(one_higher, 1).otherwise(0)
    return F.when(quarter_milli_kwh < 0, -whole).otherwise(whole)
