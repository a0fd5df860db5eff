"""The session that a job runs in: Databricks' or spark-submit's own, Sail, or Spark on a local JVM (architecture 3).

Only what PySpark offers over Spark Connect is used, so the code above this module does not know which one it is.
"""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import SparkSession

ENGINE_SETTING = "SETTLEMENT_ENGINE"
SAIL = "sail"
SPARK = "spark"
OWN_SESSION = "own session"
# Not SPARK_CONNECT_MODE_ENABLED: every client sets it, and processes inherit it.
_HOSTS = ("DATABRICKS_RUNTIME_VERSION", "PYSPARK_GATEWAY_PORT", "SPARK_REMOTE")


@dataclass(frozen=True)
class Engine:
    """An open session. `name` is `sail`, `spark` (local JVM) or `own session`; `close` ends what was started."""

    spark: SparkSession
    name: str
    close: Callable[[], None]

    @property
    def is_sail(self) -> bool:
        """Whether the session is Sail's, which does some things with Delta differently (platform 10)."""
        return self.name == SAIL

    def versions(self) -> dict[str, str]:
        """What calculated, for the manifest."""
        return {"name": self.name, "version": self.spark.version, "python": sys.version.split()[0]}


def open_engine(setting: str | None = None, *, little: bool = False) -> Engine:
    """Open the session that `setting` names: `sail`, `spark`, or None for the place where the job runs, else Sail.

    `little` says that a JVM of the job's own would compile for longer than the job calculates.

    Raises:
        ValueError: the setting is neither; the message says what would be right.
    """
    if setting not in (None, "", SAIL, SPARK):
        raise ValueError(
            f"{ENGINE_SETTING}='{setting}' is neither '{SPARK}' nor '{SAIL}'; leave it out for the default"
        )
    if setting == SPARK:
        return _jvm(little)
    if not setting and any(name in os.environ for name in _HOSTS):
        spark = SparkSession.builder.getOrCreate()
        return Engine(_alike(spark), OWN_SESSION, lambda: None)
    return _sail()


def _alike(spark: SparkSession) -> SparkSession:
    """What must not depend on where the job runs: instants in UTC, and null where a value does not fit its type.

    ANSI mode would end the query with an error of the engine's own; the job judges such values by its rules and ends
    with the rule's name (architecture 3.2).
    """
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    return spark


# PySpark notes the place of every call for its error messages, and looks for IPython each time: half the client's time.
_NO_CALL_SITES = ("spark.python.sql.dataFrameDebugging.enabled", "false")


def _sail() -> Engine:
    os.environ.setdefault("RUST_LOG", "error")  # Sail tells every session and task otherwise, on the job's stderr
    # Sail ends a session that asks nothing for five minutes: less than a long query or a test of another engine takes.
    os.environ.setdefault("SAIL_SPARK__SESSION_TIMEOUT_SECS", "86400")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(port=0)
    server.start(background=True)
    address = server.listening_address
    spark = SparkSession.builder.remote(f"sc://localhost:{address[1]}").create()

    spark.conf.set(*_NO_CALL_SITES)

    def close() -> None:
        spark.stop()
        server.stop()

    return Engine(_alike(spark), SAIL, close)


# The quick compiler alone, whose code is slower: it halves the processor time of a job of the sample's month.
_JVM_FOR_LITTLE = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


def _jvm(little: bool) -> Engine:
    """Spark on a JVM of this machine, which ends with this process."""
    port = free_port()
    start_jvm(port, _JVM_FOR_LITTLE if little else {})
    spark = connect_jvm(port)
    return Engine(spark, SPARK, spark.stop)


def start_jvm(port: int, settings: Mapping[str, str] | None = None) -> None:
    """Serve Spark Connect from a JVM of this process; Delta's jars come from the set-up's cache.

    `settings` are Spark's own, beside those that every session of a local JVM has.

    PySpark's own `remote("local")` would do the same, but on one fixed port, so that two jobs at once would meet in one
    server.
    """
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Once this process has opened a session of another engine, only a "local remote" may start a server.
    os.environ.setdefault("SPARK_LOCAL_REMOTE", "1")
    ConnectSession._start_connect_server(f"local[{os.cpu_count() or 2}]", {**_jvm_settings(port), **(settings or {})})


def connect_jvm(port: int) -> SparkSession:
    """A new session of the server at a port of this machine."""
    return _alike(SparkSession.builder.remote(f"sc://localhost:{port}").create())


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _jvm_settings(port: int) -> dict[str, str]:
    from sparkjobs.storage.jars import delta_jars

    return {
        "spark.jars": ",".join(delta_jars()),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.connect.grpc.binding.port": str(port),
        _NO_CALL_SITES[0]: _NO_CALL_SITES[1],
        "spark.ui.enabled": "false",
        # Nobody can look at what the driver would remember of finished queries.
        "spark.sql.ui.retainedExecutions": "1",
        "spark.ui.retainedJobs": "1",
        "spark.ui.retainedStages": "1",
        "spark.ui.retainedTasks": "1",
        "spark.ui.showConsoleProgress": "false",
        # Nor at its plans: to write them out takes a twentieth of a warm job.
        "spark.sql.ui.explainMode": "simple",
        "spark.sql.maxPlanStringLength": "1000",
        # 100 by default: a second job of the session would generate, load and compile its classes once more.
        "spark.sql.codegen.cache.maxEntries": "2000",
        # All threads work for one job, which waits for its end, not for short pauses.
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY", "2g"),
        # 200 and 50 by default: a small job would spend its time starting tasks (platform 9).
        "spark.sql.shuffle.partitions": str(os.cpu_count() or 2),
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.autoBroadcastJoinThreshold": str(256 * 1024 * 1024),
    }
