"""The engines that Spark tests run on: Sail always, the JVM where there is a Java of 17 or newer."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkjobs.storage.engine import SAIL, SPARK, Engine, open_engine
from tests.support.jvm_server import open_session

HOW_TO_GET_JAVA = (
    "NO JVM SPARK TESTS: no Java 17 or newer found. "
    "Install one (Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME, and run again."
)
OLDEST_JAVA = 17
# The tests run hundreds of tiny queries once each: to compile them costs more than to run them.
SPARK_FOR_SMALL_JOBS = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.stats.collect": "false",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.files.maxPartitionNum": "1",
}
_opened: dict[str, Engine] = {}


def java_version() -> int | None:
    """The major version of the Java that Spark would start, None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        return None
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else None


def has_java() -> bool:
    version = java_version()
    return version is not None and version >= OLDEST_JAVA


def engine_named(name: str) -> Engine:
    """One session per engine and test process: starting it costs more than most tests."""
    if name not in _opened:
        _opened[name] = open_session() if name == SPARK else open_engine(name)
        for setting, value in SPARK_FOR_SMALL_JOBS.items() if name == SPARK else ():
            _opened[name].spark.conf.set(setting, value)
    return _opened[name]


def close_engines() -> None:
    while _opened:
        _opened.popitem()[1].close()


@pytest.fixture(params=[SAIL, pytest.param(SPARK, marks=pytest.mark.jvm)], scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A test that asks for it runs on both engines."""
    return engine_named(request.param)


def skip_jvm_tests(items: list[pytest.Item]) -> None:
    """Without Java the tests marked `jvm` are skipped; in CI that is a failure."""
    marked = [item for item in items if item.get_closest_marker("jvm")]
    if not marked or has_java():
        return
    if os.environ.get("CI"):
        pytest.exit(f"{HOW_TO_GET_JAVA} In CI that is a failure.", returncode=1)
    for item in marked:
        item.add_marker(pytest.mark.skip(reason=HOW_TO_GET_JAVA))
