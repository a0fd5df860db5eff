"""The caller of one seed: starts its jobs over HTTP, asks again when no answer comes, cancels, retries, promotes."""

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from local import services
from local.services import FUNCTIONS
from tests.faults.stack.ground import OTHER, Ground
from tests.faults.stack.plans import SeedPlan

ENDED = ("Completed", "Failed", "Cancelled")
PATIENCE = 170.0


@dataclass
class Caller:
    """One seed's caller, who begins within `spread` seconds.

    `followed` names by job the one of the same arguments that the caller saw completed before.
    """

    ground: Ground
    plan: SeedPlan
    spread: float = 0.0
    wrong: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    followed: dict[str, str] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = Random(self.plan.seed)
        self.ends = time.monotonic() + PATIENCE

    def play(self) -> None:
        """Everything that the seed's caller does."""
        time.sleep(self.random.uniform(0, self.spread))
        try:
            first = self._job("a")
            if "successor" in self.plan.acts and first and not self.plan.body.get("simulation"):
                second = self._job("b")
                if second and self._state(first) == "Completed":
                    self.followed[second] = first
        except TimeoutError as late:
            self.wrong.append(str(late))

    def _job(self, name: str) -> str | None:
        body = dict(self.plan.body)
        if "later" in self.plan.acts:
            body["scheduledAt"] = (datetime.now(UTC) + timedelta(seconds=4)).isoformat(timespec="seconds")
        key = f"{self.plan.seed}-{name}"
        job_id = str(self._call("POST", "KickStartJob", body, key)["jobId"])
        if "twice" in self.plan.acts and self._call("POST", "KickStartJob", body, key)["jobId"] != job_id:
            self.wrong.append("one key gave two jobs")
        self.jobs.append(job_id)
        if "cancel" in self.plan.acts:
            time.sleep(self.random.uniform(0, 2))
            if "jobId" in self._call("DELETE", f"jobs/{job_id}", expected=(202, 409)):
                self.cancelled.add(job_id)
        state = self._end_of(job_id)
        if state != "Completed" and "retry" in self.plan.acts:
            self._call("POST", f"jobs/{job_id}/retry", expected=(202, 409))
            state = self._end_of(job_id)
        if state == "Completed" and "promote" in self.plan.acts and self.plan.body.get("simulation"):
            self._call("POST", f"jobs/{job_id}/promote", expected=(200, 202))
            self._end_of(job_id)
        return job_id if state == "Completed" else None

    def _end_of(self, job_id: str) -> str:
        while (state := self._state(job_id)) not in ENDED:
            if time.monotonic() > self.ends:
                raise TimeoutError(f"job {job_id} has not ended: {state}")
            time.sleep(0.3)
        return state

    def _state(self, job_id: str) -> str:
        return str(self._call("GET", f"jobs/{job_id}", expected=(200,))["status"])

    def _call(
        self, method: str, path: str, body: Any = None, key: str | None = None, expected: tuple[int, ...] = (202,)
    ) -> dict[str, Any]:
        """Ask one of the hosts until it answers with what may be answered."""
        while True:
            status, answer = self._ask(method, path, body, key)
            if status in expected:
                return dict(answer)
            if status not in (0, 503):
                self.wrong.append(f"{method} {path} was answered {status}: {answer}")
            if time.monotonic() > self.ends:
                raise TimeoutError(f"{method} {path} was not answered in time, the last was {status}: {answer}")
            time.sleep(self.random.uniform(0.2, 1))

    def _ask(self, method: str, path: str, body: Any, key: str | None) -> tuple[int, Any]:
        port = self.ground.layout.ports[self.random.choice((FUNCTIONS, OTHER))]
        headers = {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Idempotency-Key": key} if key else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{services.LOOPBACK}:{port}/api/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
