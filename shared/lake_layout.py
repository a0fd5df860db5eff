"""Where everything lies in the lake, and what the Delta tables are called (spec: coordinator 2, inputs, energy 11)."""

FILE_SYSTEM = "aggregations"

METERING_POINT_PERIODS = "metering_point_periods"
TIME_SERIES_POINTS = "time_series_points"
CHARGE_PRICE_INFORMATION_PERIODS = "charge_price_information_periods"
CHARGE_LINK_PERIODS = "charge_link_periods"
CHARGE_PRICE_POINTS = "charge_price_points"
GRID_LOSS_METERING_POINTS = "grid_loss_metering_points"
GRID_AREA_OWNERS = "grid_area_owners"
DELEGATIONS = "delegations"

ENERGY_INPUT_TABLES = (METERING_POINT_PERIODS, TIME_SERIES_POINTS, GRID_LOSS_METERING_POINTS)
CHARGE_INPUT_TABLES = (CHARGE_PRICE_INFORMATION_PERIODS, CHARGE_LINK_PERIODS, CHARGE_PRICE_POINTS)
ACTOR_INPUT_TABLES = (GRID_AREA_OWNERS, DELEGATIONS)

ENERGY = "energy"
ENERGY_PER_BRP = "energy_per_brp"
ENERGY_PER_ES = "energy_per_es"
EXCHANGE_PER_NEIGHBOR = "exchange_per_neighbor"
GRID_LOSS_TIME_SERIES = "grid_loss_time_series"
AMOUNTS_PER_CHARGE = "amounts_per_charge"
MONTHLY_AMOUNTS_PER_CHARGE = "monthly_amounts_per_charge"
TOTAL_MONTHLY_AMOUNTS = "total_monthly_amounts"

ENERGY_RESULT_TABLES = (ENERGY, ENERGY_PER_BRP, ENERGY_PER_ES, EXCHANGE_PER_NEIGHBOR, GRID_LOSS_TIME_SERIES)
CHARGE_RESULT_TABLES = (AMOUNTS_PER_CHARGE, MONTHLY_AMOUNTS_PER_CHARGE, TOTAL_MONTHLY_AMOUNTS)
RESULT_TABLES = ENERGY_RESULT_TABLES + CHARGE_RESULT_TABLES

JOBS = "jobs"
COMPLETED = "completed"
FAILED = "failed"
OUTBOX = "outbox"
SENT = "sent"
REJECTED = "rejected"
WORK = "work"
ARCHIVE = "archive"
BASIS = "basis"
OPEN_JOBS = "state/open"
ACTIVE_JOBS = "state/active"
IDEMPOTENCY_KEYS = "state/keys"
VERSION_COUNTER = "state/version.json"
# What lies here is there for a moment, under a name of its own; the sweep removes what a crash left.
WRITING = "state/writing"


def input_table(table: str) -> str:
    """The folder of an input table, from the lake's root."""
    return f"input/{table}"


def result_table(table: str) -> str:
    """The folder of a result table, from the lake's root."""
    return f"results/{table}"


def job_record(job_id: str) -> str:
    """The record of a job, written by the function app with ETag conditions only."""
    return f"{JOBS}/{job_id}.json"


def manifest(job_id: str, attempt: int) -> str:
    """The manifest of a run: result notification, written last; empty or cut short means not there yet."""
    return f"{COMPLETED}/{job_id}.{attempt}.json"


def failure(job_id: str, attempt: int) -> str:
    """What a run that ended with an error of its own left: {code, message}."""
    return f"{FAILED}/{job_id}.{attempt}.json"


def work_folder(job_id: str, attempt: int) -> str:
    """Work tables of a run, removed at its end."""
    return f"{WORK}/{job_id}.{attempt}"


def outbox_batch(job_id: str, batch: str) -> str:
    """Messages that wait to be sent."""
    return f"{OUTBOX}/{job_id}/{batch}.jsonl.gz"


def sent_batch(job_id: str, batch: str) -> str:
    """The same messages, sent."""
    return f"{SENT}/{job_id}/{batch}.jsonl.gz"


def rejected_batch(job_id: str, batch: str, stage: str) -> str:
    """Messages or series that can never be sent, with the reason; `stage` is `split` or `dispatch`."""
    return f"{REJECTED}/{job_id}/{batch}.{stage}.jsonl.gz"
