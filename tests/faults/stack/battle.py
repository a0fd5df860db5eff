"""The faults of a batch, one after the other, by seed; each is counted by what it did."""

import time
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

from local.services import EVENT_HUB, FUNCTIONS, JOBS, LAKE
from tests.faults.stack.ground import OTHER, Ground

HOSTS = (FUNCTIONS, OTHER)
KILLED = (*HOSTS, *HOSTS, LAKE, JOBS, EVENT_HUB, EVENT_HUB)
CHANCES = {"probability": 0.3}
RULES: dict[str, dict[str, list[dict[str, Any]]]] = {
    LAKE: {
        "lake answers 503": [{"on": "any", "fault": "status", "status": 503, "probability": 0.15}],
        "lake answers 429": [{"on": "write", "fault": "status", "status": 429, **CHANCES}],
        "lake is read-only": [
            {"on": "write", "fault": "status", "status": 403, "code": "AuthorizationPermissionMismatch"}
        ],
        "lake is full": [{"on": "write", "fault": "status", "status": 503, "code": "ServerBusy"}],
        "lake loses replies": [{"on": "write", "fault": "lost_reply", **CHANCES}],
        "lake is slow": [{"on": "any", "fault": "delay", "seconds": 0.3, **CHANCES}],
        "lake hangs": [{"on": "any", "fault": "hang", "seconds": 1.0, "probability": 0.1}],
        "ETag race: another one changes the file": [{"on": "write", "path": "jobs/", "fault": "race", **CHANCES}],
        "events are dropped": [{"on": "event", "fault": "drop", "probability": 0.6}],
        "events are doubled": [{"on": "event", "fault": "double", "probability": 0.6}],
        "events are delayed": [{"on": "event", "fault": "delay", "seconds": 4, "probability": 0.6}],
        "events are reordered": [{"on": "event", "fault": "reorder", "seconds": 4, "probability": 0.8}],
    },
    JOBS: {
        "jobs API answers 429": [{"on": "any", "fault": "status", "status": 429, "retry_after": 1, **CHANCES}],
        "jobs API answers 503": [{"on": "any", "fault": "status", "status": 503, "probability": 0.5}],
        "jobs API hangs": [{"on": "any", "fault": "hang", "seconds": 2, "probability": 0.2}],
        "jobs API loses replies": [{"on": "run-now", "fault": "lost_reply", "probability": 0.7}],
        "a run is killed": [{"on": "run", "fault": "kill", "seconds": 0.2, **CHANCES, "times": 2}],
        "a run is forgotten": [{"on": "run", "fault": "forget", "seconds": 0.5, **CHANCES, "times": 1}],
        "a run finds no room": [{"on": "run", "fault": "end", "code": "MAXIMUM_CONCURRENT_RUNS_REACHED", "times": 1}],
        "a run times out": [{"on": "run", "fault": "end", "code": "TIMEDOUT", **CHANCES, "times": 1}],
    },
    EVENT_HUB: {
        "hub throttles": [{"on": "send", "fault": "server_busy", "probability": 0.5}],
        "hub drops links": [{"on": "send", "fault": "drop_link_before", **CHANCES}],
        "hub drops links after it accepted": [{"on": "send", "fault": "drop_link_after", **CHANCES}],
        "hub drops connections": [{"on": "send", "fault": "drop_connection_before", **CHANCES}],
        "hub drops connections after it accepted": [{"on": "send", "fault": "drop_connection_after", **CHANCES}],
        "hub is slow": [{"on": "send", "fault": "delay", "seconds": 0.5, **CHANCES}],
        "hub refuses a message as too large": [{"on": "send", "fault": "oversize", "probability": 0.2}],
        "hub takes less than it announces": [{"on": "send", "fault": "oversize", "over": 1900}],
    },
}
KINDS = frozenset(kind for rules in RULES.values() for kind in rules)
MILD = {"event": 0.15, "run-now": 0.25, "send": 0.1}
"""How often every kind strikes all the time; for a few seconds at a time one of them is frequent as above.

The fewer operations of its kind a job makes, the more often; MILDEST the others.
"""
MILDEST = 0.06
LIMITS = (1900, 1 << 20)
"""Bytes that the hub takes at once, now the one, now the other: larger messages go by reference."""
ALWAYS_WHOLE = ("lake is read-only", "lake is full", "hub takes less than it announces")


class Battle:
    """Breaks the ground for a while; `fired` counts what struck."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground, self.random = ground, Random(seed)
        self.fired: Counter[str] = Counter()
        self.kinds = [(name, kind) for name, rules in RULES.items() for kind in rules]
        self._broken: dict[str, list[str]] = {}
        self._turns: list[tuple[str, str]] = []
        self._kills: list[str] = []

    def take_little(self) -> None:
        """The hub has its small limit: at the beginning, and at the end for what a slow machine has yet to send."""
        while not self._limits(LIMITS[0]):
            time.sleep(0.2)

    def rage(self, seconds: float) -> None:
        """Make faults for so long, then mend everything."""
        ends = time.monotonic() + seconds
        for name in RULES:
            self._break(name, self.random.choice(sorted(RULES[name])))
        while time.monotonic() < ends:
            if not self._turns:  # every kind has its turn before any has another
                self._turns = self.random.sample(self.kinds, len(self.kinds))
            self._break(*self._turns.pop())
            draw = self.random.random()
            if draw < 0.3:
                self._kill()
            elif draw < 0.45:
                self.ground.clock.write_text(str(self.random.uniform(-60, 60)))
                self.fired["clock jumps"] += 1
            elif draw < 0.6:
                self._limit()
            time.sleep(self.random.uniform(0.3, 1.5))
        self.mend()

    def rage_at_the_hub(self, seconds: float) -> None:
        """Everything else runs, so that much is sent: to a hub that fails in every way, and is killed."""
        ends = time.monotonic() + seconds
        kinds: list[str] = []
        while time.monotonic() < ends:
            kinds = kinds or self.random.sample(sorted(RULES[EVENT_HUB]), len(RULES[EVENT_HUB]))
            self._break(EVENT_HUB, kinds.pop())
            draw = self.random.random()
            if draw < 0.15:
                self._kill(EVENT_HUB)
            elif draw < 0.35:
                self._limit()
            time.sleep(self.random.uniform(0.5, 2))
        self.mend()

    def _limit(self) -> None:
        if self._limits(self.random.choice(LIMITS)):
            self.fired["the hub's limit changes"] += 1

    def _limits(self, size: int) -> bool:
        try:
            self.ground.largest_message(size)
        except OSError:  # the hub is just starting
            return False
        return True

    def mend(self) -> None:
        """Everything runs and nothing fails by rule."""
        for name in list(self._broken):
            self._end(name)
        for name in self.ground.running:
            self.ground.start(name)

    def _kill(self, named: str = "") -> None:
        if not self._kills:
            self._kills = self.random.sample(KILLED, len(KILLED))
        name = named or self._kills.pop()
        if name in HOSTS and not all(self.ground.answers(host) for host in HOSTS):
            return  # one of them is just starting: without the other one nothing would happen
        self._end(name)
        self.ground.kill(name)
        self.fired[f"kill -9 of {'a functions host' if name in HOSTS else name}"] += 1
        time.sleep(self.random.uniform(0, 0.5))
        while self.ground.running[name].alive():
            time.sleep(0.01)
        self.ground.start(name)
        if name not in HOSTS:
            self.ground.wait_for(name)
            self._break(name, self.random.choice(sorted(RULES[name])))

    def _break(self, name: str, frequent: str) -> None:
        """Let one kind strike often and every other one now and then."""
        self._end(name)
        mild = [kind for kind in RULES[name] if kind != frequent and kind not in ALWAYS_WHOLE]
        milder = [
            {**rule, "probability": MILD.get(rule["on"], MILDEST)} for rule in (RULES[name][kind][0] for kind in mild)
        ]
        rules = [*RULES[name][frequent], *milder]
        with suppress(OSError):  # it is just starting
            self.ground.break_it(name, rules, self.random.randrange(10**6))
            self._broken[name] = [frequent, *mild]

    def _end(self, name: str) -> None:
        kinds = self._broken.pop(name, None)
        if kinds is not None:
            with suppress(OSError):
                for kind, rule in zip(kinds, self.ground.mend(name), strict=True):
                    self.fired[kind] += rule["fired"]
