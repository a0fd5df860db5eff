"""The schemas of the interface, as JSON Schema for OpenAPI 3.1: parameters, bodies and answers."""

from typing import Any

from functions.coordinator.read_results import COLUMNS, LARGEST_PAGE
from functions.coordinator.record import JobState
from functions.web.jobs import LARGEST_PAGE as LARGEST_JOBS_PAGE
from shared.codes import ProcessType, ProcessVariant

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
INSTANT: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+ -][0-9]{2}:?[0-9]{2})$",
    "description": "ISO 8601 with an offset: `Z`, `+01:00` or `+0100`",
    "examples": ["2023-01-31T23:00:00Z"],
}
UUID: Schema = {"type": "string", "format": "uuid"}
AREA: Schema = {"type": "string", "pattern": "^[0-9]{3}$"}
ACTOR: Schema = {"type": "string", "pattern": "^([0-9]{13}|[0-9A-Z-]{16})$"}
AREA_LIST: Schema = {"type": "string", "pattern": "^[0-9]{3}(,[0-9]{3})*$"}
TYPE: Schema = {"type": "string", "enum": [*ProcessType]}
VARIANT: Schema = {"type": "string", "enum": [*ProcessVariant]}
STATUS: Schema = {"type": "string", "enum": [*JobState]}

START: dict[str, Schema] = {
    "beginTime": INSTANT,
    "endTime": INSTANT,
    "processType": TYPE,
    "processVariant": VARIANT,
    "gridAreas": AREA_LIST,
    "simulation": FLAG,
    "scheduledAt": INSTANT,
}
START_BODY: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["beginTime", "endTime", "processType"],
    "properties": START | {"gridAreas": {"oneOf": [AREA_LIST, {"type": "array", "minItems": 1, "items": AREA}]}},
}
LIST: dict[str, Schema] = {
    "status": STATUS,
    "processType": TYPE,
    "beginTime": INSTANT,
    "endTime": INSTANT,
    "pageSize": {"type": "integer", "minimum": 1, "maximum": LARGEST_JOBS_PAGE},
    "continuationToken": TEXT,
}
ROWS: dict[str, Schema] = {
    "gridArea": AREA,
    "energySupplierId": ACTOR,
    "balanceResponsiblePartyId": ACTOR,
    "series": {"type": "string", "description": "a result id or a time series type"},
    "pageSize": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE},
    "continuationToken": TEXT,
}
MESSAGE_LIST: dict[str, Schema] = {
    "recipient": TEXT,
    "recipientRole": TEXT,
    "documentType": TEXT,
    "processType": TEXT,
    "gridArea": TEXT,
    "pageSize": {"type": "integer", "minimum": 1, "maximum": 1000},
    "continuationToken": TEXT,
}
PATHS: dict[str, Schema] = {
    "jobId": UUID,
    "table": {"type": "string", "enum": [*COLUMNS]},
    "messageId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}


def record(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object with these properties; the required ones, all where none is named."""
    return {"type": "object", "required": [*(required or properties)], "properties": properties}


ACCEPTED = record(jobId=UUID, status=STATUS, statusUrl=TEXT)
COUNTS = record(("made", "rejected", "withoutReceiver"), made=WHOLE, sent=WHOLE, rejected=WHOLE, withoutReceiver=WHOLE)
JOB = record(
    ("jobId", "status", "processType", "beginTime", "endTime", "gridAreas", "simulation", "created", "statusUrl"),
    jobId=UUID,
    status=STATUS,
    processType=TYPE,
    processVariant=VARIANT,
    beginTime=INSTANT,
    endTime=INSTANT,
    gridAreas={"type": "array", "items": AREA},
    simulation=FLAG,
    promoted=FLAG,
    created=INSTANT,
    scheduledAt=INSTANT,
    attempt=WHOLE,
    cancelRequested=FLAG,
    runId=WHOLE,
    runPage=TEXT,
    error=TEXT,
    version=WHOLE,
    splitAt=INSTANT,
    traceId=TEXT,
    results={"type": "object", "additionalProperties": WHOLE, "description": "rows per result table"},
    messages=COUNTS,
    statusUrl=TEXT,
    history={"type": "array", "items": record(status=STATUS, at=INSTANT, cause=TEXT, attempt=WHOLE)},
)
JOBS = record(("jobs",), jobs={"type": "array", "items": {"$ref": "#/components/schemas/Job"}}, continuationToken=TEXT)
TABLES = record(
    jobId=UUID, tables={"type": "array", "items": record(("table", "url"), table=TEXT, url=TEXT, rows=WHOLE)}
)
RESULT_ROWS = record(jobId=UUID, table=TEXT, rows={"type": "array", "items": {"type": "object"}})
MESSAGE = record(
    ("messageId", "jobId", "documentType", "recipient", "recipientRole", "url"),
    messageId=TEXT,
    jobId=UUID,
    documentType=TEXT,
    processType=TEXT,
    recipient=TEXT,
    recipientRole=TEXT,
    originalRecipient=TEXT,
    originalRecipientRole=TEXT,
    gridArea=TEXT,
    periodStart=TEXT,
    periodEnd=TEXT,
    created=TEXT,
    sentAt=TEXT,
    contentLength=WHOLE,
    contentSha256=TEXT,
    url=TEXT,
)
MESSAGES = record(
    ("jobId", "messages"), jobId=UUID, messages={"type": "array", "items": MESSAGE}, continuationToken=TEXT
)
HEALTH = record(
    ("status",),
    status=TEXT,
    checks={"type": "object", "additionalProperties": TEXT},
    settings={"type": "object", "additionalProperties": TEXT},
)
PROBLEM = record(
    ("type", "title", "status", "detail"),
    type=TEXT,
    title=TEXT,
    status=WHOLE,
    detail=TEXT,
    errors={"type": "array", "items": record(field=TEXT, message=TEXT)},
)
ANYTHING: Schema = {"type": "object"}
SCHEMAS: dict[str, Schema] = {
    "Accepted": ACCEPTED,
    "Job": JOB,
    "Jobs": JOBS,
    "Tables": TABLES,
    "Rows": RESULT_ROWS,
    "Messages": MESSAGES,
    "Health": HEALTH,
    "Problem": PROBLEM,
    "Start": START_BODY,
    "Anything": ANYTHING,
}
