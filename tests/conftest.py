"""Fixtures that every test may ask for, and what holds for the whole run."""

import pytest

from tests.support.spark import HOW_TO_GET_JAVA, close_engines, engine, skip_jvm_tests

__all__ = ["engine"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_jvm_tests(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any(HOW_TO_GET_JAVA in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(HOW_TO_GET_JAVA, red=True, bold=True)


def pytest_sessionfinish() -> None:
    close_engines()
