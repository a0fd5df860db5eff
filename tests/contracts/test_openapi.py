"""The description of the interface is true: schemathesis asks the app in process (issue "The coordinator")."""

import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.support.app import World, wsgi

WORLD = World()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
]
SCHEMA = schemathesis.openapi.from_wsgi("/api/openapi.json", wsgi(WORLD))


@SCHEMA.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    database=None,
)
def test_the_interface_is_as_described(case: Any) -> None:
    case.call_and_validate(checks=CHECKS)


def test_the_description_names_what_a_caller_needs() -> None:
    document = json.loads(WORLD.call("GET", "openapi.json").body)
    assert document["openapi"].startswith("3.1")
    start = document["paths"]["/api/KickStartJob"]
    assert set(start) == {"get", "post"}
    assert set(start["post"]["responses"]) >= {"202", "400", "401", "403", "406", "409", "413", "415", "422", "503"}
    assert start["get"]["security"] == [{}, {"entra": []}]
