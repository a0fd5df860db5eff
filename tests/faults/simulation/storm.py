"""Which faults a seed makes, how often, and how often each fired."""

from collections import Counter
from random import Random

SELDOM_AND_OFTEN = {
    "host killed": (0.002, 0.02),
    "call stalls": (0.003, 0.02),
    "lake refuses": (0.01, 0.1),
    "lake loses a reply": (0.01, 0.08),
    "jobs API answers 429": (0.05, 0.3),
    "jobs API answers 503": (0.05, 0.3),
    "jobs API times out": (0.05, 0.3),
    "jobs API loses a reply": (0.1, 0.4),
    "hub throttles": (0.01, 0.2),
    "hub drops the link": (0.01, 0.2),
    "hub killed": (0.01, 0.05),
    "hub refuses a message as too large": (0.01, 0.1),
    "hub takes it twice": (0.05, 0.3),
    "event dropped": (0.2, 0.9),
    "event doubled": (0.2, 0.7),
    "event delayed": (0.2, 0.7),
    "tables cannot be read": (0.02, 0.2),
    "splitting breaks": (0.05, 0.4),
    "clock jumps": (0.01, 0.05),
    "ETag race: another one writes the record": (0.02, 0.15),
}
"""Chance at each occasion, for a seed in which the kind is seldom and one in which it is frequent."""
FULL, BY_REFERENCE, REORDERED = (
    "write to a full or read-only lake",
    "message too large for the hub: by reference",
    "event reordered",
)
KINDS = frozenset(SELDOM_AND_OFTEN) | {FULL, BY_REFERENCE, REORDERED}


class Storm:
    """Draws faults while it rages; `fired` counts them by kind."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.raging = True
        self.fired: Counter[str] = Counter()
        self.chance = {kind: random.choice((0.0, 0.0, low, high)) for kind, (low, high) in SELDOM_AND_OFTEN.items()}

    def strikes(self, kind: str) -> bool:
        """Whether this fault happens now."""
        if not self.raging or self.random.random() >= self.chance[kind]:
            return False
        self.fired[kind] += 1
        return True

    def count(self, kind: str) -> None:
        """Note one that was not drawn here."""
        self.fired[kind] += 1
