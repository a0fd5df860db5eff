"""One batch: some seeds at once in one running stack."""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.faults.simulation.storm import BY_REFERENCE
from tests.faults.stack.battle import Battle
from tests.faults.stack.caller import ENDED, Caller
from tests.faults.stack.check import Check, left_over
from tests.faults.stack.ground import Ground
from tests.faults.stack.plans import make_lake, plan
from tests.faults.summary import Result

BATCH = 20
ON_THE_STACK = "on the running stack"
RAGE_SECONDS = 45.0
HUB_SECONDS = 40.0
CALM_SECONDS = 100.0
LATER = 800.0
"""Seconds that the hosts' clocks go on by when the faults are over: nobody wants to wait for ten minutes."""
SPREAD = 0.8
"""Share of the raging in which the callers begin."""


def run_batch(seeds: Sequence[int], rage: float = RAGE_SECONDS) -> list[Result]:
    """Run seeds that must not be more than BATCH, and look at each."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    ground = Ground(folder)
    failed = True
    try:
        results = _battle(ground, seeds, rage)
        failed = any(result.wrong for result in results)
        return results
    finally:
        ground.down()
        if not failed:
            shutil.rmtree(folder, ignore_errors=True)


def _battle(ground: Ground, seeds: Sequence[int], rage: float) -> list[Result]:
    make_lake(ground.layout.lake_folder)
    callers = [Caller(ground, plan(seed, place, ground.plans), rage * SPREAD) for place, seed in enumerate(seeds)]
    ground.up()
    battle = Battle(ground, seeds[0])
    battle.take_little()
    threads = [threading.Thread(target=caller.play) for caller in callers]
    for thread in threads:
        thread.start()
    battle.rage(rage)
    ground.clock.write_text(str(LATER))
    battle.rage_at_the_hub(HUB_SECONDS)
    battle.take_little()
    ends = time.monotonic() + CALM_SECONDS
    while time.monotonic() < ends and (any(thread.is_alive() for thread in threads) or not _settled(ground)):
        time.sleep(0.3)
    for thread in threads:
        thread.join()
    time.sleep(1.5)
    return _results(ground, callers, battle)


def _settled(ground: Ground) -> bool:
    return not left_over(ground) and all(record["status"] in ENDED for record in ground.records())


def _results(ground: Ground, callers: list[Caller], battle: Battle) -> list[Result]:
    check = Check(ground, callers)
    seeds = [caller.plan.seed for caller in callers]
    again = f"python -m tests.faults --stack {seeds[0]} --seeds {len(seeds)}"
    results = [Result(caller.plan.seed, ON_THE_STACK, again, list(check.seed(caller))) for caller in callers]
    results[0].wrong += check.batch()
    by_reference = sum("contentRef" in event.properties for events in check.events.values() for event in events)
    battle.fired[BY_REFERENCE] += by_reference
    results[0].fired = battle.fired + Counter(
        f"run: {plan.ends[number]}" for plan, number in check.turns.values() if plan.ends[number] != "manifest"
    )
    results[0].jobs = Counter(record["status"] for record in check.records.values())
    results[0].messages = sum(len(events) for events in check.events.values())
    for failed in (result for result in results if result.wrong):
        failed.wrong.append(f"the folder of its batch is kept: {ground.layout.folder}")
    return results
