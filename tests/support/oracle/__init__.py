"""A second opinion: the settlement in plain Python, exact decimals, as naive and literal as the spec, no Spark."""

from tests.support.oracle.model import Arguments, Inputs, Row, RuleBroken
from tests.support.oracle.settlement import settle

__all__ = ["Arguments", "Inputs", "Row", "RuleBroken", "settle"]
