"""Fixtures that every test may ask for, and what holds for the whole run."""

import pytest

from tests.support.spark import HOW_TO_GET_JAVA, close_engines, engine, skip_jvm_tests

__all__ = ["engine"]
_SKIPPED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[_SKIPPED] = skip_jvm_tests(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash.get(_SKIPPED, False):
        terminalreporter.write_line(HOW_TO_GET_JAVA, red=True, bold=True)


def pytest_sessionfinish() -> None:
    close_engines()
