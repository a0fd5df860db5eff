"""The adapters are built at their first use, by whichever thread comes first."""

import subprocess
import sys

BUILT_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from functions.wiring import App

app = App({"LAKE_URL": "http://127.0.0.1:1", "LAKE_TABLES_URI": "/nowhere"})
parts = ("lake", "post_office", "tables", "lake")
assert "azure.eventhub" not in sys.modules
together = Barrier(len(parts))

def build(name):
    together.wait()
    getattr(app, name)
    return "azure.eventhub" in sys.modules and "azure.storage.filedatalake" in sys.modules

with ThreadPoolExecutor(len(parts)) as threads:
    assert list(threads.map(build, parts)) == [True] * len(parts), "an adapter was there before what it speaks with"
"""


def test_whatever_the_adapters_speak_with_is_imported_before_any_of_them_is_there() -> None:
    """Threads that import the SDKs each on its own can wait for one another, which Python ends with an error."""
    built = subprocess.run([sys.executable, "-c", BUILT_AT_ONCE], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
