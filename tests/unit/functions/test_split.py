"""Who gets what, and how splitting fares when repeated, stopped or given bad rows (messages 1, coordinator 6)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.coordinator.receive_result import split
from functions.messages.batch import unpack
from functions.messages.errors import UnknownResult
from functions.messages.recipients import rules_for
from shared import lake_layout
from shared.codes import ProcessType
from tests.support.messages import Split, split_in_memory
from tests.support.results import (
    BRP,
    ESETT,
    JOB,
    OLDER_JOB,
    OTHER_BRP,
    OTHER_SUPPLIER,
    OWNER,
    START,
    SUPPLIER,
    SYSTEM_OPERATOR,
    InMemoryResults,
    charge_rows,
    delegation_row,
    energy_rows,
    market,
    monthly_rows,
    owner_rows,
    per_supplier_rows,
    simulated,
    splitting,
    total_rows,
)

ROOT = "NotifyAggregatedMeasureData_MarketDocument"
CHARGES = "NotifyWholesaleServices_MarketDocument"
MDR, ES, RESPONSIBLE, IMBALANCE = (OWNER, "MDR"), (SUPPLIER, "DDQ"), (BRP, "DDK"), (ESETT, "DDX")


def per_supplier(*quantities: str | None, **key: Any) -> InMemoryResults:
    return market().add(lake_layout.ENERGY_PER_ES, per_supplier_rows("series", quantities or ["1.000"], **key))


def points(document: dict[str, Any], root: str = ROOT) -> list[dict[str, Any]]:
    return document[root]["Series"][0]["Period"]["Point"]


def series(document: dict[str, Any], root: str = ROOT) -> dict[str, Any]:
    return document[root]["Series"][0]


@pytest.mark.parametrize(
    ("process_type", "variant", "receivers"),
    [
        ("D03", "", [ES, RESPONSIBLE, IMBALANCE]),
        ("D04", "", [ES, RESPONSIBLE, IMBALANCE]),
        ("D05", "", [ES]),
        ("D32", "D03", [ES]),
    ],
)
def test_a_suppliers_series_goes_to_whom_the_table_says(process_type: str, variant: str, receivers: Any) -> None:
    assert split_in_memory(splitting(process_type, variant), per_supplier()).receivers == sorted(receivers)


def test_esett_gets_nothing_when_it_is_switched_off() -> None:
    assert split_in_memory(splitting(esett_id=None), per_supplier()).receivers == sorted([ES, RESPONSIBLE])


def test_grid_loss_and_temporary_series_are_never_sent() -> None:
    results = market()
    for kind in ("grid_loss", "temp_production", "temp_flex_consumption"):
        results.add(lake_layout.ENERGY, energy_rows(kind, ["1.000"], kind=kind))
    made = split_in_memory(splitting(), results)
    assert (made.receivers, made.rejected) == ([], [])


def test_an_unknown_result_is_an_error() -> None:
    with pytest.raises(UnknownResult, match="heat_loss"):
        rules_for("heat_loss", ProcessType.BALANCE_FIXING)
    assert rules_for(lake_layout.GRID_LOSS_TIME_SERIES, ProcessType.BALANCE_FIXING) == ()


def test_nothing_of_a_simulation_is_split() -> None:
    with pytest.raises(ValueError, match="simulation"):
        split_in_memory(simulated(splitting()), per_supplier())


@pytest.mark.parametrize(
    ("is_tax", "owner", "receiver"),
    [
        (False, SYSTEM_OPERATOR, (SYSTEM_OPERATOR, "EZ")),
        (True, SYSTEM_OPERATOR, (OWNER, "DDM")),
        (False, "5790000000077", (OWNER, "DDM")),
    ],
)
def test_charges_go_to_the_supplier_and_the_charge_owners_receiver(is_tax: bool, owner: str, receiver: Any) -> None:
    results = market()
    results.add(
        lake_layout.AMOUNTS_PER_CHARGE,
        charge_rows("a", [("1.000", "2.000000", "2.000000")], is_tax=is_tax, charge_owner_id=owner),
    )
    results.add(
        lake_layout.MONTHLY_AMOUNTS_PER_CHARGE, monthly_rows("m", "2.000000", is_tax=is_tax, charge_owner_id=owner)
    )
    made = split_in_memory(splitting("D05"), results)
    assert made.receivers == sorted([ES, ES, receiver, receiver])
    for document in made.documents(row="amounts-per-charge-charge-owner"):
        assert series(document, CHARGES)["chargeType.chargeTypeOwner_MarketParticipant.mRID"]["value"] == owner


@pytest.mark.parametrize(
    ("owner", "receiver"), [(None, ES), (SYSTEM_OPERATOR, (SYSTEM_OPERATOR, "EZ")), (OWNER, (OWNER, "DDM"))]
)
def test_a_total_goes_to_the_supplier_or_its_owner(owner: str | None, receiver: Any) -> None:
    results = market().add(lake_layout.TOTAL_MONTHLY_AMOUNTS, total_rows("t", "1.000000", owner))
    assert split_in_memory(splitting("D05"), results).receivers == [receiver]


def test_esett_gets_one_sum_per_supplier_with_flex_as_e15_from_the_grid_company() -> None:
    results = market()
    kind = {"kind": "flex_consumption"}
    results.add(lake_layout.ENERGY_PER_ES, per_supplier_rows("a", ["1.001", None, "-0.002"], **kind))
    other = per_supplier_rows("b", ["2.000", None, "0.001"], **kind, balance_responsible_party_id=OTHER_BRP)
    other[2]["quantity_qualities"] = ["missing"]
    results.add(lake_layout.ENERGY_PER_ES, other)
    (document,) = split_in_memory(splitting(), results).documents(recipient=ESETT)
    assert [point.get("quantity") for point in points(document)] == ["3.001", None, "-0.001"]
    assert [point.get("quality") for point in points(document)] == [None, None, {"value": "A05"}]
    assert series(document)["marketEvaluationPoint.settlementMethod"] == {"value": "E15"}
    assert "balanceResponsibleParty_MarketParticipant.mRID" not in series(document)
    assert document[ROOT]["sender_MarketParticipant.mRID"]["value"] == OWNER
    assert document[ROOT]["sender_MarketParticipant.marketRole.type"]["value"] == "MDR"


def test_a_sum_with_a_rejected_part_is_rejected_too() -> None:
    results = per_supplier("1.000")
    bad = per_supplier_rows("bad", ["2.000"], balance_responsible_party_id=OTHER_BRP, quantity_qualities=["guessed"])
    made = split_in_memory(splitting(), results.add(lake_layout.ENERGY_PER_ES, bad))
    assert made.receivers == sorted([ES, RESPONSIBLE])
    assert [(line["row"], line["resultId"]) for line in made.rejected] == [
        (None, "bad"),
        ("energy-per-es-esett", "bad"),
    ]


def test_sums_of_series_with_other_times_have_every_time() -> None:
    results = market()
    results.add(lake_layout.ENERGY_PER_ES, per_supplier_rows("a", ["1.000", "1.000"]))
    later = {"start": START + timedelta(minutes=15), "balance_responsible_party_id": OTHER_BRP}
    results.add(lake_layout.ENERGY_PER_ES, per_supplier_rows("b", ["2.000", "2.000"], **later))
    (document,) = split_in_memory(splitting(), results).documents(recipient=ESETT)
    assert [point["quantity"] for point in points(document)] == ["1.000", "3.000", "2.000"]


def test_a_series_without_supplier_or_brp_has_no_such_receiver_and_is_counted() -> None:
    results = per_supplier(energy_supplier_id=None)
    made = split_in_memory(splitting(), results)
    assert made.receivers == sorted([RESPONSIBLE, IMBALANCE])
    assert (made.outcome.without_receiver, made.outcome.rejected) == (1, 0)
    assert all("energySupplier_MarketParticipant.mRID" not in series(document) for document in made.documents())


def test_charges_without_supplier_are_rejected_once() -> None:
    rows = charge_rows("a", [("1.000", "2.000000", "2.000000")], energy_supplier_id=None)
    made = split_in_memory(splitting("D05"), market().add(lake_layout.AMOUNTS_PER_CHARGE, rows))
    assert (made.receivers, made.outcome.rejected, made.outcome.without_receiver) == ([], 1, 0)
    assert "no energy supplier" in str(made.rejected[0]["reason"])


def test_a_series_of_an_area_without_owner_is_rejected_and_the_others_go_on() -> None:
    results = per_supplier()
    results.inputs[lake_layout.GRID_AREA_OWNERS] = []
    results.add(lake_layout.ENERGY, energy_rows("e", ["1.000"]))
    made = split_in_memory(splitting(), results)
    assert made.receivers == sorted([ES, RESPONSIBLE])
    assert [line["row"] for line in made.rejected] == ["energy-grid-area-owner", "energy-per-es-esett"]
    assert all("800 has no owner" in str(line["reason"]) for line in made.rejected)


def test_the_owner_of_now_gets_the_periods_of_a_merged_area() -> None:
    results = market().add(lake_layout.ENERGY, energy_rows("e", ["1.000"]))
    merged = START + timedelta(days=20)
    (old,) = owner_rows(ga800="5790000000098")
    new = {**old, "owner_id": "5790000000099", "from_date": merged}
    results.inputs[lake_layout.GRID_AREA_OWNERS] = [{**old, "to_date": merged}, new]
    assert split_in_memory(splitting(), results).receivers == [("5790000000099", "MDR")]


DELEGATE = "5790000000055"


def test_a_delegate_receives_and_the_document_keeps_the_role() -> None:
    results = per_supplier()
    results.inputs[lake_layout.DELEGATIONS] = [
        delegation_row(SUPPLIER, "DDQ", "5790000000056", "DEL", "energy_results"),
        delegation_row(SUPPLIER, "DDQ", DELEGATE, "DEA", "energy_results", "800"),
        delegation_row(SUPPLIER, "DDQ", "5790000000057", "DEA", "wholesale_results", "800"),
        delegation_row(BRP, "DDQ", "5790000000058", "DEA", "energy_results"),
    ]
    made = split_in_memory(splitting(), results)
    assert made.receivers == sorted([(DELEGATE, "DEA"), RESPONSIBLE, IMBALANCE])
    (document,) = made.documents(recipient=DELEGATE)
    assert document[ROOT]["receiver_MarketParticipant.mRID"]["value"] == DELEGATE
    assert document[ROOT]["receiver_MarketParticipant.marketRole.type"]["value"] == "DDQ"
    assert series(document)["energySupplier_MarketParticipant.mRID"]["value"] == SUPPLIER


def test_a_metered_data_responsible_delegates_as_grid_access_provider() -> None:
    results = market().add(lake_layout.ENERGY, energy_rows("e", ["1.000"]))
    results.inputs[lake_layout.DELEGATIONS] = [delegation_row(OWNER, "DDM", DELEGATE, "DDM", "energy_results")]
    assert split_in_memory(splitting(), results).receivers == [(DELEGATE, "DDM")]


def test_a_delegation_that_has_ended_does_not_count() -> None:
    results = per_supplier()
    ended = delegation_row(SUPPLIER, "DDQ", DELEGATE, "DEA", "energy_results")
    results.inputs[lake_layout.DELEGATIONS] = [{**ended, "to_date": START}]
    assert ES in split_in_memory(splitting(), results).receivers


BAD = {
    "a time twice": (per_supplier_rows("bad", ["1.000"]) * 2, "is there twice"),
    "an unknown quality": (per_supplier_rows("bad", ["1.000"], quantity_qualities=["guessed"]), "a quality is none of"),
    "a negative resolution": (per_supplier_rows("bad", ["1.000"], resolution="-PT15M"), "'-PT15M' is no resolution"),
    "half a minute": (per_supplier_rows("bad", ["1.000"], start=START + timedelta(seconds=30)), "no whole minute"),
    "an id of no actor": (per_supplier_rows("bad", ["1.000"], energy_supplier_id="12345"), "neither a GLN"),
    "an unknown series": (per_supplier_rows("bad", ["1.000"], kind="heat"), "no row for the series 'heat'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_series_is_rejected_with_its_reason_and_the_others_go_on(case: str) -> None:
    rows, reason = BAD[case]
    good = per_supplier_rows("good", ["1.000"], energy_supplier_id=OTHER_SUPPLIER)
    results = market().add(lake_layout.ENERGY_PER_ES, [*rows, *good])
    made = split_in_memory(splitting("D05"), results)
    assert made.receivers == [(OTHER_SUPPLIER, "DDQ")]
    assert made.outcome.rejected == 1
    (line,) = made.rejected
    assert (line["resultId"], line["table"], line["jobId"]) == ("bad", lake_layout.ENERGY_PER_ES, JOB)
    assert reason in str(line["reason"])


def test_a_second_series_with_the_same_key_is_rejected_since_no_two_documents_may_share_an_id() -> None:
    results = per_supplier().add(lake_layout.ENERGY_PER_ES, per_supplier_rows("twin", ["2.000"]))
    made = split_in_memory(splitting("D05"), results)
    assert (made.receivers, made.outcome.rejected) == ([ES], 1)
    assert "same key" in str(made.rejected[0]["reason"])


def test_a_month_that_is_none_is_rejected() -> None:
    rows = monthly_rows("m", "1.000000", time=START + timedelta(days=1))
    made = split_in_memory(splitting("D05"), market().add(lake_layout.MONTHLY_AMOUNTS_PER_CHARGE, rows))
    assert made.receivers == []
    assert "begins no local calendar month" in str(made.rejected[0]["reason"])


@pytest.mark.parametrize(
    ("price", "good"), [("99999999999.999999", True), ("100000000000.000000", True), ("100000000000.000001", False)]
)
def test_a_price_of_more_than_seventeen_digits_rejects_the_series(price: str, good: bool) -> None:
    rows = charge_rows("a", [("0.000", price, "0.000000")])
    made = split_in_memory(splitting("D05"), market().add(lake_layout.AMOUNTS_PER_CHARGE, rows))
    assert (len(made.receivers), made.outcome.rejected) == ((2, 0) if good else (0, 1))


def test_an_amount_names_metering_point_type_and_settlement_method_if_they_are_set() -> None:
    unset = {"metering_point_type": None, "settlement_method": None}
    rows = charge_rows("a", [("0.000", "1.000000", "0.000000")], **unset)
    made = split_in_memory(splitting("D05"), market().add(lake_layout.AMOUNTS_PER_CHARGE, rows))
    assert len(made.lines) == 2
    assert not any(b"marketEvaluationPoint" in line.content for line in made.lines)
    assert all(b'"price_Measure_Unit.name":{"value":"KWH"}' in line.content for line in made.lines)


def predecessor(**_: Any) -> dict[str, Any]:
    return {"predecessors": {"800": {"job_id": OLDER_JOB, "attempt": 2}}}


def old_series(results: InMemoryResults, table: str, rows: list[dict[str, Any]]) -> None:
    results.add(table, rows, job_id=OLDER_JOB, attempt=2)


def test_a_series_that_the_predecessor_alone_had_is_reset_with_zeros() -> None:
    results = per_supplier("5.000", "6.000")
    old_series(results, lake_layout.ENERGY_PER_ES, per_supplier_rows("old", ["1.000", "2.000"]))
    gone = per_supplier_rows("gone", ["3.000", None, "4.000"], energy_supplier_id=OTHER_SUPPLIER)
    old_series(results, lake_layout.ENERGY_PER_ES, gone)
    made = split_in_memory(splitting(**predecessor()), results)
    assert made.receivers == sorted([ES, RESPONSIBLE, IMBALANCE, (OTHER_SUPPLIER, "DDQ"), RESPONSIBLE, IMBALANCE])
    (document,) = made.documents(recipient=OTHER_SUPPLIER)
    assert [point["quantity"] for point in points(document)] == ["0.000"] * 3
    assert all(point["quality"] == {"value": "A06"} for point in points(document))


def test_a_change_of_brp_resets_the_old_series_but_not_the_suppliers_sum() -> None:
    results = per_supplier("5.000")
    old = per_supplier_rows("old", ["1.000"], balance_responsible_party_id=OTHER_BRP)
    old_series(results, lake_layout.ENERGY_PER_ES, old)
    made = split_in_memory(splitting(**predecessor()), results)
    assert made.receivers == sorted([ES, ES, RESPONSIBLE, (OTHER_BRP, "DDK"), IMBALANCE])


def test_charges_that_are_gone_are_reset_too() -> None:
    results = market()
    old_series(results, lake_layout.AMOUNTS_PER_CHARGE, charge_rows("a", [("1.000", "2.000000", "2.000000")]))
    old_series(results, lake_layout.MONTHLY_AMOUNTS_PER_CHARGE, monthly_rows("m", "2.000000"))
    old_series(results, lake_layout.TOTAL_MONTHLY_AMOUNTS, total_rows("t", "2.000000", None))
    made = split_in_memory(splitting("D05", **predecessor()), results)
    assert made.receivers == sorted([ES, ES, ES, (SYSTEM_OPERATOR, "EZ"), (SYSTEM_OPERATOR, "EZ")])
    for document in made.documents():
        (point,) = points(document, CHARGES)
        assert float(point["energySum_Quantity.quantity"]) == 0
        assert float(point.get("energy_Quantity.quantity", "0")) == 0


def contents(made: Split) -> dict[str, bytes]:
    return {file.path: unpack(made.lake.read(file.path)[0]) for file in made.lake.list("outbox")}


def test_splitting_twice_anywhere_gives_equal_files() -> None:
    results = per_supplier("1.000", "2.000")
    results.add(lake_layout.ENERGY, energy_rows("e", ["1.000"]))
    first, second = (split_in_memory(splitting(), results) for _ in range(2))
    assert contents(first) == contents(second)
    assert first.outcome == second.outcome


def test_what_is_sent_already_is_not_put_into_the_outbox_again() -> None:
    results, record = per_supplier(), splitting()
    made = split_in_memory(record, results)
    for file in list(made.lake.list("outbox")):
        made.lake.rename(file.path, file.path.replace("outbox", "sent"))
    assert split_in_memory(record, results, made.lake).outcome == made.outcome
    assert not list(made.lake.list("outbox"))


def test_a_file_that_another_one_may_be_writing_is_left_to_it_for_a_minute() -> None:
    results, record = per_supplier(), splitting()
    made = split_in_memory(record, results)
    (path,) = [file.path for file in made.lake.list("outbox")]
    whole = made.lake.read(path)[0]
    made.lake.delete(path)
    made.lake.create(path, whole[:50])
    assert split_in_memory(record, results, made.lake).outcome.batches is None
    made.lake.clock.advance(seconds=61)
    assert split_in_memory(record, results, made.lake).outcome == made.outcome
    assert made.lake.read(path)[0] == whole


def test_a_crash_at_any_write_is_made_good_by_the_next_split() -> None:
    results = per_supplier("1.000")
    results.add(lake_layout.ENERGY_PER_ES, per_supplier_rows("x", ["1.000"], kind="heat"))
    record, whole = splitting(), contents(split_in_memory(splitting(), results))
    for writes in range(3):
        lake = InMemoryLake(FakeClock())
        left = iter(range(writes))

        def die(verb: str, path: str, left: Any = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt

        lake.before = die
        try:
            split_in_memory(record, results, lake)
        except KeyboardInterrupt:
            lake.before = lambda verb, path: None
        made = split_in_memory(record, results, lake)
        assert contents(made) == whole
        assert len(made.rejected) == 1


def test_splitting_stops_when_its_time_is_over_and_goes_on_later() -> None:
    results = per_supplier()
    results.inputs[lake_layout.GRID_AREA_OWNERS] = owner_rows(ga800=OWNER, ga801=OWNER)
    results.add(lake_layout.ENERGY_PER_ES, per_supplier_rows("b", ["1.000"], grid_area_code="801"))
    record = splitting(areas="800,801")
    lake = InMemoryLake(FakeClock())
    wanted = split_in_memory(record, results).outcome

    class SlowResults(InMemoryResults):
        def series(self, *args: Any, **kwargs: Any) -> Any:
            lake.clock.advance(seconds=30)
            yield from super().series(*args, **kwargs)

    slow = SlowResults(results.tables, results.inputs)
    until = lake.clock.now() + timedelta(seconds=150)
    first = split(record, lake=lake, tables=slow, clock=lake.clock, until=until)
    assert first.batches is None
    assert len(list(lake.list("outbox"))) == 1
    asked: list[str] = []

    class WatchedResults(InMemoryResults):
        def series(self, *args: Any, **kwargs: Any) -> Any:
            asked.append(args[3])
            yield from super().series(*args, **kwargs)

    watched = WatchedResults(results.tables, results.inputs)
    until = lake.clock.now() + timedelta(hours=1)
    assert split(record, lake=lake, tables=watched, clock=lake.clock, until=until) == wanted
    assert set(asked) == {"801"}


def test_large_areas_are_cut_into_batches_sorted_by_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.coordinator.write_batches.LARGEST_UNPACKED", 5000)
    results = market()
    for number in range(9):
        rows = per_supplier_rows(f"s{number}", ["1.000"], energy_supplier_id=f"579000000090{number}")
        results.add(lake_layout.ENERGY_PER_ES, rows)
    made = split_in_memory(splitting(), results)
    assert made.outcome.batches is not None
    assert len(made.outcome.batches) > 3
    recipients = [line.message.recipient for line in made.lines]
    assert recipients == sorted(recipients)
    assert len(recipients) == made.outcome.messages == 27


def test_no_two_documents_share_an_id_and_the_job_and_the_delegate_are_part_of_it() -> None:
    results, record = per_supplier("1.000", "2.000"), splitting()
    results.add(lake_layout.ENERGY, energy_rows("e", ["1.000"]))
    ids = [line.message.message_id for line in split_in_memory(record, results).lines]
    results.inputs[lake_layout.DELEGATIONS] = [delegation_row(SUPPLIER, "DDQ", DELEGATE, "DDQ", "energy_results")]
    delegated = [line.message.message_id for line in split_in_memory(record, results).lines]
    assert len(set(ids)) == len(ids) == 4
    assert len(set(ids) & set(delegated)) == 3
    other = InMemoryResults(
        {name: {(OLDER_JOB, 1): rows[JOB, 1]} for name, rows in results.tables.items()}, results.inputs
    )
    again = split_in_memory(replace(record, job_id=OLDER_JOB), other)
    assert not {line.message.message_id for line in again.lines} & {*ids, *delegated}
