"""What a person wants to see at the end."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from deltalake import DeltaTable, QueryBuilder
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from local.demo.failure import DemoFailed
from local.demo.post_office import Received
from local.stack import Stack
from shared import lake_layout
from shared.codes import ActorRole, TimeSeriesType

POINTS_SHOWN = 2
NUMBER = "\ue000"
"""Stands before a number while it is a text, so that it keeps its digits."""
BALANCE = {
    TimeSeriesType.TEMP_PRODUCTION: ("produced", 1),
    TimeSeriesType.NET_EXCHANGE_PER_GA: ("net import", 1),
    TimeSeriesType.NON_PROFILED_CONSUMPTION: ("non-profiled", -1),
    TimeSeriesType.TEMP_FLEX_CONSUMPTION: ("flex", -1),
    TimeSeriesType.GRID_LOSS: ("grid loss", -1),
}
"""The series of the balance before the grid loss is given to its metering points, and the side each is on."""


def show_states(job: Mapping[str, Any], console: Console) -> None:
    """Every state with its time and cause."""
    table = Table(title="Job states", title_justify="left")
    for column in ("state", "at", "cause"):
        table.add_column(column)
    for step in job["history"]:
        table.add_row(step["status"], step["at"], step["cause"])
    console.print(table)


def show_results(job: Mapping[str, Any], console: Console) -> None:
    """Rows per result table."""
    table = Table(title="Results", title_justify="left")
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, rows in job["results"].items():
        table.add_row(name, f"{rows:,}")
    console.print(table)


def energy_balance(job: Mapping[str, Any], lake: str, console: Console) -> None:
    """The month's energy of each grid area, which must add up to the last milli-kWh.

    Raises:
        DemoFailed: it does not.
    """
    table = Table(title="Energy balance in kWh: produced + net import = consumption + grid loss", title_justify="left")
    table.add_column("grid area")
    for name, sign in BALANCE.values():
        table.add_column(("+ " if sign > 0 else "− ") + name, justify="right")
    table.add_column("= left over", justify="right")
    broken = []
    for area, sums in sorted(series_sums(job, lake).items()):
        values = [(sums.get(series.value, Decimal(0)), sign) for series, (_, sign) in BALANCE.items()]
        left = sum((value * sign for value, sign in values), Decimal(0))
        table.add_row(area, *(f"{value:,}" for value, _ in values), f"{left:,}")
        broken += [area] if left else []
    console.print(table)
    if broken or not table.row_count:
        what = f"it does not add up in {', '.join(broken)}" if broken else "there are no results"
        raise DemoFailed("the energy balance", what, str(lake_layout.result_table(lake_layout.ENERGY)))


def series_sums(job: Mapping[str, Any], lake: str) -> dict[str, dict[str, Decimal]]:
    """The job's kWh per grid area and series of the energy table."""
    energy = DeltaTable(f"{lake}/{lake_layout.result_table(lake_layout.ENERGY)}")
    query = (
        "SELECT grid_area_code, time_series_type, sum(quantity) AS total FROM energy "  # noqa: S608 - values of our own
        f"WHERE job_id = '{job['jobId']}' AND attempt = {job['attempt']} GROUP BY grid_area_code, time_series_type"
    )
    sums: dict[str, dict[str, Decimal]] = {}
    for batch in QueryBuilder().register("energy", energy).execute(query):
        columns = [[value.as_py() for value in batch.column(place)] for place in range(3)]
        for area, series, total in zip(*columns, strict=True):
            sums.setdefault(area, {})[series] = total
    return sums


def show_messages(messages: Sequence[Received], console: Console) -> None:
    """How many messages each actor got."""
    table = Table(title=f"{len(messages)} messages, received from the Event Hub", title_justify="left")
    for column in ("receiver", "role", "type"):
        table.add_column(column)
    table.add_column("messages", justify="right")
    counts = Counter((message.recipient, message.role, message.type) for message in messages)
    for (recipient, role, kind), count in sorted(counts.items()):
        table.add_row(recipient, role, kind, str(count))
    console.print(table)


def show_document(messages: Sequence[Received], console: Console) -> None:
    """One document, its points cut short: a grid area owner's production, where there is one."""
    shown = [message for message in messages if message.document is not None]
    message = next((message for message in shown if _is_production(message)), shown[0])
    console.print(f"[bold]One of them[/], {message.id} to {message.recipient} ({message.role}):")
    console.print(Syntax(printed(message.content), "json", background_color="default", word_wrap=True))


def _is_production(message: Received) -> bool:
    series = next(iter(message.document.values()))["Series"]
    kinds = {one.get("marketEvaluationPoint.type", {}).get("value") for one in series}
    return message.role == ActorRole.METERED_DATA_RESPONSIBLE and kinds == {"E18"}


def _amount(point: Mapping[str, Any]) -> Decimal:
    return Decimal(str(point.get("quantity") or 0).removeprefix(NUMBER))


def printed(content: str) -> str:
    """A document by lines, numbers digit by digit as they were sent, with the first points that have a value alone."""
    cut = json.loads(content, parse_float=lambda digits: NUMBER + digits)
    for series in next(iter(cut.values()))["Series"]:
        points = series["Period"]["Point"]
        first = next((place for place, point in enumerate(points) if _amount(point)), 0)
        if len(points) > POINTS_SHOWN:
            shown = points[first : first + POINTS_SHOWN]
            series["Period"]["Point"] = [*shown, f"… {len(points) - len(shown)} more"]
    return re.sub(f'"{NUMBER}([^"]*)"', r"\1", json.dumps(cut, indent=2, ensure_ascii=False))


def where_to_look(job: Mapping[str, Any], stack: Stack, console: Console) -> None:
    """What there is to look at once the demo has ended."""
    functions = stack.addresses["functions"]
    console.print("[bold]Look on[/]: `make up` starts this stack again, with this job in it.")
    console.print(f"  the interface {functions}/api/openapi.json")
    console.print(f"  the job       {functions}/api/jobs/{job['jobId']}")
    console.print(f"  its messages  {functions}/api/jobs/{job['jobId']}/messages")
    console.print(f"  the lake      {stack.addresses['lake']['folder']}")
    console.print(f"  the logs      {stack.folder / 'logs'} and {stack.folder / 'functions' / 'logs'}", soft_wrap=True)
