"""`python -m local.jobs_api --state <folder> --port N --wheel-command <console script>`."""

import argparse
import logging
import shlex
from pathlib import Path

from local.jobs_api.server import JOB_NAME, jobs_app
from local.serving import serve


def main() -> None:
    """Serve the Jobs API until told to end; the runs end with it."""
    parser = argparse.ArgumentParser(
        prog="python -m local.jobs_api", description="Databricks Jobs API 2.2 for one job."
    )
    parser.add_argument("--state", type=Path, required=True, help="where runs and their output are kept")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--wheel-command", required=True, help="what every run is, e.g. '.venv/bin/settlement'")
    parser.add_argument("--job-name", default=JOB_NAME)
    parser.add_argument("--max-concurrent-runs", type=int, default=2)
    parser.add_argument("--faults", action="store_true", help="let tests ask for faults by /_faults")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    command = shlex.split(given.wheel_command)
    if not command:
        parser.error("--wheel-command is empty: name the command that every run is")
    app = jobs_app(
        given.state,
        command,
        at_once=given.max_concurrent_runs,
        with_faults=given.faults,
        job_name=given.job_name,
    )
    serve(app, given.port, "jobs_api")


if __name__ == "__main__":
    main()
