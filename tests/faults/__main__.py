"""`python -m tests.faults [--seeds N] [--first K] [--seed K] [--kills N] [--jobs N] [--hide] [--defect NAME]`, or
`python -m tests.faults --hostile [--mutations N] [--seed K] [--defect NAME]`."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from bot.store.database import open_database
from tests.faults.child import DEFECTS
from tests.faults.hostile import A_SECOND, HostileOutcome, HostileRun
from tests.faults.plan import Plan
from tests.faults.run import FAULTS, HIDINGS, FaultRun, Outcome
from tests.faults.specimens import collect

KILLS_OF_A_RUN = 3
ENOUGH_FOR_EVERY_FAULT = 100
MUTATIONS_OF_A_RUN = 5000


async def play(
    seeds: list[int], kills: int, *, jobs: int = 1, defect: str | None = None, hide: bool = False
) -> list[Outcome]:
    """Play runs, `jobs` at a time; `kills` is their total over all runs."""
    at_once = asyncio.Semaphore(jobs)

    async def one(number: int, seed: int) -> Outcome:
        share = kills * (number + 1) // len(seeds) - kills * number // len(seeds)
        async with at_once:
            with tempfile.TemporaryDirectory(prefix="spade-faults-") as folder:
                outcome = await FaultRun(seed, share, Path(folder), empty, defect, hide=hide).play()
                if outcome.difference.lines and defect is None:
                    show(outcome, share, Path(folder, "bot.log"), hide=hide)
        return outcome

    async with empty_database() as empty:
        return list(await asyncio.gather(*(one(number, seed) for number, seed in enumerate(seeds))))


def show(outcome: Outcome, kills: int, log: Path, *, hide: bool) -> None:
    """Print what went wrong, and the command that repeats the run."""
    again = f"--seed {outcome.seed} --kills {kills}{' --hide' if hide else ''}"
    print(f"seed {outcome.seed} failed; replay: python -m tests.faults {again}")
    for line in outcome.difference.lines[:20]:
        print(f"  {line}")
    if log.exists():
        print("  the bot's log ended with:")
        for line in log.read_text(errors="replace").splitlines()[-15:]:
            print(f"    {line}")


def struck(outcomes: list[Outcome]) -> str:
    """A line that says how often each fault happened."""
    counts = sum((outcome.faults for outcome in outcomes), Counter[str]())
    return "struck: " + "; ".join(f"{kind} {counts[kind]}" for kind in sorted(FAULTS | counts.keys()))


def never_struck(outcomes: list[Outcome], *, hide: bool) -> list[str]:
    """The faults that should have happened in these runs, and did not."""
    return sorted(
        kind for kind in (FAULTS | HIDINGS if hide else FAULTS) if not any(outcome.faults[kind] for outcome in outcomes)
    )


def summary(outcomes: list[Outcome]) -> str:
    """The last line."""
    kills = sum(outcome.kills for outcome in outcomes)
    lost = sum(outcome.difference.lost for outcome in outcomes)
    doubled = sum(outcome.difference.doubled for outcome in outcomes)
    return f"faults: seeds={len(outcomes)} kills={kills} lost={lost} doubled={doubled}"


async def play_hostile(
    count: int, seed: int, empty: Path, *, only: str = "", defect: str | None = None, a_second: float = A_SECOND
) -> HostileOutcome:
    """Play one run against a hostile Discord, from an empty database; `only` those that have this in their name."""
    plan = Plan(await collect(), Random(seed), count, only)
    with tempfile.TemporaryDirectory(prefix="spade-faults-") as folder:
        outcome = await HostileRun(seed, plan, Path(folder), empty, defect, a_second=a_second).play()
        if outcome.failed and defect is None:
            show_hostile(outcome, Path(folder, "bot.log"))
    return outcome


@asynccontextmanager
async def empty_database() -> AsyncIterator[Path]:
    """A database to copy for each run: Alembic can migrate only one at a time."""
    with tempfile.TemporaryDirectory(prefix="spade-faults-") as made:
        empty = Path(made, "spade.db")
        await (await open_database(f"sqlite:///{empty}", write=True)).close()
        yield empty


def show_hostile(outcome: HostileOutcome, log: Path) -> None:
    """Print what went wrong, and keep the log and the database."""
    kept = Path(tempfile.gettempdir(), "spade-faults-hostile.log")
    shutil.copyfile(log, kept)
    for one in log.parent.glob("spade.db*"):
        shutil.copyfile(one, kept.with_name(f"spade-faults-hostile{one.suffix}"))
    print(f"failed; the log of the bot is {kept}, its database is beside it")
    for what, found in (
        ("the process ended after", outcome.ended),
        ("traceback:", outcome.tracebacks),
        ("unaccounted:", outcome.unaccounted),
        ("difference:", outcome.difference.lines),
    ):
        for line, times in Counter(found).most_common(20):
            print(f"  {what} {line}{f' ({times} times)' if times > 1 else ''}")


def summary_hostile(outcome: HostileOutcome) -> str:
    """The last line."""
    alive = f"ended {len(outcome.ended)} times" if outcome.ended else "yes"
    return (
        f"faults: hostile mutations={outcome.mutations} events={outcome.by_side['events']} "
        f"answers={outcome.by_side['answers']} alive={alive} lost={outcome.difference.lost} "
        f"doubled={outcome.difference.doubled} unreadable={outcome.unreadable} unaccounted={len(outcome.unaccounted)}"
    )


async def play_one_hostile(count: int, seed: int, *, only: str, defect: str | None) -> HostileOutcome:
    """Play one run with an empty database of its own."""
    async with empty_database() as empty:
        return await play_hostile(count, seed, empty, only=only, defect=defect)


def main() -> None:
    """Play the runs, and print a summary in the last line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many runs")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="one run: this one")
    parser.add_argument("--kills", type=int, help="how many SIGKILLs in all")
    parser.add_argument("--jobs", type=int, default=1, help="how many runs at once")
    parser.add_argument("--hide", action="store_true", help="take channels, their history and the guild away, too")
    parser.add_argument("--defect", choices=sorted(DEFECTS), help="plant a defect, which must be found")
    parser.add_argument(
        "--hostile", action="store_true", help="one run with events and answers that are not well formed"
    )
    parser.add_argument("--mutations", type=int, default=MUTATIONS_OF_A_RUN, help="how many of them")
    parser.add_argument("--only", default="", help="only those that have this in their name, as a failed run prints it")
    given = parser.parse_args()
    if given.hostile:
        seed = given.first if given.seed is None else given.seed
        found = asyncio.run(play_one_hostile(given.mutations, seed, only=given.only, defect=given.defect))
        print(f"of {found.distinct} distinct mutations, in {found.seconds:.0f} s")
        print(summary_hostile(found))
        sys.exit(found.failed)
    seeds = list(range(given.first, given.first + given.seeds)) if given.seed is None else [given.seed]
    kills = KILLS_OF_A_RUN * len(seeds) if given.kills is None else given.kills
    outcomes = asyncio.run(play(seeds, kills, jobs=given.jobs, defect=given.defect, hide=given.hide))
    print(struck(outcomes))
    idle = never_struck(outcomes, hide=given.hide) if len(outcomes) >= ENOUGH_FOR_EVERY_FAULT else []
    if idle:
        print(f"these runs show nothing, because some faults never struck: {', '.join(idle)}")
    print(summary(outcomes))
    sys.exit(bool(idle) or any(outcome.difference.lines for outcome in outcomes))


if __name__ == "__main__":
    main()
