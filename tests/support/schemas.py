"""The published schemas of the market's documents: XSD and JSON Schema (messages 5)."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from lxml import etree
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from functions.messages.recipients import DocumentName

FOLDER = Path(os.environ.get("SCHEMAS", Path(__file__).parents[3] / "shared" / "schemas"))
_JSON = {
    DocumentName.ENERGY: "Notify-Aggregated-Measure-Data-assembly-model",
    DocumentName.CHARGES: "Notify-wholesale-services-assembly-model",
    DocumentName.ENERGY_REJECT: "Reject-request-aggregated-measure-data-assembly-model",
    DocumentName.CHARGES_REJECT: "Reject-request-wholesale-settlement-assembly-model",
}
needs_schemas = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the published schemas are not in {FOLDER}: set SCHEMAS to their folder"
)


@cache
def json_validator(name: DocumentName) -> Draft7Validator:
    """Checks the JSON form of a document; `$ref`s to other files of the folder are found there."""
    resources = [
        (path.name, Resource.from_contents(json.loads(path.read_bytes()), default_specification=DRAFT7))
        for path in FOLDER.glob("*.schema.json")
    ]
    base = "file:///C:/Users/Public/Documents/iec.ch/TC57/2020/"
    registry: Registry[Any] = Registry().with_resources(
        [(key, resource) for key, resource in resources] + [(base + key, resource) for key, resource in resources]
    )
    schema = json.loads((FOLDER / f"{_JSON[name]}.schema.json").read_bytes())
    return Draft7Validator(schema, registry=registry, format_checker=FormatChecker())


@cache
def xml_schema(name: DocumentName) -> etree.XMLSchema:
    """Checks the XML form of a document."""
    return etree.XMLSchema(etree.parse(FOLDER / f"urn-ediel-org-measure-{name.value.lower()}-0-1.xsd"))


def json_errors(name: DocumentName, text: str | bytes) -> list[str]:
    """What is wrong with a document as CIM JSON; an unknown root is an error too."""
    document = json.loads(text)
    if list(document) != [f"{name.value}_MarketDocument"]:
        return [f"the root is {list(document)}"]
    return [f"{error.json_path}: {error.message}" for error in json_validator(name).iter_errors(document)]


def xml_errors(name: DocumentName, content: bytes) -> list[str]:
    """What is wrong with a document as CIM XML."""
    schema = xml_schema(name)
    root = etree.fromstring(content)
    if root.tag != f"{{urn:ediel.org:measure:{name.value.lower()}:0:1}}{name.value}_MarketDocument":
        return [f"the root is {root.tag}"]
    return [] if schema.validate(root) else [str(error) for error in schema.error_log]
