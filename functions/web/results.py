"""The calls about a job's results: what there is, and rows as JSON or CSV by pages (coordinator 3)."""

import base64
import binascii
import csv
import io
import json
import re
from typing import Any
from urllib.parse import urlencode

import orjson

from functions.coordinator.read_results import (
    LARGEST_PAGE,
    Actor,
    Page,
    Position,
    ResultFilter,
    read_page,
    tables_of,
)
from functions.coordinator.record import JobRecord
from functions.web.access import Caller
from functions.web.http import CSV, JSON, Problem, Request, Response, json_response, negotiate, wrong
from functions.web.jobs import base_url, job_id_of
from functions.web.parameters import query_of, read_query
from functions.wiring import App
from shared.codes import TimeSeriesType
from shared.job_arguments import GRID_AREA

PARAMETERS = ("gridArea", "energySupplierId", "balanceResponsiblePartyId", "series", "pageSize", "continuationToken")
ACTOR_ID = re.compile(r"[0-9]{13}|[0-9A-Z-]{16}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBERS = ("quantity", "price", "amount")


def show_tables(request: Request, caller: Caller, app: App) -> Response:
    """Which result tables the job has."""
    query_of(request, ())
    record = app.records.get(job_id_of(request))
    found = tables_of(record, actor_of(caller, app))
    address = f"{base_url(request, app)}/api/jobs/{record.job_id}/results"
    tables = [
        {"table": table, "url": f"{address}/{table}"} | ({"rows": rows} if caller.sees_all else {})
        for table, rows in found.items()
    ]
    return json_response(200, {"jobId": record.job_id, "tables": tables})


def show_rows(request: Request, caller: Caller, app: App) -> Response:
    """A page of rows, with a link to the next."""
    media_type = negotiate(request.headers.get("accept"), (JSON, CSV))
    query, errors = read_query(request, PARAMETERS)
    size, start = _paging(query, errors)
    record = app.records.get(job_id_of(request))
    table = request.params.get("table", "")
    wanted = ResultFilter(
        grid_area=query.get("gridArea"),
        energy_supplier=query.get("energySupplierId"),
        balance_responsible=query.get("balanceResponsiblePartyId"),
        series=query.get("series"),
        actor=actor_of(caller, app),
    )
    page = read_page(record, table, wanted, tables=app.tables, start=start, size=size)
    headers = _link(page, query, f"{base_url(request, app)}/api/jobs/{record.job_id}/results/{table}")
    body = _json(page, record, table) if media_type == JSON else _csv(page)
    return Response(200, body, media_type, headers)


def actor_of(caller: Caller, app: App) -> Actor | None:
    """The market actor whose rows alone the caller sees; None sees all. Raises Problem 403 when it names none."""
    if caller.sees_all:
        return None
    if not caller.actor_id or not caller.actor_role:
        raise Problem(403, "the token names no market actor and role")
    return Actor(caller.actor_id, caller.actor_role, app.areas.owned_by(caller.actor_id))


def _paging(query: dict[str, str], unread: dict[str, str]) -> tuple[int, Position]:
    """Page size and start; raises Problem 400 that names every wrong parameter, `unread` the query's own."""
    errors: dict[str, str] = {}
    if not GRID_AREA.fullmatch(query.get("gridArea", "000")):
        errors["gridArea"] = "is no grid area: three digits, such as 003"
    for name in ("energySupplierId", "balanceResponsiblePartyId"):
        if name in query and not ACTOR_ID.fullmatch(query[name]):
            errors[name] = "is neither a GLN (13 digits) nor an EIC (16 characters)"
    series = query.get("series")
    if series is not None and series not in TimeSeriesType and not UUID.fullmatch(series):
        errors["series"] = f"is neither a result id nor one of {', '.join(TimeSeriesType)}"
    text = query.get("pageSize", str(LARGEST_PAGE))
    size = int(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0
    if not 1 <= size <= LARGEST_PAGE:
        errors["pageSize"] = f"is no number from 1 to {LARGEST_PAGE}"
    start = _position(query.get("continuationToken"))
    if start is None:
        errors["continuationToken"] = "is no continuation token of these results"
    if errors or unread or start is None:
        raise wrong(errors | unread)
    return size, start


def _position(token: str | None) -> Position | None:
    if token is None:
        return Position()
    try:
        area, result_id, point = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    fitting = isinstance(area, str) and isinstance(result_id, str) and type(point) is int and point >= 0
    return Position(area, result_id, point) if fitting else None


def _link(page: Page, query: dict[str, str], address: str) -> dict[str, str]:
    if page.following is None:
        return {}
    place = [page.following.grid_area, page.following.result_id, page.following.point]
    token = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    return {"Link": f'<{address}?{urlencode(query | {"continuationToken": token})}>; rel="next"'}


def _json(page: Page, record: JobRecord, table: str) -> bytes:
    """Numbers are written as they are stored, digit by digit."""
    numbers = {place for place, column in enumerate(page.columns) if column in NUMBERS}
    rows = [
        {
            column: orjson.Fragment(value) if place in numbers and value is not None else value
            for place, (column, value) in enumerate(zip(page.columns, row, strict=True))
        }
        for row in page.rows
    ]
    document: dict[str, Any] = {"jobId": record.job_id, "table": table, "rows": rows}
    return orjson.dumps(document)


def _csv(page: Page) -> bytes:
    """RFC 4180; null is empty, a set of qualities is joined by `|`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(page.columns)
    for row in page.rows:
        writer.writerow(["|".join(value) if isinstance(value, list) else _text(value) for value in row])
    return out.getvalue().encode()


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
