"""The wheel's console script for the local jobs API: what Databricks would install is what runs here."""

import importlib.metadata
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

_SCRIPT = """#!/bin/sh
# Made from the wheel's entry point {name}.
PYTHONPATH="{library}" exec "{python}" -P -c "import sys; from {module} import {function}; sys.exit({function}())" "$@"
"""


def install(project: Path, folder: Path) -> Path:
    """Build the wheel from the sources as they are and unpack it; returns the path of its `settlement` script.

    Raises:
        subprocess.CalledProcessError: the wheel cannot be built.
    """
    built = folder / "dist"
    shutil.rmtree(built, ignore_errors=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    library = folder / "lib"
    shutil.rmtree(library, ignore_errors=True)
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(library)
    return _script("settlement", library, folder)


def _script(name: str, library: Path, folder: Path) -> Path:
    distribution = next(iter(importlib.metadata.distributions(path=[str(library)])))
    entry = distribution.entry_points.select(group="console_scripts")[name]
    text = _SCRIPT.format(name=name, library=library, python=sys.executable, module=entry.module, function=entry.attr)
    script = folder / name
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script
