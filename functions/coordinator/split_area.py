"""The messages of one grid area, series by series (messages 1 and 2)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from functions.coordinator.area_messages import AreaSplit, SplitJob
from functions.coordinator.sum_suppliers import Comparable, SupplierSums, comparable, without_brp
from functions.messages import cim_json
from functions.messages.actors import Party, receiver_of
from functions.messages.batch import Message, Points, digest
from functions.messages.charges_document import amount_points, charges_document
from functions.messages.documents import DATAHUB, LARGEST_POSITION, Document, Header, Period, minute, second
from functions.messages.energy_document import SeriesHead, energy_document, energy_points
from functions.messages.errors import BadSeries
from functions.messages.ids import Ids, document_ids
from functions.messages.recipients import (
    NEVER_SENT_SERIES,
    DocumentName,
    Rule,
    tables_sent,
)
from functions.messages.series import check_qualities, stretches
from functions.ports import ResultTables
from shared.codes import QUALITY_BIT, ActorRole, Quality, Resolution
from shared.result_series import ResultSeries


def split_area(job: SplitJob, made: AreaSplit, tables: ResultTables) -> Iterator[None]:
    """Make every message of a grid area; yields after each series, so that the caller can stop in between."""
    for table in tables_sent(job.process_type):
        split = _TableSplit(job, made, tables, table)
        yield from split.results()
        if made.grid_area in job.predecessors:
            yield from split.zeros(job.predecessors[made.grid_area])


class _Prepared(NamedTuple):
    """One stretch of a series with its points, which all its documents share."""

    period: Period
    points: Points


class _TableSplit:
    """The messages of one result table in one grid area."""

    def __init__(self, job: SplitJob, made: AreaSplit, tables: ResultTables, table: str) -> None:
        self._job, self._made, self._tables, self._table = job, made, tables, table
        rules = job.rules(table)
        self._rules = tuple(rule for rule in rules if not rule.over_suppliers_brps)
        self._sum_rules = tuple(rule for rule in rules if rule.over_suppliers_brps)

    def results(self) -> Iterator[None]:
        """The messages of the job's own series."""
        at = (self._table, self._job.job_id, self._job.attempt, self._made.grid_area)
        sums = SupplierSums(self._tables.series_keys(*at) if self._sum_rules else ())
        seen: set[Comparable] = set()
        for series in self._tables.series(*at):
            if not _is_sent(series):
                continue
            if comparable(series.key) in seen:
                # Its messages would have the ids of the other's.
                self._made.reject(self._table, None, series, "another series of the job has the same key")
                prepared = None
            else:
                prepared = self._prepare(series)
            seen.add(comparable(series.key))
            self._send(series, prepared or [], self._rules)
            if self._sum_rules:
                self._send_sum(sums, series, prepared)
            yield

    def zeros(self, predecessor: Mapping[str, Any]) -> Iterator[None]:
        """The series that the predecessor had and this job has not, with zeros (messages 1)."""
        area = self._made.grid_area
        old_at = (self._table, predecessor["job_id"], predecessor["attempt"], area)
        new = self._tables.series_keys(self._table, self._job.job_id, self._job.attempt, area)
        keys = {comparable(series.key) for series in new}
        totals = {comparable(without_brp(series.key)) for series in new}
        old = [series for series in self._tables.series_keys(*old_at) if _is_sent(series)]
        gone = {series.result_id for series in old if comparable(series.key) not in keys}
        gone_parts = [s for s in old if self._sum_rules and comparable(without_brp(s.key)) not in totals]
        sums = SupplierSums(gone_parts)
        for series in self._tables.series(*old_at, only=gone) if gone else ():
            zero = zeroed(series)
            prepared = self._prepare(zero, reset=True)
            self._send(zero, prepared or [], self._rules, reset=True)
            if comparable(without_brp(series.key)) in sums:
                self._send_sum(sums, zero, prepared, reset=True)
            yield

    def _prepare(self, series: ResultSeries, *, reset: bool = False) -> list[_Prepared] | None:
        """The stretches of a series, packed; None when it is bad and so rejected.

        A bad series of the predecessor was rejected then, so there is nothing to reset.
        """
        try:
            _check(series, (*self._rules, *self._sum_rules))
            points = amount_points if "charge_owner_id" in series.key else energy_points
            resolution = series.key.get("resolution", Resolution.MONTH)
            found = [(cut, points(series, cut)) for cut in stretches(series.times, resolution, self._job.zone)]
        except BadSeries as error:
            if not reset:
                self._made.reject(self._table, None, series, str(error))
            return None
        return [
            _Prepared(Period(resolution, cut.start, cut.end, values), Points.of(cim_json.points_text(values)))
            for cut, values in found
        ]

    def _send_sum(
        self, sums: SupplierSums, series: ResultSeries, prepared: list[_Prepared] | None, *, reset: bool = False
    ) -> None:
        total = sums.add(series, bad=prepared is None)
        if total is None:
            return
        if total.bad:
            if not total.alone and not reset:
                for rule in self._sum_rules:
                    self._made.reject(self._table, rule, total.series, "a series that it sums up was rejected")
            return
        if not total.alone:
            prepared = self._prepare(total.series, reset=reset)
        self._send(total.series, prepared or [], self._sum_rules, reset=reset)

    def _send(
        self, series: ResultSeries, prepared: list[_Prepared], rules: Collection[Rule], *, reset: bool = False
    ) -> None:
        for rule in rules:
            if not prepared or not _applies(rule, series):
                continue
            try:
                receiver = receiver_of(rule, series.key, self._job.actors)
                if receiver is not None:
                    self._send_to(receiver, rule, series, prepared)
                elif not reset:
                    self._made.without_receiver += 1
            except BadSeries as error:
                self._made.reject(self._table, rule, series, str(error))

    def _send_to(self, original: Party, rule: Rule, series: ResultSeries, prepared: list[_Prepared]) -> None:
        job, area = self._job, self._made.grid_area
        sender = Party(job.actors.owner(area), ActorRole.METERED_DATA_RESPONSIBLE) if rule.sent_by_owner else DATAHUB
        effective = job.actors.delegate(original, rule.document.delegation_process, area)
        for period, points in prepared:
            ids = document_ids(
                job_id=job.job_id,
                row=rule.name,
                key=series.key,
                original=original,
                effective=effective,
                period_start=minute(period.start),
            )
            header = Header(
                mrid=ids.message,
                process_type=job.process_type,
                receiver=Party(effective.actor_id, original.role),
                created=job.created,
                sender=sender,
            )
            document = cim_json.parts(_document(job, header, ids, rule, series, period), "")
            self._made.add(
                _message(job, ids, rule, area, original, effective, period, document, points), document, points
            )


def _check(series: ResultSeries, rules: Collection[Rule]) -> None:
    """What is wrong with a series for all its receivers."""
    kind = series.key.get("time_series_type")
    if kind is not None and not any(rule.series and kind in rule.series for rule in rules):
        raise BadSeries(f"the receiver table has no row for the series '{kind}'")
    if any(rule.document is DocumentName.CHARGES for rule in rules) and series.key["energy_supplier_id"] is None:
        raise BadSeries("the series has no energy supplier, and RSM-019 cannot do without")
    if len(series.times) > LARGEST_POSITION:
        raise BadSeries(f"the series has more than {LARGEST_POSITION} points")
    check_qualities(series)


def _is_sent(series: ResultSeries) -> bool:
    return series.key.get("time_series_type") not in NEVER_SENT_SERIES


def _applies(rule: Rule, series: ResultSeries) -> bool:
    if rule.series is not None:
        return series.key["time_series_type"] in rule.series
    return rule.owner_set is None or rule.owner_set == (series.key["charge_owner_id"] is not None)


def _document(job: SplitJob, header: Header, ids: Ids, rule: Rule, series: ResultSeries, period: Period) -> Document:
    head = SeriesHead(mrid=ids.series, version=job.version, correction=job.correction)
    if rule.document is DocumentName.CHARGES:
        return charges_document(header, head, series.key, period)
    return energy_document(header, head, rule, series.key, period)


def _message(
    job: SplitJob,
    ids: Ids,
    rule: Rule,
    area: str,
    original: Party,
    effective: Party,
    period: Period,
    document: cim_json.CimJson,
    points: Points,
) -> Message:
    length, sha256 = digest(document, points)
    return Message(
        message_id=ids.message,
        document_type=rule.document.value,
        process_type=job.process_type,
        recipient=effective.actor_id,
        recipient_role=effective.role,
        original_recipient=original.actor_id,
        original_role=original.role,
        grid_area=area,
        job_id=job.job_id,
        row=rule.name,
        period_start=second(period.start),
        period_end=second(period.end),
        created=second(job.created),
        content_length=length,
        content_sha256=sha256,
    )


def zeroed(series: ResultSeries) -> ResultSeries:
    """The series with every quantity and amount zero and quality calculated, to reset what its receiver holds."""
    calculated = bytes([QUALITY_BIT[Quality.CALCULATED]])
    return replace(
        series,
        quantities=["0.000"] * len(series.quantities),
        qualities=calculated * len(series.qualities),
        amounts=["0.000000"] * len(series.amounts),
    )
