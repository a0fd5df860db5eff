"""The settlement job twice in one session: the second run is the warm one. Prints {"first": s, "warm": s, "job": id}.

`python -m bench.warm_job <lake> <process type>` with SETTLEMENT_ENGINE; the period is January 2025. The clock runs from
the first read to the manifest.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from sparkjobs.jobs.command_line import parse_command
from sparkjobs.jobs.run import run
from sparkjobs.storage.engine import ENGINE_SETTING, Engine, open_engine
from sparkjobs.storage.files import lake_files

PERIOD = ("--period-start", "2024-12-31T23:00:00Z", "--period-end", "2025-01-31T23:00:00Z")


def main() -> None:
    """Run twice and tell."""
    lake, process_type, *more = sys.argv[1:]
    engine = open_engine(os.environ.get(ENGINE_SETTING))
    seconds = []
    try:
        for _ in range(2):
            job_id = str(uuid.uuid4())
            seconds.append(settle(engine, lake, job_id, process_type, more))
    finally:
        engine.close()
    print(json.dumps({"first": seconds[0], "warm": seconds[1], "job": job_id}))


def settle(engine: Engine, lake: str, job_id: str, process_type: str, more: Sequence[str]) -> float:
    """Settle the lake's month on an open engine; the seconds from the first read to the manifest."""
    arguments = ["--lake", lake, "--job-id", job_id, "--process-type", process_type, *PERIOD, *more]
    command = parse_command(arguments)
    started = time.perf_counter()
    run(command, engine, lake_files(lake), datetime.now(UTC))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
