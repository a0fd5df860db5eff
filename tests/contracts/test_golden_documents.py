"""Every kind of document of a small worked market, as it is checked in: a change of wording is seen in the diff.

`python -m tests.contracts.test_golden_documents` writes them anew.
"""

import json
from pathlib import Path

import pytest
from lxml import etree

from functions.messages import cim_json, cim_xml
from functions.messages.documents import Document
from functions.messages.recipients import RULES
from tests.support.golden_market import balance_market, rejects, wholesale_market
from tests.support.messages import split_in_memory
from tests.support.results import splitting
from tests.support.schemas import json_errors, needs_schemas, xml_errors

GOLDEN = Path(__file__).parent / "golden"


def documents() -> dict[str, Document]:
    """Every document by the name of its file: the row of the receiver table and its number."""
    made = dict(rejects())
    splits = [
        split_in_memory(splitting("D04"), balance_market()),
        split_in_memory(splitting("D32", "D02"), wholesale_market()),
    ]
    rows: dict[str, int] = {}
    for line in sorted((line for split in splits for line in split.lines), key=lambda line: line.message.message_id):
        rows[line.message.row] = rows.get(line.message.row, 0) + 1
        made[f"{line.message.row}-{rows[line.message.row]}"] = cim_json.parse(line.content)
    assert not [split.rejected for split in splits if split.rejected]
    return made


def indented_json(document: Document) -> str:
    """The JSON form, indented for reading; the numbers keep their digits."""
    text = cim_json.render(document)
    kept = json.loads(text, parse_float=lambda number: f"<{number}>")
    return json.dumps(kept, indent=1, ensure_ascii=False).replace('"<', "").replace('>"', "") + "\n"


def indented_xml(document: Document) -> str:
    """The XML form, indented for reading."""
    root = etree.fromstring(cim_xml.render(document))
    etree.indent(root, " ")
    return etree.tostring(root, encoding="unicode") + "\n"


DOCUMENTS = documents()


def test_every_row_of_the_receiver_table_has_its_documents() -> None:
    assert {name.rsplit("-", 1)[0] for name in DOCUMENTS} >= {rule.name for rule in RULES}


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_document_is_the_golden_one(name: str) -> None:
    assert indented_json(DOCUMENTS[name]) == (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert indented_xml(DOCUMENTS[name]) == (GOLDEN / f"{name}.xml").read_text(encoding="utf-8")


def test_no_golden_document_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(DOCUMENTS)


@needs_schemas
@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_golden_document_is_valid(name: str) -> None:
    document = DOCUMENTS[name]
    assert json_errors(document.name, cim_json.render(document)) == []
    assert xml_errors(document.name, cim_xml.render(document)) == []


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for name, document in DOCUMENTS.items():
        (GOLDEN / f"{name}.json").write_text(indented_json(document), encoding="utf-8")
        (GOLDEN / f"{name}.xml").write_text(indented_xml(document), encoding="utf-8")
