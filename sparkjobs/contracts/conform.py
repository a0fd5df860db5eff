"""Frames are held to their contracts at the borders: inputs when read, results before they are written."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from shared.errors import DataError


def differences(frame: DataFrame, contract: T.StructType) -> list[str]:
    """Every column of the contract that the frame lacks or has with another type, each as one phrase."""
    types = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    wanted = {field.name: field.dataType.simpleString() for field in contract.fields}
    missing = [f"column {name} ({kind}) is missing" for name, kind in wanted.items() if name not in types]
    wrong = [
        f"column {name} is {types[name]}, not {kind}"
        for name, kind in wanted.items()
        if name in types and types[name] != kind
    ]
    return missing + wrong


def check_inputs(frames: Mapping[str, DataFrame], contracts: Mapping[str, T.StructType], missing: list[str]) -> None:
    """Hold input tables to their contracts; further columns are ignored (inputs).

    Raises:
        DataError: lists every table that is missing and every difference of every other at once.
    """
    found = list(missing)
    for table, frame in frames.items():
        found += [f"{table}: {difference}" for difference in differences(frame, contracts[table])]
    if found:
        raise DataError("INPUT_CONTRACT", f"input tables differ from their contract: {'; '.join(found)}")


def conform(frame: DataFrame, contract: T.StructType) -> DataFrame:
    """Exactly the columns of the contract, in its order; none is invented.

    Their types are held by the Delta table, which takes no other decimal: to ask the frame for them here would have the
    engine analyse the whole calculation once more.
    """
    return frame.select(*contract.names)
