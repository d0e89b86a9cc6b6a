"""`python -m tests.faults_gateway [--times N] [--seed N] [--jobs N] [--only WAY] [--defect NAME]`."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.faults_gateway.processes import Ended, play_processes
from tests.faults_gateway.round import outages, play_round
from tests.faults_gateway.run import DEFECTS, Outcome

ROUNDS_A_PROCESS = 5


def main() -> int:
    """Play every way at every moment; 0 if the bot was alive and back in time after each."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults_gateway", description=__doc__)
    parser.add_argument("--times", type=int, default=1, help="how often each way at each moment")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="how many processes play at once")
    parser.add_argument("--only", help="only ways with this in their name")
    parser.add_argument("--defect", choices=sorted(DEFECTS), help="plant a defect, which must be found")
    given = parser.parse_args()
    started = time.monotonic()
    runs = outages(given.only)
    rounds = range(given.seed, given.seed + given.times)
    outcomes: list[Outcome] = []
    astray: list[str] = []
    for first in range(0, len(rounds), ROUNDS_A_PROCESS * given.jobs):
        # Fresh processes every few rounds: threads and garbage of thousands of bots slow down those that follow.
        some = rounds[first : first + ROUNDS_A_PROCESS * given.jobs]
        with ProcessPoolExecutor(given.jobs, multiprocessing.get_context("spawn")) as pool:
            for found, traces in pool.map(partial(play_round, given.only, given.defect), some):
                outcomes += found
                astray += traces
    ended = asyncio.run(play_processes()) if given.defect is None and given.only is None else []
    show(outcomes, astray, ended)
    longest = max([*(outcome.back for outcome in outcomes), *(process.back for process in ended)])
    tracebacks = len(astray) + sum(len(one.tracebacks) for one in outcomes) + sum(one.tracebacks for one in ended)
    print(
        f"{len(outcomes):,} outages of clients and {len(ended)} of processes, "
        f"{sum(one.chatty for one in outcomes)} told at too great length, in {time.monotonic() - started:.0f} s"
    )
    print(
        f"gateway: ways={len({way.name for way, _ in runs})} moments={len({moment for _, moment in runs})} "
        f"runs={len(outcomes) + len(ended)} "
        f"ended={sum(one.ended for one in outcomes) + sum(one.ended for one in ended)} "
        f"longest_return={longest:.1f}s tracebacks={tracebacks}"
    )
    return int(bool(astray) or any(one.failed for one in outcomes) or any(one.failed for one in ended))


def show(outcomes: list[Outcome], astray: list[str], ended: list[Ended]) -> None:
    """Print what went wrong."""
    for outcome in [one for one in outcomes if one.failed][:30]:
        print(f"{outcome.way} {outcome.moment}: {outcome.told()}")
        for text in [*outcome.lines, *outcome.tracebacks][:4]:
            print("    " + "\n    ".join(text.strip().splitlines()[-12:]))
    for process in [one for one in ended if one.failed]:
        print(f"spade run, {process.way} {process.moment}: {process}")
    for text in astray[:3]:
        print("    " + "\n    ".join(text.strip().splitlines()[-12:]))


if __name__ == "__main__":
    sys.exit(main())
