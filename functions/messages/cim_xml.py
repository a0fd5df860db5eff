"""A document as CIM XML: UTF-8 without BOM, element order as messages 5."""

from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any
from xml.sax.saxutils import escape

from functions.messages.documents import Codes, Document, Element, Form, Points, Values, minute

_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def render(document: Document) -> bytes:
    """The whole document as XML."""
    name = document.name.value.lower()
    namespace = f"urn:ediel.org:measure:{name}:0:1"
    location = f"{namespace} urn-ediel-org-measure-{name}-0-1.xsd"
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<cim:{document.root} xmlns:cim="{namespace}" xmlns:xsi="{_XSI}" xsi:schemaLocation="{location}">',
            *map(_element, document.header),
            "<cim:Series>",
            *map(_element, document.series),
            _content(document),
            f"</cim:Series></cim:{document.root}>",
        )
    ).encode()


def _element(element: Element) -> str:
    scheme = f' codingScheme="{element.scheme}"' if element.form is Form.IDENTIFIED else ""
    return f"<cim:{element.name}{scheme}>{escape(element.value)}</cim:{element.name}>"


def _content(document: Document) -> str:
    if document.period is None:
        return "".join(
            f"<cim:Reason><cim:code>{escape(code)}</cim:code><cim:text>{escape(text)}</cim:text></cim:Reason>"
            for code, text in document.reasons
        )
    period = document.period
    return "".join(
        (
            f"<cim:Period><cim:resolution>{period.resolution}</cim:resolution>",
            f"<cim:timeInterval><cim:start>{minute(period.start)}</cim:start>",
            f"<cim:end>{minute(period.end)}</cim:end></cim:timeInterval>",
            _points(period.points),
            "</cim:Period>",
        )
    )


def _points(points: Points) -> str:
    columns: list[Iterable[str]] = [
        repeat("<cim:Point><cim:position>"),
        map(str, range(1, points.count + 1)),
        repeat("</cim:position>"),
    ]
    for column in points.columns:
        columns += _pieces(column)
    columns.append(repeat("</cim:Point>"))
    return "".join(chain.from_iterable(zip(*columns)))  # noqa: B905 - repeat() has no end


def _pieces(column: Values | Codes) -> list[Iterable[Any]]:
    before, after = f"<cim:{column.name}>", f"</cim:{column.name}>"
    if isinstance(column, Codes):
        table = ["" if code is None else f"{before}{code}{after}" for code in column.table]
        return [map(table.__getitem__, column.indices)]
    if None in column.values:
        return [["" if value is None else f"{before}{value}{after}" for value in column.values]]
    return [repeat(before), column.values, repeat(after)]
