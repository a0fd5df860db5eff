"""The shape of the code: sizes, what may be imported where, and what no file may hold."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("shared", "functions", "sparkjobs", "local", "bench")
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_TRIGGER = 250, 50, 15
# Only what PySpark offers over Spark Connect runs on all three engines (architecture 3).
BEYOND_CONNECT = {"sparkContext", "rdd", "_jvm", "_jsc", "_jdf", "cache", "persist", "udf", "pandas_udf", "toPandas"}


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def code_files() -> list[Path]:
    files = [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in (*CODE, "function_app.py")]
    return [path for path in files if not path.name.endswith("_pb2.py")]


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: that belongs to the reader."""
    doc = node.body[0]
    documented = isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str)
    docstring = (doc.end_lineno or 0) - doc.lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in code_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": length(node)
        for path in code_files()
        for node in functions_of(path)
        if length(node) > (LONGEST_TRIGGER if "triggers" in path.parts else LONGEST_FUNCTION)
    }
    assert long == {}


def test_azure_functions_is_known_to_the_triggers_alone() -> None:
    users = {path.relative_to(ROOT) for path in code_files() if "azure.functions" in imports_of(path)}
    assert {path for path in users if path.parts[0] != "local" and path != Path("function_app.py")} <= {
        path for path in users if path.parts[:2] == ("functions", "triggers")
    }


def test_function_app_registers_blueprints_and_nothing_else() -> None:
    functions = [node.name for node in functions_of(ROOT / "function_app.py")]
    assert functions == []


def test_the_spark_jobs_keep_to_spark_connect() -> None:
    beyond = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for path in code_files()
        if path.relative_to(ROOT).parts[0] == "sparkjobs"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in BEYOND_CONNECT
    }
    assert {use for use in beyond if "functools" not in use} == set()


def test_every_silenced_check_has_its_reason() -> None:
    marks = ("noqa", "type: ignore", "pragma: no cover")
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("*.py")
        if path.name != Path(__file__).name and not path.name.endswith("_pb2.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for mark in marks
        if f"# {mark}" in line and not line.split(f"# {mark}", 1)[1].strip().strip(":[]").partition(" ")[2]
    ]
    assert bare == []


@pytest.mark.parametrize("host", ["files.pythonhosted" + ".org", "registry.npmjs" + ".org", "repo1.maven" + ".org"])
def test_no_file_names_a_package_registry(host: str) -> None:
    found = subprocess.run(["git", "grep", "-lI", host], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout.split() == []
