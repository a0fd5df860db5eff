"""One run of the settlement job on an open engine."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pyspark.sql import DataFrame

from shared import lake_layout
from shared.danish_time import format_instant
from shared.errors import DataError
from shared.manifest import Manifest, ResultTable, read_manifest
from sparkjobs.balance import metering_points as rules
from sparkjobs.balance.calculation import BalanceResults, calculate, named
from sparkjobs.balance.clock import Clock
from sparkjobs.balance.expected import expected_rows
from sparkjobs.balance.findings import check_unique, ignored_points
from sparkjobs.balance.series import Catalogue
from sparkjobs.balance.settlement_groups import IGNORED, find_groups
from sparkjobs.jobs.account import UNIQUE, account_of_results, data_quality
from sparkjobs.jobs.charges import read_charges, settle_charges
from sparkjobs.jobs.command_line import Command
from sparkjobs.jobs.findings import raise_first
from sparkjobs.jobs.tariff_energy import find_parts, tariff_energy
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.files import LakeFiles
from sparkjobs.storage.inputs import Inputs, open_inputs
from sparkjobs.storage.results import ResultTables
from sparkjobs.storage.work import WorkTables

_ORDER = ("series", "slot")
_ONLY_FOR_BALANCE = (lake_layout.ENERGY_PER_BRP, lake_layout.EXCHANGE_PER_NEIGHBOR)


class _Settled(NamedTuple):
    """What a run gives its manifest."""

    grid_areas: tuple[str, ...]
    results: dict[str, ResultTable]
    checks: list[dict[str, Any]]
    data_quality: dict[str, Any]


def run(command: Command, engine: Engine, files: LakeFiles, started: datetime) -> None:
    """Read, calculate, write, and last the manifest."""
    job = command.arguments
    inputs = _inputs(command, engine, files)
    work_folder = lake_layout.work_folder(job.job_id, job.attempt)
    work = WorkTables(engine, command.lake, work_folder, files, inputs.bytes_of_points)
    work.remove()
    try:
        settled = _settle(command, inputs, work, ResultTables(engine, command.lake, job.job_id, job.attempt))
    finally:
        work.remove()
    manifest = Manifest(
        job_id=job.job_id,
        attempt=job.attempt,
        arguments=job.to_parameters(),
        grid_areas=list(settled.grid_areas),
        input_versions=inputs.versions,
        results=settled.results,
        checks=settled.checks,
        data_quality=settled.data_quality,
        engine=engine.versions(),
        started=format_instant(started),
        ended=format_instant(datetime.now(UTC)),
    )
    files.write(lake_layout.manifest(job.job_id, job.attempt), manifest.to_json())


def _settle(command: Command, inputs: Inputs, work: WorkTables, tables: ResultTables) -> _Settled:
    """Energy, and for wholesale fixing and corrections the charges, into the result tables."""
    job = command.arguments
    clock = Clock(job.period_start, job.period_end, job.result_resolution, job.time_zone)
    grid_areas, kept = kept_metering_points(command, inputs.tables, clock)
    points = inputs.tables[lake_layout.TIME_SERIES_POINTS]
    if not command.skip_unique_check:
        check_unique(points, clock)
    charged = read_charges(inputs.tables, kept, job, work.materialise) if job.process_type.settles_charges else None
    uncharged = rules.parents(kept).selectExpr("*", "cast(null as bigint) as tariff_set_id")
    market = find_groups(uncharged if charged is None else charged.cuts, clock)
    _check_areas(grid_areas, market.areas)
    balance = calculate(
        points=points,
        market=market,
        grid_areas=grid_areas,
        job_id=job.job_id,
        clock=clock,
        materialise=work.materialise,
    )
    written = write_balance(balance, tables, command, clock)
    expected = expected_rows(market, balance.series, clock)
    results, checks = account_of_results(written, tables.read, expected, clock)
    checks.append(
        {"check": UNIQUE, "skipped": True} if command.skip_unique_check else {"check": UNIQUE, "passed": True}
    )
    ignored = ignored_points(points, market, clock) if IGNORED in balance.received else []
    quality = data_quality(market, balance.received, ignored)
    if charged is None:
        return _Settled(grid_areas, results, checks, quality)
    parts = find_parts(market, balance.series)
    charges = settle_charges(
        charged,
        energy=work.materialise("tariff_energy", tariff_energy(balance, parts, clock)) if parts.parts else None,
        parts=parts,
        job=job,
        tables=tables,
        materialise=work.materialise,
    )
    return _Settled(
        grid_areas,
        {**results, **charges.results},
        [*checks, *charges.checks],
        {**quality, **charges.data_quality},
    )


def _inputs(command: Command, engine: Engine, files: LakeFiles) -> Inputs:
    tables: tuple[str, ...] = lake_layout.ENERGY_INPUT_TABLES
    if command.arguments.process_type.settles_charges:
        tables += lake_layout.CHARGE_INPUT_TABLES
    versions = None
    if command.input_versions:
        earlier = read_manifest(files.read(command.input_versions) or b"")
        if earlier is None:
            raise DataError(
                "VERSION_GONE", f"--input-versions: {command.input_versions} is no whole manifest of this lake"
            )
        versions = earlier.input_versions
    return open_inputs(engine, command.lake, tables, schema=command.input_schema, versions=versions)


def kept_metering_points(
    command: Command, tables: Mapping[str, DataFrame], clock: Clock
) -> tuple[tuple[str, ...], DataFrame]:
    """The settled areas and the metering point periods, kept, judged and in English."""
    periods = tables[lake_layout.METERING_POINT_PERIODS]
    grid_areas = command.arguments.grid_areas
    if not grid_areas:
        grid_areas = tuple(sorted(row[0] for row in rules.settled_areas(periods, clock).collect()))
    if not grid_areas:
        raise DataError("NO_GRID_AREA", "no grid area has a consumption or production metering point in the period")
    kept = rules.keep(periods, tables[lake_layout.GRID_LOSS_METERING_POINTS], grid_areas, clock)
    raise_first(rules.broken_rules(kept, clock))
    return grid_areas, rules.named_in_english(kept)


def _check_areas(grid_areas: tuple[str, ...], areas: frozenset[str]) -> None:
    unknown = [area for area in grid_areas if area not in areas]
    if unknown:
        raise DataError("GRID_AREA_EMPTY", "no metering point in the period for grid area", unknown)


def write_balance(
    balance: BalanceResults, tables: ResultTables, command: Command, clock: Clock
) -> dict[str, tuple[Catalogue, int]]:
    """Write the energy tables of this process type; gives the series of each and the version written."""
    is_balance = not command.arguments.process_type.settles_charges
    asked = [each for each in balance.tables if is_balance or each[0].table not in _ONLY_FOR_BALANCE]

    def write(catalogue: Catalogue, sums: DataFrame) -> int:
        return tables.write(catalogue.table, sums, _ORDER, lambda rows: named(rows, catalogue, clock))

    # Two at a time: one table's rows are sorted and packed by one core at the end.
    with ThreadPoolExecutor(max_workers=2) as writers:
        versions = writers.map(lambda each: write(*each), asked)
        return {catalogue.table: (catalogue, version) for (catalogue, _), version in zip(asked, versions, strict=True)}
