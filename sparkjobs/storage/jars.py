"""Delta's jars for Spark on a local JVM: fetched once at set-up, used from the cache afterwards.

`python -m sparkjobs.storage.jars` fetches them; a job needs no network after that.
"""

import subprocess
import sys
from pathlib import Path

CACHE = Path.home() / ".cache" / "aggregations" / "delta-jars"
_ARTIFACTS = ("delta-spark_2.13", "delta-storage", "antlr4-runtime")


def delta_jars() -> list[str]:
    """The paths of Delta's jars, fetched first when they are not there yet.

    Raises:
        RuntimeError: they cannot be fetched; the message says how.
    """
    found = [str(jar) for artifact in _ARTIFACTS for jar in sorted(CACHE.glob(f"*{artifact}-*.jar"))[-1:]]
    if len(found) == len(_ARTIFACTS):
        return found
    _fetch()
    return [str(jar) for artifact in _ARTIFACTS for jar in sorted(CACHE.glob(f"*{artifact}-*.jar"))[-1:]]


def _fetch() -> None:
    """Let Spark's own resolver fetch them, in a process of its own: a JVM started for it cannot be used again."""
    CACHE.mkdir(parents=True, exist_ok=True)
    code = (
        "from delta.pip_utils import configure_spark_with_delta_pip\n"
        "from pyspark.sql import SparkSession\n"
        f"builder = SparkSession.builder.master('local[1]').config('spark.jars.ivy', {str(CACHE / 'ivy')!r})"
        ".config('spark.ui.enabled', 'false')\n"
        "configure_spark_with_delta_pip(builder).getOrCreate().stop()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 our own code
    if run.returncode != 0:
        raise RuntimeError(
            f"Delta's jars could not be fetched; a network and Java 17 or newer are needed: {run.stderr}"
        )
    for jar in (CACHE / "ivy" / "jars").glob("*.jar"):
        jar.rename(CACHE / jar.name)


if __name__ == "__main__":
    delta_jars()
