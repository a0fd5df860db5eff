"""One model of a market document, the same for its JSON and its XML (messages 5).

A document is a header and one series of elements in the order of the schemas, and then either a period with points
or, in a reject, reasons. What an element looks like is its form; the renderers know no names.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache

from functions.messages.actors import Party, coding_scheme
from functions.messages.errors import BadSeries
from functions.messages.recipients import DocumentName
from shared.codes import DATAHUB_GLN, ActorRole

DATAHUB = Party(DATAHUB_GLN, ActorRole.DATAHUB)
GRID_AREA_SCHEME = "NDK"
LARGEST_POSITION = 999_999


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Form(Enum):
    """How a value is written: JSON `"x"`, `{"value": "x"}`, or `{"codingScheme": "A10", "value": "x"}`."""

    TEXT = "text"
    CODE = "code"
    IDENTIFIED = "identified"


@dataclass(frozen=True, slots=True)
class Element:
    """One named value; `scheme` for identified ones."""

    name: str
    value: str
    form: Form = Form.TEXT
    scheme: str = ""


class PointForm(Enum):
    """How a value of a point is written in JSON: `1.0`, `{"value": 1.0}` or `{"value": "A03"}`; in XML all alike."""

    NUMBER = "number"
    BOXED_NUMBER = "boxed number"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Values:
    """One value per point, decimals as stored text; None: no element."""

    name: str
    values: Sequence[str | None]
    form: PointForm = PointForm.NUMBER


@dataclass(frozen=True, slots=True)
class Codes:
    """One code per point, by a table: point i has `table[indices[i]]`; None there: no element."""

    name: str
    indices: bytes
    table: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Points:
    """The points of a period at positions 1 to `count`; the columns in the order of the schema."""

    count: int
    columns: tuple[Values | Codes, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """An interval of minutes, half-open, and its points."""

    resolution: str
    start: datetime
    end: datetime
    points: Points


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document: `period` for data, `reasons` (code, text) for a reject."""

    name: DocumentName
    header: tuple[Element, ...]
    series: tuple[Element, ...]
    period: Period | None = None
    reasons: tuple[tuple[str, str], ...] = ()

    @property
    def root(self) -> str:
        """Name of the outermost element."""
        return f"{self.name.value}_MarketDocument"


@lru_cache(maxsize=256)
def minute(instant: datetime) -> str:
    """An instant as a time interval has it: `2025-01-31T23:00Z`, no seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


@lru_cache(maxsize=256)
def second(instant: datetime) -> str:
    """An instant as createdDateTime has it: `2025-01-31T23:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def code(name: str, value: str | None) -> tuple[Element, ...]:
    """An element of a code list, or none."""
    return (Element(name, value, Form.CODE),) if value is not None else ()


def text(name: str, value: str | None) -> tuple[Element, ...]:
    """A plain element, or none. Raises BadSeries for letters that XML cannot carry."""
    if value is not None and _NO_XML.search(value):
        raise BadSeries(f"{name} {value!r} holds a letter that XML cannot carry")
    return (Element(name, value),) if value is not None else ()


def actor(name: str, actor_id: str | None) -> tuple[Element, ...]:
    """A market actor with its coding scheme, or none. Raises BadSeries for an id that is neither GLN nor EIC."""
    return (Element(name, actor_id, Form.IDENTIFIED, coding_scheme(actor_id)),) if actor_id is not None else ()


def area(name: str, grid_area: str | None) -> tuple[Element, ...]:
    """A grid area, or none."""
    return (Element(name, grid_area, Form.IDENTIFIED, GRID_AREA_SCHEME),) if grid_area is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every document says first. `receiver` names who gets it, its role the one that the data is meant for."""

    mrid: str
    process_type: str
    receiver: Party
    created: datetime
    sender: Party = DATAHUB
    type: str = "E31"
    reason: str | None = None

    def elements(self) -> tuple[Element, ...]:
        """The elements in the order of the schemas."""
        return (
            *text("mRID", self.mrid),
            *code("type", self.type),
            *code("process.processType", self.process_type),
            *code("businessSector.type", "23"),
            *actor("sender_MarketParticipant.mRID", self.sender.actor_id),
            *code("sender_MarketParticipant.marketRole.type", self.sender.role),
            *actor("receiver_MarketParticipant.mRID", self.receiver.actor_id),
            *code("receiver_MarketParticipant.marketRole.type", self.receiver.role),
            *text("createdDateTime", second(self.created)),
            *code("reason.code", self.reason),
        )


def reject(
    name: DocumentName,
    header: Header,
    *,
    series_mrid: str,
    transaction_id: str,
    reasons: Sequence[tuple[str, str]],
) -> Document:
    """A reject document for one asked series: type ERR, reason A02, and every error found as (code, text)."""
    series = (*text("mRID", series_mrid), *text("originalTransactionIDReference_Series.mRID", transaction_id))
    return Document(name, header.elements(), series, reasons=tuple(reasons))


def reject_header(*, mrid: str, process_type: str, receiver: Party, created: datetime) -> Header:
    """The header of a reject document."""
    return Header(mrid=mrid, process_type=process_type, receiver=receiver, created=created, type="ERR", reason="A02")


Key = Mapping[str, str | bool | None]
"""The key values of a series by column."""
