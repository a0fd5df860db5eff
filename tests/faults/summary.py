"""What many seeds showed: how many of each way, which faults fired how often, where hosts died, what failed."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Result:
    """What a seed showed. `way`: how it ran; `again`: the command that repeats it."""

    seed: int
    way: str
    again: str
    wrong: list[str]
    fired: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    killed_at: set[str] = field(default_factory=set)


KINDS: dict[str, frozenset[str]] = {}
"""The kinds of fault that each way may make, so that one that never struck is told as well."""


def report(results: Iterable[Result]) -> Iterable[str]:
    """The lines of the summary; a seed that failed says at once what is wrong and how to repeat it."""
    ways: Counter[str] = Counter()
    fired: defaultdict[str, Counter[str]] = defaultdict(Counter)
    jobs: Counter[str] = Counter()
    killed_at: set[str] = set()
    failed = messages = 0
    for result in results:
        ways[result.way] += 1
        fired[result.way] += result.fired
        jobs += result.jobs
        killed_at |= result.killed_at
        messages += result.messages
        if result.wrong:
            failed += 1
            yield f"seed {result.seed} FAILED, repeat it with: {result.again}"
            yield from (f"    {text}" for text in result.wrong[:10])
    for way, counts in fired.items():
        yield f"faults, {way}:"
        every = {**dict.fromkeys(KINDS.get(way, ()), 0), **counts}
        yield from (f"  {count:>8}  {kind}" for kind, count in sorted(every.items()))
    yield f"kill -9 struck at {len(killed_at)} different steps"
    yield "jobs: " + ", ".join(f"{count} {state}" for state, count in sorted(jobs.items()))
    yield f"messages received: {messages}"
    yield "seeds: " + ", ".join(f"{count} {way}" for way, count in sorted(ways.items()))
    yield f"{ways.total() - failed} passed, {failed} failed"
