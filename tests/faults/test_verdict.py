"""What the verdict calls wrong, and what it must not."""

import json
from typing import Any

from tests.faults.simulation.verdict import _predecessors
from tests.faults.simulation.witness import Witness
from tests.faults.simulation.world import World


def test_a_job_that_is_split_again_keeps_the_predecessors_of_its_first_splitting() -> None:
    witness = Witness(World(0))
    calculate(witness, "older", version=1)
    calculate(witness, "newer", version=2)
    witness.saw("jobs/newer.json", record("newer", "Failed", version=2))
    witness.saw("jobs/older.json", record("older", "Completed", version=1))
    witness.saw("jobs/newer.json", record("newer", "Calculated", version=2))
    assert list(_predecessors(witness, witness.jobs["newer"])) == []


def test_a_job_that_was_calculated_after_another_one_was_completed_has_it_as_predecessor() -> None:
    witness = Witness(World(0))
    calculate(witness, "older", version=1)
    witness.saw("jobs/older.json", record("older", "Completed", version=1))
    calculate(witness, "newer", version=2)
    (wrong,) = _predecessors(witness, witness.jobs["newer"])
    assert "no predecessor in 800" in wrong


def calculate(witness: Witness, job_id: str, version: int) -> None:
    """From the start to the moment at which a job's predecessors are frozen: none."""
    for state in ("Submitted", "Calculated"):
        witness.saw(f"jobs/{job_id}.json", record(job_id, state))
    witness.saw(f"jobs/{job_id}.json", record(job_id, "Splitting", version))


def record(job_id: str, status: str, version: int | None = None) -> bytes:
    arguments = {"process-type": "D04", "process-variant": "", "period-start": "a", "period-end": "b"}
    document: dict[str, Any] = {
        "job_id": job_id,
        "attempt": 1,
        "status": status,
        "arguments": {**arguments, "grid-areas": "800", "simulation": "false"},
        "promoted": False,
        "cancel_requested": False,
        "split_failures": 5,
        "error": "the table is damaged",
        "frozen": version and {"version": version, "predecessors": {}},
        "history": [],
    }
    return json.dumps(document).encode()
