"""The points of one series as the engine of the Delta tables hands them over: each column in one piece.

Whole numbers come as eight bytes each, the lowest first; decimals as one text with commas between them.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.result_series import UNKNOWN_QUALITY, ResultSeries

TEXTS = ("quantity", "price", "amount")
"""The decimal columns of result tables."""
_COUNT = bytes(value >> 4 for value in range(256))
_BITS = bytes(value & 15 for value in range(256))


class Named(Protocol):
    """What tells one series from the others."""

    @property
    def result_id(self) -> str | None:
        """Its id."""

    @property
    def key(self) -> Any:
        """Its key values by column."""


@dataclass(frozen=True)
class PointColumns:
    """One series. `certain`: no null and no set of qualities but of known ones, each there once."""

    times: "array[int]"
    texts: Mapping[str, Sequence[str | None]]
    qualities: bytes
    certain: bool

    def series(self, named: Named) -> ResultSeries:
        """The series, sorted by time."""
        times, texts, qualities = self.times, self.texts, self.qualities
        plain = times.tolist()
        if plain != sorted(plain):
            order = sorted(range(len(plain)), key=plain.__getitem__)
            times = array("q", (plain[index] for index in order))
            texts = {name: [values[index] for index in order] for name, values in texts.items()}
            qualities = bytes(qualities[index] for index in order) if qualities else qualities
        return ResultSeries(
            result_id=named.result_id or "",
            key=named.key,
            times=times,
            quantities=texts.get("quantity", []),
            qualities=qualities,
            prices=texts.get("price", []),
            amounts=texts.get("amount", []),
        )


def columns_of_batch(batch: Any, texts: Sequence[str], *, exact: bool) -> Iterator[PointColumns]:
    """The series of a record batch. `exact`: nulls stand in the texts as nothing, and no set holds a quality twice."""
    counts = batch.column("n_points").to_pylist()
    named = {name: batch.column(f"n_{name}").to_pylist() for name in texts}
    times = _whole_numbers(batch, "n_times")
    with_sets = "n_sets" in batch.schema.names
    sets = _whole_numbers(batch, "n_sets") if with_sets else memoryview(b"")
    qualities = batch.column("n_qualities").to_pylist() if with_sets else [0] * len(counts)
    first = 0
    for index, count in enumerate(counts):
        last = first + count
        numbers = bytes(sets[8 * first : 8 * last])
        columns = {name: _split(named[name][index], exact=exact) for name in texts}
        nulls = any(len(values) < count for values in columns.values())
        # A set holds at least as many qualities as it holds known ones: where the sums are equal, so is each set.
        known = sum(numbers[::8].translate(_COUNT)) == qualities[index]
        yield PointColumns(
            array("q", bytes(times[8 * first : 8 * last])),
            columns,
            _exact_qualities(numbers) if exact else numbers[::8].translate(_BITS),
            exact or (known and not nulls),
        )
        first = last


def _whole_numbers(batch: Any, name: str) -> memoryview:
    from arro3.core import list_flatten

    return memoryview(list_flatten(batch.column(name)).buffer()).cast("B")


def _split(text: str | None, *, exact: bool) -> Sequence[str | None]:
    """The values; the engine leaves nulls out of a text, and has none to give where all are null."""
    values = [] if text is None else text.split(",")
    return [value or None for value in values] if exact else values


def _exact_qualities(numbers: bytes) -> bytes:
    """The sets as bits; UNKNOWN_QUALITY where one holds more than the list knows."""
    sets, sizes = numbers[::8], numbers[1::8]
    bits, counts = sets.translate(_BITS), sets.translate(_COUNT)
    together = zip(bits, counts, sizes, strict=True)
    return bytes(known if count == size else UNKNOWN_QUALITY for known, count, size in together)
