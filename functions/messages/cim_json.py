"""A document as CIM JSON, and back (messages 5). Decimals stay the text that they are stored as."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from functions.messages.documents import (
    Codes,
    Document,
    Element,
    Form,
    Period,
    PointForm,
    Points,
    Values,
    minute,
)
from functions.messages.recipients import DocumentName
from shared.danish_time import parse_instant


class CimJson(NamedTuple):
    """The text of a document in three parts: the points, often shared by several documents, stand by themselves."""

    head: str
    points: str
    tail: str


def render(document: Document) -> str:
    """The whole document as JSON text."""
    return "".join(parts(document, points_text(document.period.points) if document.period else ""))


def parts(document: Document, points: str) -> CimJson:
    """The document around its points, which `points_text` made."""
    series = _object(document.series)
    head = f'{{"{document.root}":{{{_object(document.header)},"Series":[{{{series}'
    if document.period is None:
        reasons = ",".join(
            f'{{"code":{{"value":{_text(code)}}},"text":{_text(text)}}}' for code, text in document.reasons
        )
        return CimJson(f'{head},"Reason":[', reasons, "]}]}}")
    period = document.period
    interval = f'{{"start":{{"value":"{minute(period.start)}"}},"end":{{"value":"{minute(period.end)}"}}}}'
    opening = f'{head},"Period":{{"resolution":"{period.resolution}","timeInterval":{interval},"Point":['
    return CimJson(opening, points, "]}}]}}")


def _object(elements: Iterable[Element]) -> str:
    return ",".join(f'"{element.name}":{_value(element)}' for element in elements)


def _value(element: Element) -> str:
    value = _text(element.value)
    if element.form is Form.TEXT:
        return value
    if element.form is Form.CODE:
        return f'{{"value":{value}}}'
    return f'{{"codingScheme":"{element.scheme}","value":{value}}}'


_text = json.encoder.encode_basestring
"""A text as JSON writes it, quotes and escapes; letters beyond ASCII stay."""


def points_text(points: Points) -> str:
    """The points, comma-separated.

    A million of them must take a fraction of a second, so the text is joined from columns of ready pieces.
    """
    if not points.count:
        return ""
    # Points may have nothing but their positions.
    first, *others = points.columns or (Values("quantity", [None] * points.count),)
    opened, rest = _opened(first, points.count)
    columns: list[Sequence[Any]] = [opened, *rest]
    for column in others[:-1]:
        columns += _pieces(column)
    columns += _pieces(others[-1], "},") if others else [["},"] * points.count]
    pieces = [""] * (len(columns) * points.count)
    for index, column_pieces in enumerate(columns):
        pieces[index :: len(columns)] = column_pieces
    return "".join(pieces)[:-1]


def _opened(column: Values | Codes, count: int) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """The openings of the points together with the name of their first value, where all of them have one."""
    if isinstance(column, Codes) or None in column.values:
        return _openings(count, ""), _pieces(column)
    before, after = _around(column)
    return _openings(count, before), [column.values, [after] * count] if after else [column.values]


@lru_cache(maxsize=16)
def _openings(count: int, before: str) -> tuple[str, ...]:
    return tuple(f'{{"position":{{"value":{position}}}{before}' for position in range(1, count + 1))


def _pieces(column: Values | Codes, end: str = "") -> list[Sequence[Any]]:
    """What a column adds to each point; `end` closes the point behind its last column."""
    if isinstance(column, Codes):
        texts = _code_texts(column.name, tuple(column.table), end)
        return [[texts[index] for index in column.indices]]
    before, after = _around(column)
    values = column.values
    if None in values:
        return [[end if value is None else f"{before}{value}{after}{end}" for value in values]]
    closing = after + end
    befores = [before] * len(values)
    return [befores, values, [closing] * len(values)] if closing else [befores, values]


@lru_cache(maxsize=16)
def _code_texts(name: str, table: tuple[str | None, ...], end: str) -> list[str]:
    return [end if code is None else f',"{name}":{{"value":"{code}"}}{end}' for code in table]


def _around(column: Values) -> tuple[str, str]:
    match column.form:
        case PointForm.NUMBER:
            return f',"{column.name}":', ""
        case PointForm.BOXED_NUMBER:
            return f',"{column.name}":{{"value":', "}"
        case PointForm.CODE:
            return f',"{column.name}":{{"value":"', '"}'


def parse(text: str | bytes) -> Document:
    """Read a document that `render` wrote; every value as the text that it is."""
    document: Mapping[str, Any] = json.loads(text, parse_float=str, parse_int=str)
    root, content = next(iter(document.items()))
    series = content["Series"][0]
    period = series.get("Period")
    return Document(
        DocumentName(root.removesuffix("_MarketDocument")),
        _elements(content),
        _elements(series),
        _period(period) if period else None,
        tuple((reason["code"]["value"], reason["text"]) for reason in series.get("Reason", ())),
    )


def _elements(content: Mapping[str, Any]) -> tuple[Element, ...]:
    return tuple(_element(name, value) for name, value in content.items() if name not in ("Series", "Period", "Reason"))


def _element(name: str, value: str | Mapping[str, str]) -> Element:
    if isinstance(value, str):
        return Element(name, value)
    if "codingScheme" in value:
        return Element(name, value["value"], Form.IDENTIFIED, value["codingScheme"])
    return Element(name, value["value"], Form.CODE)


def _period(period: Mapping[str, Any]) -> Period:
    interval = period["timeInterval"]
    points = period["Point"]
    return Period(period["resolution"], _minute(interval["start"]), _minute(interval["end"]), _points(points))


def _minute(value: Mapping[str, str]) -> datetime:
    return parse_instant(value["value"])


_COLUMNS = (
    ("quantity", PointForm.NUMBER),
    ("energy_Quantity.quantity", PointForm.NUMBER),
    ("price.amount", PointForm.BOXED_NUMBER),
    ("energySum_Quantity.quantity", PointForm.NUMBER),
    ("quality", PointForm.CODE),
)


def _points(points: Sequence[Mapping[str, Any]]) -> Points:
    columns = []
    for name, form in _COLUMNS:
        values = [point.get(name) for point in points]
        if any(value is not None for value in values):
            plain = values if form is PointForm.NUMBER else [value and value["value"] for value in values]
            columns.append(Values(name, plain, form))
    return Points(len(points), tuple(columns))
