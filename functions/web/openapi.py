"""OpenAPI 3.1, built from the table of routes (coordinator 3)."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from functions.web.description import PATHS, SCHEMAS
from functions.web.http import JSON, PROBLEM, TITLES

if TYPE_CHECKING:
    from functions.web.routes import Operation, Route

_PARAMETER = re.compile(r"\{(\w+)\}")
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    "description": "the same caller, key and parameters give the same job",
}


def describe(routes: Iterable["Route"], *, anonymous: bool) -> dict[str, Any]:
    """The document. `anonymous`: callers without a token are let in here."""
    paths = {
        f"/api/{route.path}": {
            method.lower(): _operation(route.path, method, operation, anonymous)
            for method, operation in route.operations.items()
        }
        for route in routes
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Settlement of an electricity market", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(path: str, method: str, operation: "Operation", anonymous: bool) -> dict[str, Any]:
    named = [{"name": name, "in": "path", "required": True, "schema": PATHS[name]} for name in _PARAMETER.findall(path)]
    asked = [
        {"name": name, "in": "query", "required": name in operation.required, "schema": schema}
        for name, schema in operation.query.items()
    ]
    summary = (operation.handler.__doc__ or "").strip().splitlines()[0]
    described: dict[str, Any] = {
        "operationId": f"{method.lower()}_{re.sub(r'[^A-Za-z]+', '_', path).strip('_')}",
        "summary": summary,
        "parameters": named + asked + ([_KEY] if operation.keyed else []),
        "responses": _responses(operation),
    }
    if operation.body:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": _schema(operation.body)}}}
    if operation.roles:
        entra: dict[str, list[str]] = {"entra": []}
        described["security"] = [{}, entra] if anonymous else [entra]
        described["description"] = f"Needs the role {' or '.join(sorted(operation.roles))}."
    return described


def _responses(operation: "Operation") -> dict[str, Any]:
    responses: dict[str, Any] = {
        str(operation.status): {
            "description": "done" if operation.status == 200 else "under way",
            "content": {
                media: {"schema": _schema(operation.answer) if media == JSON else {"type": "string"}}
                for media in operation.media
            },
        }
    }
    for status in operation.problems:
        responses[str(status)] = {
            "description": TITLES[status],
            "content": {PROBLEM: {"schema": _schema("Problem")}},
        }
    if operation.answer == "Health" and operation.roles:
        responses["503"]["content"][JSON] = {"schema": _schema("Health")}
    return responses


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
