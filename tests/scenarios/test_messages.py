"""Given results and actors, then these messages: one runner for every folder of messages/ (messages.md).

scenario.yml says the purpose, the rules covered and the job; when/<result table>.csv the results (predecessor/ those of
the predecessor), when/grid_area_owners.csv and delegations.csv the actors; then/messages.csv the messages and
then/rejected.csv what cannot be sent. Only the columns that stand there are compared.
"""

import ast
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.messages.batch import Line
from shared import lake_layout
from tests.support.messages import Split, split_in_memory
from tests.support.results import ESETT, OLDER_JOB, InMemoryResults, splitting
from tests.support.tables import read_csv

FOLDER = Path(__file__).parent / "messages"
SCENARIOS = sorted(path.name for path in FOLDER.glob("given_*"))


def made(name: str) -> Split:
    """Split the scenario's results."""
    when = FOLDER / name / "when"
    job = yaml.safe_load((FOLDER / name / "scenario.yml").read_text(encoding="utf-8"))["job"]
    results = InMemoryResults(
        inputs={
            table: [_row(row) for row in read_csv(when / f"{table}.csv")]
            for table in (lake_layout.GRID_AREA_OWNERS, lake_layout.DELEGATIONS)
        }
    )
    for table in lake_layout.RESULT_TABLES:
        results.add(table, [_row(row) for row in read_csv(when / f"{table}.csv")])
        results.add(table, [_row(row) for row in read_csv(when / "predecessor" / f"{table}.csv")], job_id=OLDER_JOB)
    areas = str(job.get("grid-areas", "800"))
    frozen: dict[str, Any] = {"esett_id": ESETT if job.get("esett", True) else None}
    if (when / "predecessor").exists():
        frozen["predecessors"] = {area: {"job_id": OLDER_JOB, "attempt": 1} for area in areas.split(",")}
    return split_in_memory(splitting(job["process-type"], job.get("process-variant", ""), areas, **frozen), results)


def _row(row: dict[str, str]) -> dict[str, Any]:
    return {name: _value(name, text) for name, text in row.items()}


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    if name in ("time", "from_date", "to_date"):
        return datetime.fromisoformat(text)
    if name == "quantity_qualities":
        return ast.literal_eval(text)
    return text == "true" if name == "is_tax" else text


def facts(line: Line) -> dict[str, str]:
    """A message as one row of then/messages.csv."""
    content = json.loads(line.content, parse_float=str, parse_int=str)
    ((root, document),) = content.items()
    (series,) = document["Series"]
    period = series["Period"]
    values = {
        "row": line.message.row,
        "recipient": line.message.recipient,
        "role": line.message.recipient_role,
        "document": root.removesuffix("_MarketDocument"),
        "document_role": document["receiver_MarketParticipant.marketRole.type"],
        "sender": document["sender_MarketParticipant.mRID"],
        "sender_role": document["sender_MarketParticipant.marketRole.type"],
        "process_type": document["process.processType"],
        "start": period["timeInterval"]["start"],
        "end": period["timeInterval"]["end"],
        "resolution": period["resolution"],
    }
    values |= {column: series.get(name) for column, name in SERIES_COLUMNS.items()}
    for column, name in POINT_COLUMNS.items():
        values[column] = " ".join(_plain(point.get(name, "-")) for point in period["Point"])
    return {name: _plain(value) for name, value in values.items()}


SERIES_COLUMNS = {
    "correction": "settlement_Series.version",
    "type": "marketEvaluationPoint.type",
    "method": "marketEvaluationPoint.settlementMethod",
    "area": "meteringGridArea_Domain.mRID",
    "in_area": "in_Domain.mRID",
    "out_area": "out_Domain.mRID",
    "supplier": "energySupplier_MarketParticipant.mRID",
    "brp": "balanceResponsibleParty_MarketParticipant.mRID",
    "charge": "chargeType.mRID",
    "charge_type": "chargeType.type",
    "charge_owner": "chargeType.chargeTypeOwner_MarketParticipant.mRID",
    "unit": "quantity_Measure_Unit.name",
    "price_unit": "price_Measure_Unit.name",
}
POINT_COLUMNS = {
    "positions": "position",
    "quantities": "quantity",
    "energy_quantities": "energy_Quantity.quantity",
    "prices": "price.amount",
    "sums": "energySum_Quantity.quantity",
    "qualities": "quality",
}


def _plain(value: Any) -> str:
    value = value["value"] if isinstance(value, dict) else value
    return "" if value is None else str(value)


def compare(found: list[dict[str, str]], expected: list[dict[str, str]]) -> None:
    """The rows as a multiset, in the columns that are expected."""
    columns = list(expected[0]) if expected else []
    have = Counter(tuple(row[name] for name in columns) for row in found)
    want = Counter(tuple(row[name] for name in columns) for row in expected)
    if not expected:
        have = Counter(tuple(row.values()) for row in found)
    assert have == want, (
        f"{columns}: missing {list((want - have).elements())}, surplus {list((have - want).elements())}"
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_messages_are_those_of_the_scenario(name: str) -> None:
    split = made(name)
    compare([facts(line) for line in split.lines], read_csv(FOLDER / name / "then" / "messages.csv"))
    rejected = [
        {"row": str(line["row"] or ""), "result_id": str(line["resultId"]), "reason": str(line["reason"])}
        for line in split.rejected
    ]
    compare(rejected, read_csv(FOLDER / name / "then" / "rejected.csv"))
    job = yaml.safe_load((FOLDER / name / "scenario.yml").read_text(encoding="utf-8"))
    assert split.outcome.without_receiver == job.get("without_receiver", 0)
