"""The settings of the function app: one table says each one's name, default, meaning and whether production needs it.

docs/settings.md is generated from it (`python -m shared.settings`). Reading collects what is missing or wrong in
`problems`, so that the app starts all the same, tells it in health/ready, and refuses work (issue "Into Azure").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.danish_time import DEFAULT_TIME_ZONE, format_instant, is_local_midnight, parse_instant
from shared.job_arguments import DEFAULT_QUARTERLY_TRANSITION


@dataclass(frozen=True)
class Setting:
    """One environment variable. `required`: production cannot work without it."""

    name: str
    meaning: str
    default: str = ""
    required: bool = False


SETTINGS = (
    Setting("LAKE_URL", "DFS endpoint of the data lake; over http:// no credential is sent", required=True),
    Setting("LAKE_TABLES_URI", "root of the Delta tables, as Spark and the Delta reader open it", required=True),
    Setting("LAKE__blobServiceUri", "blob endpoint of the lake, for the blob triggers (connection LAKE)"),
    Setting("LAKE__queueServiceUri", "queue endpoint of the lake, for the triggers' work and poison queues"),
    Setting("DATABRICKS_HOST", "address of the Databricks workspace", required=True),
    Setting("DATABRICKS_TOKEN", "token for a local jobs API; in Azure the app's identity is used"),
    Setting("SETTLEMENT_JOB_ID", "id of the settlement job; left out, the job is found by name"),
    Setting("SETTLEMENT_JOB_NAME", "name of the settlement job", "settlement"),
    Setting("POST_OFFICE", "connection string of a local event hub; in Azure the namespace below is used"),
    Setting("POST_OFFICE__fullyQualifiedNamespace", "Event Hubs namespace (this one or POST_OFFICE is needed)"),
    Setting("POST_OFFICE_HUB", "name of the event hub", "post-office"),
    Setting("AZURE_CLIENT_ID", "client id of the user-assigned identity; left out, the system-assigned one"),
    Setting("ENTRA_ISSUER", "issuer of the access tokens (needed unless callers without a token are let in)"),
    Setting("ENTRA_AUDIENCE", "audience of the access tokens (likewise)"),
    Setting("ENTRA_JWKS_URL", "address of the issuer's signing keys (likewise)"),
    Setting("AUTH_ANONYMOUS", "`allow` lets callers without a token in; on one machine only, never inside Azure"),
    Setting("CLAIM_ROLES", "claim that holds the caller's roles", "roles"),
    Setting("CLAIM_ACTOR_ID", "claim that holds the market actor's GLN or EIC", "actor_id"),
    Setting("CLAIM_ACTOR_ROLE", "claim that holds the market actor's role", "actor_role"),
    Setting(
        "QUARTERLY_TRANSITION",
        "local midnight from which results are quarter-hourly",
        format_instant(DEFAULT_QUARTERLY_TRANSITION),
    ),
    Setting("TIME_ZONE", "the market's time zone", DEFAULT_TIME_ZONE),
    Setting("ESETT_ID", "GLN or EIC of the imbalance settlement responsible", "4260024590017"),
    Setting("ESETT_ENABLED", "`true`: eSett gets its messages", "true"),
    Setting("PUBLIC_BASE_URL", "address of the app as its callers know it; left out, the host name that Azure gives"),
    Setting("WEBSITE_HOSTNAME", "set by Azure: the app's host name"),
    Setting("RETENTION_DAYS", "days that lifecycle rules keep sent messages; 0 = for ever", "0"),
    Setting("EVENT_DELIVERY", "how blob events arrive: `eventgrid`, or `queue` behind private networking", "eventgrid"),
    Setting("TELEMETRY_FILE", "file that logs, traces and metrics are written to as JSON lines, on one machine"),
    Setting("FUNCTION_SECONDS", "time that a function may take; equal to functionTimeout in host.json", "600"),
    Setting("WEBSITE_INSTANCE_ID", "set by Azure: the app runs inside it"),
)
_WITHOUT_ANONYMOUS = ("ENTRA_ISSUER", "ENTRA_AUDIENCE", "ENTRA_JWKS_URL")


@dataclass(frozen=True)
class Settings:
    """The settings as they were read. `problems` says per setting what is missing or wrong; empty when all is well."""

    values: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read every setting of the table; an empty one counts as left out. Never raises."""
        values = {setting.name: environment.get(setting.name, "").strip() or setting.default for setting in SETTINGS}
        return cls(values, _missing(values) | _wrong(values))

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def zone(self) -> ZoneInfo:
        """The market's time zone."""
        return ZoneInfo(self["TIME_ZONE"])

    @property
    def quarterly_transition(self) -> datetime:
        """From when on results are quarter-hourly."""
        return parse_instant(self["QUARTERLY_TRANSITION"])

    @property
    def esett_id(self) -> str | None:
        """Who gets the imbalance settlement messages; None when they are switched off."""
        return self["ESETT_ID"] if self["ESETT_ENABLED"].lower() == "true" else None

    @property
    def public_base_url(self) -> str:
        """Where callers reach the app, without a slash at its end; empty where nothing tells."""
        named = self["PUBLIC_BASE_URL"].rstrip("/")
        return named or (f"https://{self['WEBSITE_HOSTNAME']}" if self["WEBSITE_INSTANCE_ID"] else "")

    @property
    def anonymous(self) -> bool:
        """Whether callers without a token are let in."""
        return self["AUTH_ANONYMOUS"] == "allow"

    @property
    def work_time(self) -> timedelta:
        """After this long a function stops what it can go on with later: 80 % of its time (coordinator 6)."""
        return 0.8 * timedelta(seconds=float(self["FUNCTION_SECONDS"]))


def _missing(values: Mapping[str, str]) -> dict[str, str]:
    needed = [setting.name for setting in SETTINGS if setting.required]
    if values["AUTH_ANONYMOUS"] != "allow":
        needed += _WITHOUT_ANONYMOUS
    problems = {name: "is missing" for name in needed if not values[name]}
    if not values["POST_OFFICE"] and not values["POST_OFFICE__fullyQualifiedNamespace"]:
        problems["POST_OFFICE__fullyQualifiedNamespace"] = "is missing"
    return problems


def _wrong(values: Mapping[str, str]) -> dict[str, str]:
    problems = {}
    if values["AUTH_ANONYMOUS"] not in ("", "allow"):
        problems["AUTH_ANONYMOUS"] = "is neither empty nor allow"
    if values["AUTH_ANONYMOUS"] == "allow" and values["WEBSITE_INSTANCE_ID"]:
        problems["AUTH_ANONYMOUS"] = "must not be allow inside Azure"
    if values["EVENT_DELIVERY"] not in ("eventgrid", "queue"):
        problems["EVENT_DELIVERY"] = "is neither eventgrid nor queue"
    if values["ESETT_ENABLED"].lower() not in ("true", "false"):
        problems["ESETT_ENABLED"] = "is neither true nor false"
    if values["SETTLEMENT_JOB_ID"] and not values["SETTLEMENT_JOB_ID"].isdecimal():
        problems["SETTLEMENT_JOB_ID"] = "is no number"
    if not values["FUNCTION_SECONDS"].isdecimal() or int(values["FUNCTION_SECONDS"]) < 1:
        problems["FUNCTION_SECONDS"] = "is no number of seconds from 1"
    if not values["RETENTION_DAYS"].isdecimal():
        problems["RETENTION_DAYS"] = "is no number of days"
    return problems | _wrong_times(values)


def _wrong_times(values: Mapping[str, str]) -> dict[str, str]:
    try:
        zone = ZoneInfo(values["TIME_ZONE"])
    except (KeyError, ValueError, OSError):
        return {"TIME_ZONE": "is no time zone, such as Europe/Copenhagen"}
    try:
        if not is_local_midnight(parse_instant(values["QUARTERLY_TRANSITION"]), zone):
            return {"QUARTERLY_TRANSITION": "is no local midnight"}
    except ValueError as error:
        return {"QUARTERLY_TRANSITION": str(error)}
    return {}


def settings_page() -> str:
    """docs/settings.md: one row per setting."""
    rows = [
        f"| `{setting.name}` | {setting.meaning} | {f'`{setting.default}`' if setting.default else '–'} "
        f"| {'yes' if setting.required else ''} |"
        for setting in SETTINGS
    ]
    head = [
        "# Settings of the function app",
        "",
        "Generated from shared/settings.py by `python -m shared.settings > docs/settings.md`. Environment variables,",
        "in Azure the app settings; the local stack uses the same names. Where one is missing or wrong, the app",
        "starts, says so in `/api/health/ready`, and refuses work with 503.",
        "",
        "| name | meaning | default | needed |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201 - this is the command that writes the page
