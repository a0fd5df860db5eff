"""The settlement job: read, calculate, write, and last of all the manifest (coordinator 5)."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from shared import lake_layout
from shared.errors import DataError, InvalidArguments, JobSuperseded, SettlementError
from shared.manifest import read_manifest
from sparkjobs.jobs.command_line import Command, parse_command
from sparkjobs.storage.files import LakeFiles, is_local, lake_files, local_path

WRONG_ARGUMENTS, BROKEN_RULE = 2, 3
LITTLE = 2 * 1024 * 1024
"""Bytes of points: the sample's month takes half a megabyte, a month of 10 000 metering points 34 and more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Settle; gives the exit code: 0, 2 for wrong arguments, 3 for a broken rule of the domain."""
    started = datetime.now(UTC)
    try:
        command = parse_command(sys.argv[1:] if argv is None else argv)
    except InvalidArguments as error:
        print(f"settlement: {error}", file=sys.stderr)  # noqa: T201 the command line's answer
        return exit_code(error)
    files = lake_files(command.lake)
    try:
        refuse_superseded(files, command)
        _run(command, files, started)
    except JobSuperseded as error:
        print(f"settlement: {error}", file=sys.stderr)  # noqa: T201 the command line's answer
        return exit_code(error)
    except DataError as error:
        note = json.dumps({"code": error.code, "message": str(error)}, ensure_ascii=False)
        job = command.arguments
        files.write(lake_layout.failure(job.job_id, job.attempt), note.encode())
        print(f"settlement: {error}", file=sys.stderr)  # noqa: T201 the command line's answer
        return exit_code(error)
    return 0


def exit_code(error: SettlementError) -> int:
    """What the job ends with: 2 for wrong arguments, 3 for a broken rule of the domain (coordinator 5)."""
    return WRONG_ARGUMENTS if isinstance(error, InvalidArguments) else BROKEN_RULE


def _run(command: Command, files: LakeFiles, started: datetime) -> None:
    # The engines take a second to import: not before the arguments are known to be right.
    from sparkjobs.jobs.run import run
    from sparkjobs.storage.engine import ENGINE_SETTING, SPARK, open_engine

    setting = os.environ.get(ENGINE_SETTING)
    engine = open_engine(setting, little=setting == SPARK and _reads_little(command.lake))
    try:
        run(command, engine, files, started)
    finally:
        engine.close()


def _reads_little(lake: str) -> bool:
    """Whether the points lie on this machine and are few; of those elsewhere it is not known."""
    points = local_path(lake) / lake_layout.input_table(lake_layout.TIME_SERIES_POINTS)
    return (
        is_local(lake) and points.is_dir() and sum(file.stat().st_size for file in points.rglob("*.parquet")) < LITTLE
    )


def refuse_superseded(files: LakeFiles, command: Command) -> None:
    """Refuse a run whose job has a manifest of the same or a higher attempt: nothing may be touched.

    Raises:
        JobSuperseded: names the manifest.
    """
    job_id = command.arguments.job_id
    for name in files.names(lake_layout.COMPLETED, f"{job_id}."):
        attempt = name.removeprefix(f"{job_id}.").removesuffix(".json")
        if not attempt.isdigit() or int(attempt) < command.arguments.attempt:
            continue
        path = lake_layout.manifest(job_id, int(attempt))
        if read_manifest(files.read(path) or b"") is not None:
            raise JobSuperseded(f"{path} is there already: attempt {command.arguments.attempt} is not run")


if __name__ == "__main__":
    sys.exit(main())
