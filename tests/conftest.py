"""Fixtures that every test may ask for, and what holds for the whole run."""

from typing import Any

import pytest

from tests.support import jvm_server
from tests.support.spark import HOW_TO_GET_JAVA, close_engines, engine, has_java, skip_jvm_tests

__all__ = ["engine"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_jvm_tests(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any(HOW_TO_GET_JAVA in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(HOW_TO_GET_JAVA, red=True, bold=True)


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_configure_node(node: Any) -> None:
    if has_java():
        jvm_server.serve_worker(node.workerinput)


def pytest_configure(config: pytest.Config) -> None:
    jvm_server.use_server_of(config)


def pytest_sessionfinish() -> None:
    close_engines()
    jvm_server.end()
