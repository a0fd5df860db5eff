"""`python -m tests.faults [--seeds 2000]`: break the app by seed and look that nothing is lost, doubled or wrong.

Most seeds run simulated: the app's code over a lake, a job platform and a hub in memory, where every call of a port can
be refused, lose its reply or be the host's last, and two hosts take turns. The others run in batches on the real stack.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.faults.simulation import cluster, storm
from tests.faults.simulation.run import SIMULATED, simulate
from tests.faults.stack import battle
from tests.faults.stack.run import BATCH, ON_THE_STACK, run_batch
from tests.faults.summary import KINDS, Result, report

ONE_OF = 20
"""One seed of so many runs on the real stack."""
KINDS |= {SIMULATED: storm.KINDS | cluster.KINDS, ON_THE_STACK: battle.KINDS | {storm.BY_REFERENCE}}


def main() -> int:
    """Exit code 0 when every seed passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many (default 2000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--simulated", type=int, metavar="SEED", help="repeat one simulated seed")
    parser.add_argument("--stack", type=int, metavar="SEED", help="repeat a batch of the stack that begins with SEED")
    chosen = parser.parse_args()
    if chosen.simulated is not None:
        results = iter([simulate(chosen.simulated)])
    elif chosen.stack is not None:
        results = iter(run_batch(range(chosen.stack, chosen.stack + min(chosen.seeds, BATCH))))
    else:
        results = _all(range(chosen.first, chosen.first + chosen.seeds))
    last = ""
    for last in report(results):
        print(last, flush=True)  # noqa: T201 - this is a command
    return 0 if last.endswith(" 0 failed") else 1


def _all(seeds: range) -> Iterator[Result]:
    """The simulated seeds by as many processes as there are cores, then the others, batch by batch."""
    simulated = [seed for seed in seeds if seed % ONE_OF]
    on_the_stack = [seed for seed in seeds if not seed % ONE_OF]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(simulate, simulated, chunksize=4)
    for start in range(0, len(on_the_stack), BATCH):
        # A batch is named by its first seed and counts on by one, so that it can be repeated.
        first = on_the_stack[start]
        yield from run_batch(range(first, first + len(on_the_stack[start : start + BATCH])))


if __name__ == "__main__":
    sys.exit(main())
