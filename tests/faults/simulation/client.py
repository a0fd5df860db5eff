"""The callers of a seed: they start jobs, ask again when no answer came, cancel, retry and promote."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from functions.web.answer import answer
from functions.web.http import Request, Response
from tests.faults.simulation.world import START, Host, World
from tests.support.app import route_of

DAYS = ("2025-02-10T00:00:00+01:00", "2025-02-11T00:00:00+01:00")
MONTH = ("2025-02-01T00:00:00+01:00", "2025-03-01T00:00:00+01:00")
GIVE_UP = 40


@dataclass
class Wish:
    """One job that a caller wants, and what became of it."""

    body: dict[str, Any]
    key: str | None
    job_id: str | None = None
    asked: int = 0
    over: bool = False
    answers: list[int] = field(default_factory=list)


class Client:
    """All callers of a seed."""

    def __init__(self, world: World) -> None:
        self.world, self.random = world, world.random
        self.wishes = [Wish(self._body(), self._key()) for _ in range(self.random.randint(1, 4))]
        if self.random.random() < 0.5:  # the same again: a correction of what was settled, or a caller too many
            self.wishes.append(Wish(dict(self.wishes[0].body), self._key()))
        self.kinds = [name for name in ("cancel", "retry", "promote") if self.random.random() < 0.5]
        for wish in self.wishes:
            world.later(self.random.uniform(0, 400), lambda wish=wish: self._start(wish))
        self.busy = len(self.wishes)

    def _body(self) -> dict[str, Any]:
        process = self.random.choice(("D03", "D04", "D04", "D05", "D32"))
        begin, end = DAYS if process in ("D03", "D04") else MONTH
        body: dict[str, Any] = {"beginTime": begin, "endTime": end, "processType": process}
        if process == "D32":
            body["processVariant"] = self.random.choice(("D01", "D02"))
        areas = self.random.choice((["800"], ["800", "801"], ["802"], None))
        if areas:
            body["gridAreas"] = areas
        if self.random.random() < 0.25:
            body["simulation"] = True
        if self.random.random() < 0.2:
            at = START + timedelta(seconds=self.random.uniform(60, 900))
            body["scheduledAt"] = at.isoformat(timespec="seconds")
        return body

    def _key(self) -> str | None:
        return f"key-{self.world.number()}" if self.random.random() < 0.6 else None

    def _call(
        self, method: str, path: str, body: Any, key: str | None, then: Callable[[Response | None], None]
    ) -> None:
        world = self.world
        if not world.hosts:
            world.later(5, lambda: self._call(method, path, body, key, then))
            return
        host: Host = self.random.choice(world.hosts)
        template, params = route_of(path)
        content = b"" if body is None else json.dumps(body).encode()
        headers = ({"content-type": "application/json"} if content else {}) | ({"idempotency-key": key} if key else {})
        request = Request(method, f"https://host.example/api/{path}", headers, params, content)
        answers: list[Response] = []

        def ended(_done: bool) -> None:
            got = answers[0] if answers else None
            if got is not None and got.status not in (200, 202, 409, 503):
                world.failures.append(f"{method} {path} was answered {got.status}: {got.body!r}")
            if got is not None and got.status == 503 and "Retry-After" not in got.headers:
                world.failures.append(f"{method} {path} was answered 503 without Retry-After")
            then(got)

        world.spawn(host, f"{method} {path}", lambda: answers.append(answer(request, template, host.app)), ended)

    def _start(self, wish: Wish) -> None:
        wish.asked += 1

        def answered(got: Response | None) -> None:
            wish.answers.append(got.status if got else 0)
            if got is not None and got.status == 202:
                job_id = str(json.loads(got.body)["jobId"])
                if wish.job_id not in (None, job_id):
                    self.world.failures.append(f"key {wish.key} gave two jobs: {wish.job_id} and {job_id}")
                wish.job_id = job_id
                if self.random.random() < 0.3 and wish.key and wish.asked < GIVE_UP:
                    self.world.later(self.random.uniform(0, 60), lambda: self._start(wish))  # twice: the same job
                self._follow(wish)
            elif wish.asked < GIVE_UP and (wish.job_id is None):
                self.world.later(self.random.uniform(1, 120), lambda: self._start(wish))
            else:
                self._done(wish)

        self._call("POST", "KickStartJob", wish.body, wish.key, answered)

    def _done(self, wish: Wish) -> None:
        if not wish.over:
            wish.over = True
            self.busy -= 1

    def _follow(self, wish: Wish) -> None:
        """What a caller does about its job later on."""
        for kind in self.kinds:
            self.world.later(self.random.uniform(5, 900), lambda kind=kind: self._act(wish, kind))
        self.world.later(900, lambda: self._done(wish))

    def _act(self, wish: Wish, kind: str) -> None:
        job = f"jobs/{wish.job_id}"
        method, path = ("DELETE", job) if kind == "cancel" else ("POST", f"{job}/{kind}")
        self.world.storm.count(f"caller: {kind}")

        def answered(got: Response | None) -> None:
            if got is None or got.status == 503:
                self.world.later(self.random.uniform(5, 60), lambda: self._act(wish, kind))

        self._call(method, path, None, None, answered)
