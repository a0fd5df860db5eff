"""The settings and their page."""

from pathlib import Path

import pytest

from shared.settings import SETTINGS, Settings, settings_page
from tests.support.app import ENVIRONMENT

ROOT = Path(__file__).parents[3]


def test_the_page_of_the_settings_is_current() -> None:
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == settings_page()


def test_every_setting_is_named_once() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_what_production_needs_is_named_when_it_is_missing() -> None:
    missing = {name for name, problem in Settings.from_environment({}).problems.items() if problem == "is missing"}
    assert missing == {
        "LAKE_URL",
        "LAKE_TABLES_URI",
        "DATABRICKS_HOST",
        "POST_OFFICE__fullyQualifiedNamespace",
        "ENTRA_ISSUER",
        "ENTRA_AUDIENCE",
        "ENTRA_JWKS_URL",
    }
    assert Settings.from_environment(ENVIRONMENT).problems == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_ANONYMOUS", "yes"),
        ("EVENT_DELIVERY", "pigeon"),
        ("ESETT_ENABLED", "maybe"),
        ("SETTLEMENT_JOB_ID", "settlement"),
        ("FUNCTION_SECONDS", "0"),
        ("RETENTION_DAYS", "-1"),
        ("TIME_ZONE", "Europe/Atlantis"),
        ("TIME_ZONE", "../etc/passwd"),
        ("QUARTERLY_TRANSITION", "2023-05-01"),
        ("QUARTERLY_TRANSITION", "2023-05-01T00:00:00Z"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    assert name in Settings.from_environment(ENVIRONMENT | {name: value}).problems


def test_the_public_address_is_azures_host_name_where_nothing_else_is_said() -> None:
    azure = {"WEBSITE_HOSTNAME": "settlement.azurewebsites.net", "WEBSITE_INSTANCE_ID": "1"}
    named = {name: value for name, value in ENVIRONMENT.items() if name != "PUBLIC_BASE_URL"}
    assert Settings.from_environment(named | azure).public_base_url == "https://settlement.azurewebsites.net"
    assert Settings.from_environment(ENVIRONMENT | azure).public_base_url == "https://settlement.example"
