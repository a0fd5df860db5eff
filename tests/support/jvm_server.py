"""One Spark on a JVM for all workers of a test run: two would load, compile and warm up the same classes twice.

`python -m tests.support.jvm_server <port>` serves Spark Connect until its standard input ends, as it does when the test
run that started it ends in whatever way.
"""

import os
import subprocess
import sys
import time
import uuid
from typing import Any

import pytest
from pyspark.errors import PySparkException

from sparkjobs.storage.engine import SPARK, Engine, connect_jvm, free_port, start_jvm

JVM_FOR_SMALL_JOBS = " ".join(
    (
        "-XX:+UseSerialGC",
        "-XX:ReservedCodeCacheSize=256m",
        "-Xmn900m",  # what one folder leaves behind is garbage when the next one begins
        "-Ddelta.log.cacheSize=20",  # it keeps the logs of as many lakes as are not used any more
    )
)
SECONDS_TO_START = 120
_TOLD = "jvm_server"
TOKEN_SETTING = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # PySpark's: what a client shows the server
_processes: list[subprocess.Popen[bytes]] = []
_told: list[tuple[int, str]] = []


def serve() -> tuple[int, str]:
    """Start the server once; gives its port and token.

    A process of its own also where the tests run alone: a JVM cannot be forked off a process that holds Sail's channel.
    """
    if not _told:
        port, token = free_port(), str(uuid.uuid4())
        environment = {**os.environ, TOKEN_SETTING: token}
        command = [sys.executable, "-m", "tests.support.jvm_server", str(port)]
        # Its log tells of every client that lets go of an answer.
        _processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment))
        _told.append((port, token))
    return _told[0]


def serve_worker(workerinput: dict[str, object]) -> None:
    """Tell a worker where the server of the whole run is."""
    workerinput[_TOLD] = serve()


def use_server_of(config: pytest.Config) -> None:
    """In a worker: use the run's server. A process that runs the tests alone starts one when a test asks."""
    told: dict[str, Any] = getattr(config, "workerinput", {})
    if _TOLD in told:
        _told.append(told[_TOLD])


def end() -> None:
    """End what this process started."""
    while _processes:
        _processes.pop().communicate(timeout=60)
    _told.clear()


def open_session() -> Engine:
    """A session of its own in the run's server, once it answers: it listens before it can."""
    port, token = serve()
    os.environ[TOKEN_SETTING] = token
    last = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            spark = connect_jvm(port)
        except PySparkException:
            if time.monotonic() > last:
                raise
            time.sleep(0.5)
        else:
            return Engine(spark, SPARK, spark.stop)


if __name__ == "__main__":
    start_jvm(int(sys.argv[1]), {"spark.driver.extraJavaOptions": JVM_FOR_SMALL_JOBS})
    sys.stdin.read()
