"""From a scenario folder to a lake, through the settlement job, and back to rows that can be compared."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from deltalake import DeltaTable, QueryBuilder

from shared.codes import ProcessType, ProcessVariant
from shared.errors import DataError, SettlementError
from shared.job_arguments import JobArguments, check_arguments
from shared.lake_layout import CHARGE_INPUT_TABLES, ENERGY_INPUT_TABLES, RESULT_TABLES, manifest, result_table
from shared.manifest import Manifest, read_manifest
from sparkjobs.jobs.command_line import Command
from sparkjobs.jobs.run import run
from sparkjobs.jobs.settlement import exit_code
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.files import lake_files
from sparkjobs.storage.results import ensure_result_table
from tests.support.oracle.folders import PROCESS, difference, read_expected, read_inputs, rows_of_file
from tests.support.tables import write_lake

INPUT_TABLES = ENERGY_INPUT_TABLES + CHARGE_INPUT_TABLES
DEFAULT_TRANSITION = "2023-01-31 23:00:00"


@dataclass(frozen=True)
class Outcome:
    """What a job gave: rows by result table and the manifest, or its error."""

    tables: dict[str, list[dict[str, Any]]]
    manifest: Manifest | None
    error: SettlementError | None


def folders(root: Path) -> list[Path]:
    """Every given_… folder below root, at any depth."""
    return sorted(path for path in root.glob("**/given_*") if (path / "when").is_dir())


def arguments_of(folder: Path) -> JobArguments:
    """The job's arguments as calculation_arguments.yml has them; a simulation unless it says `simulation: false`."""
    document = yaml.safe_load((folder / "when" / "calculation_arguments.yml").read_text(encoding="utf-8"))
    told = document[0] if isinstance(document, list) else document
    process_type, variant = PROCESS[told["calculation-type"]]
    transition = told.get("quarterly-resolution-transition-datetime", DEFAULT_TRANSITION)
    return JobArguments(
        job_id=told["calculation-id"],
        process_type=ProcessType(process_type),
        process_variant=ProcessVariant(variant) if variant else None,
        period_start=_instant(told["period-start-datetime"]),
        period_end=_instant(told["period-end-datetime"]),
        grid_areas=tuple(str(area) for area in told.get("grid-areas") or ()),
        simulation=told.get("simulation", True),
        quarterly_transition=_instant(transition),
        time_zone=told.get("time_zone", "Europe/Copenhagen"),
    )


def _instant(text: Any) -> datetime:
    instant = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def settle(engine: Engine, folder: Path, lake: Path) -> Outcome:
    """Write the folder's inputs into an empty lake and settle them on the engine."""
    write_lake(lake, folder / "when", INPUT_TABLES)
    with_empty_results(engine, lake)
    return settle_lake(engine, arguments_of(folder), lake)


def with_empty_results(engine: Engine, lake: Path) -> None:
    """Put the result tables of the engine into a lake, empty."""
    shutil.copytree(_empty_result_tables(engine), lake / "results")


@cache
def _empty_result_tables(engine: Engine) -> Path:
    """Made once by each engine, as the first job of a lake makes them: that costs more than to settle a folder."""
    made = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for table in RESULT_TABLES:
        ensure_result_table(engine, str(made / table), table)
    if not engine.is_sail:  # they have one each; another one for every commit would take a query
        engine.spark.conf.set("spark.databricks.delta.writeChecksumFile.enabled", "false")
    return made


def settle_lake(engine: Engine, arguments: JobArguments, lake: Path, **options: Any) -> Outcome:
    """Settle what lies in a lake."""
    files = lake_files(str(lake))
    try:
        check_arguments(arguments)
        command = Command(lake=str(lake), arguments=arguments, **options)
        run(command, engine, files, datetime.now(UTC))
    except (DataError, SettlementError) as error:
        return Outcome({}, None, error)
    made = read_manifest(files.read(manifest(arguments.job_id, arguments.attempt)) or b"")
    assert made is not None
    rows = {table: result_rows(lake, table, arguments) for table in made.results}
    return Outcome(rows, made, None)


def result_rows(lake: Path, table: str, arguments: JobArguments) -> list[dict[str, Any]]:
    """A job's rows of a result table, read as the function app reads them."""
    delta = DeltaTable(str(lake / result_table(table)))
    wanted = f"job_id = '{arguments.job_id}' and attempt = {arguments.attempt}"
    read = QueryBuilder().register("rows", delta).execute(f"select * from rows where {wanted}").read_all()
    return [_utc(row) for row in pa.table(read).to_pylist()]


def _utc(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in row.items()}


def compare(folder: Path, outcome: Outcome, group: str) -> str:
    """Every file of then/<group> against the outcome; empty when all agree, else what is missing and surplus."""
    error_file = folder / "then" / "error.yml"
    if error_file.exists():
        return _compare_error(yaml.safe_load(error_file.read_text(encoding="utf-8")), outcome)
    if outcome.error is not None:
        return f"the job ended with {outcome.error}"
    return "\n".join(_differences(folder, outcome, group))


def _differences(folder: Path, outcome: Outcome, group: str) -> Iterator[str]:
    inputs = read_inputs(folder)
    tables = {table: outcome.tables.get(table, []) for table in _all_tables(outcome)}
    for path in sorted(folder.glob(f"then/{group}/*.csv")):
        found = difference(read_expected(path), rows_of_file(path.stem, tables, inputs))
        if found:
            yield f"{path.name}: {found}"


def _all_tables(outcome: Outcome) -> list[str]:
    return list(RESULT_TABLES) if outcome.tables else []


def _compare_error(expected: dict[str, Any], outcome: Outcome) -> str:
    if outcome.error is None:
        return "the job ended well, an error was expected"
    if exit_code(outcome.error) != expected["exit_code"]:
        return f"exit code {exit_code(outcome.error)}, not {expected['exit_code']}: {outcome.error}"
    missing = [text for text in expected.get("message_contains", []) if str(text) not in str(outcome.error)]
    return f"{missing} not in the error: {outcome.error}" if missing else ""
