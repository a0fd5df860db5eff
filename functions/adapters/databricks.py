"""Databricks Jobs through databricks-sdk: start, look, cancel. No call waits for a run (platform 2).

The SDK repeats a POST after a lost reply; only the idempotency token keeps that one run. After its time it raises the
builtin TimeoutError, not a DatabricksError.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from functions.adapters.identity import managed_identity
from functions.adapters.run_states import phase_of, states_of
from functions.ports import NotFound, Run, RunPhase, RunRefused, Unavailable

if TYPE_CHECKING:
    from databricks.sdk.core import ApiClient, Config
    from databricks.sdk.service import jobs

DATABRICKS_SCOPE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
HTTP_SECONDS = 10
RETRY_SECONDS = 5
"""A try begins within these, and then waits a little or takes HTTP_SECONDS: a start ends within 10 s or soon after."""
LONGEST_ERROR = 4000
FOUND_AMONG = 200
CLOCKS_APART = timedelta(minutes=10)
"""The platform's clock may be so far from ours."""

RUN_PATH = "/api/2.2/jobs/runs/get"


@contextmanager
def _errors() -> Iterator[None]:
    """Translate what the SDK raises into the errors of the port."""
    from databricks.sdk import errors
    from databricks.sdk.errors.base import DatabricksError

    try:
        yield
    except errors.NotFound as error:
        raise NotFound(str(error)) from error
    except errors.BadRequest as error:
        raise RunRefused(str(error)) from error
    except (DatabricksError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The last ones: the SDK could make nothing of what it was answered.
        raise Unavailable("databricks", type(error).__name__) from error


class DatabricksJobs:
    """The settlement job of a workspace. The client is made at the first use, and once."""

    def __init__(
        self, host: str, *, token: str = "", client_id: str = "", job_id: str = "", job_name: str = "settlement"
    ) -> None:
        self.host, self.token, self.client_id, self.job_name = host, token, client_id, job_name
        self._job_id = int(job_id) if job_id else None
        self._by_name = not job_id
        self._made: ApiClient | None = None
        self._lock = threading.Lock()

    @property
    def _client(self) -> "ApiClient":
        with self._lock:
            if self._made is None:
                from databricks.sdk.core import ApiClient

                self._made = ApiClient(self._config())
            return self._made

    @property
    def _api(self) -> "jobs.JobsAPI":
        from databricks.sdk.service.jobs import JobsAPI

        return JobsAPI(self._client)  # type: ignore[no-untyped-call] # the SDK has no types here

    def _config(self) -> "Config":
        from databricks.sdk.core import Config

        limits: dict[str, Any] = {
            "http_timeout_seconds": HTTP_SECONDS,
            "retry_timeout_seconds": RETRY_SECONDS,
            "clock": _impatient_clock(),
        }
        if self.token or self.host.startswith("http://"):
            return Config(host=self.host, token=self.token or "none", auth_type="pat", **limits)
        return Config(host=self.host, credentials_strategy=_identity_strategy(self.client_id), **limits)

    def start(self, parameters: Mapping[str, str], token: str) -> int:
        """Start a run, or find the one of this token. Raises Unavailable, RunRefused."""
        job_id = self._job()
        try:
            with _errors():
                started = self._api.run_now(job_id, idempotency_token=token, job_parameters=dict(parameters))
                return int(started.run_id)
        except (NotFound, RunRefused) as error:
            if not self._by_name:
                raise RunRefused(str(error)) from error
            # A job that was deployed anew has another id: it is looked up again before the next try.
            self._job_id = None
            if self._job() == job_id:
                raise RunRefused(str(error)) from error
            raise Unavailable("databricks", "the settlement job was deployed anew") from error

    def _job(self) -> int:
        if self._job_id is None:
            with _errors():
                found = next((job for job in self._api.list(name=self.job_name) if self._is_named(job)), None)
            if found is None or found.job_id is None:
                raise Unavailable("databricks", f"there is no job named {self.job_name}")
            self._job_id = found.job_id
        return self._job_id

    def _is_named(self, job: "jobs.BaseJob") -> bool:
        """Whether a listed job is the one asked for, also where the list holds others."""
        name = job.settings.name if job.settings else None
        return name is None or name.lower() == self.job_name.lower()

    def run(self, run_id: int) -> Run:
        """The run as it is now. Raises NotFound when the platform no longer knows it, Unavailable."""
        from databricks.sdk.service.jobs import Run as JobRun

        try:
            with _errors():
                # The SDK's own call drops every state that it does not know: WAITING, and whatever comes new.
                answer: Any = self._client.do("GET", RUN_PATH, query={"run_id": run_id})
                run = JobRun.from_dict(answer)
        except RunRefused as error:
            raise NotFound(str(error)) from error
        life_cycle, result, message = states_of(answer)
        phase = phase_of(life_cycle, result)
        error_text = self._error_text(run, message) if phase is RunPhase.FAILED else None
        return Run(run_id, phase, result or life_cycle or "unknown", run.run_page_url, error_text)

    def find(self, job_id: str, attempt: int, since: datetime) -> Run | None:
        """The run of a job's attempt, by its parameters in the list of runs; only the newest FOUND_AMONG are looked at.

        Raises Unavailable, NotFound.
        """
        begun = int((since - CLOCKS_APART).timestamp() * 1000)
        try:
            with _errors():
                listed = self._api.list_runs(job_id=self._job(), expand_tasks=True, start_time_from=begun)
                same = (run for run in islice(listed, FOUND_AMONG) if _started_for(run, job_id, attempt))
                found = next(same, None)
        except RunRefused as error:
            raise NotFound(str(error)) from error
        return self.run(found.run_id) if found and found.run_id is not None else None

    def _error_text(self, run: "jobs.Run", message: str) -> str:
        """The error of the first failed task, else what the run says."""
        for task in run.tasks or []:
            result = task.state.result_state if task.state else None
            if task.run_id is None or (result is not None and result.value == "SUCCESS"):
                continue
            try:
                with _errors():
                    output = self._api.get_run_output(task.run_id)
            except (NotFound, RunRefused, Unavailable):
                continue
            if output.error:
                return output.error[:LONGEST_ERROR]
        return message[:LONGEST_ERROR]

    def cancel(self, run_id: int) -> None:
        """Ask for the end of a run; one that has ended or is gone is success. Raises Unavailable."""
        try:
            with _errors():
                self._api.cancel_run(run_id)
        except (NotFound, RunRefused):
            return

    def check(self) -> None:
        """Raise Unavailable when the platform does not answer or does not know the job."""
        try:
            with _errors():
                if self._by_name:
                    self._job_id = None
                    self._job()
                else:
                    self._api.get(self._job())
        except (NotFound, RunRefused) as error:
            raise Unavailable("databricks", f"there is no job {self._job_id}") from error


def _started_for(run: "jobs.BaseRun", job_id: str, attempt: int) -> bool:
    given = {one.name: one.value for one in run.job_parameters or []}
    return given.get("job-id") == job_id and given.get("attempt") == str(attempt)


def _impatient_clock() -> Any:
    """The SDK sleeps as long as a Retry-After says, an hour too; a function cannot."""
    from databricks.sdk.clock import Clock

    class ImpatientClock(Clock):
        def time(self) -> float:
            return time.monotonic()

        def sleep(self, seconds: float) -> None:
            if seconds > RETRY_SECONDS:
                raise TimeoutError(f"asked to come back in {seconds:.0f} s")
            time.sleep(seconds)

    return ImpatientClock()


def _identity_strategy(client_id: str) -> Any:
    """Sign in with the app's identity: the SDK has no strategy of its own for it (platform 2.2)."""
    from databricks.sdk.credentials_provider import CredentialsStrategy

    class IdentityStrategy(CredentialsStrategy):
        def auth_type(self) -> str:
            return "managed-identity"

        def __call__(self, cfg: "Config") -> Callable[[], dict[str, str]]:  # noqa: ARG002 - the SDK's signature
            credential = managed_identity(client_id)
            return lambda: {"Authorization": f"Bearer {credential.get_token(DATABRICKS_SCOPE).token}"}

    return IdentityStrategy()
