"""`python -m tests.bench [--members N] [--seed N]`: a few minutes with half a million members.

Times are those of this machine just now: what can be compared are the ratios. Every line is measured in a process of
its own, so that its memory is its own.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from tests.bench import answers, intake
from tests.bench.answers import ANSWERS, Found
from tests.bench.guild import LARGE, Size, make, part_of
from tests.bench.measure import Cost

_PARTS = 100
"""How many times smaller the small server is than the largest."""
_LIVE = 20_000
_EXPORTED = 10_000
_MEGABYTE = 1_000_000
_Result = TypeVar("_Result")


def main() -> int:
    """Measure everything; 1 when something could not be done, or an import's memory grows with the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--members", type=int, default=LARGE.members, help="of the large server")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    large = part_of(LARGE, max(1, LARGE.members // given.members))
    small = part_of(LARGE, _PARTS)
    with tempfile.TemporaryDirectory(prefix="spade-bench-", ignore_cleanup_errors=True) as folder:
        sizes = {"small": (Path(folder, "small.db"), small), "large": (Path(folder, "large.db"), large)}
        for name, (path, size) in sizes.items():
            _alone(partial(_make, path, size, given.seed))
            rows = f"{size.members:,} members, {size.managers} managers, about {size.rows:,} rows"
            print(f"{name}: {rows}, {path.stat().st_size / _MEGABYTE:,.0f} MB", flush=True)
        slowest, held = _answers(sizes)
        rate, held_by_intake = _intake(sizes)
        growth = _imports(Path(folder))
    name, cost = slowest
    print(
        f"bench: slowest={name.replace(' ', '_')}:{cost.seconds:.2f}s held={max(held, held_by_intake) * 1000:.0f}ms "
        f"recorded={rate:,.0f}/s import_memory_x10={growth:.2f}"
    )
    return 1 if growth > 1.25 else 0


def _answers(sizes: dict[str, tuple[Path, Size]]) -> tuple[tuple[str, Cost], float]:
    print(f"\n{'':22}{'small':>9}{'large':>9}{'ratio':>8}{'x bare':>8}{'held':>9}{'memory':>9}")
    found: dict[str, Found] = {}
    for name in ANSWERS:
        less, more = (_alone(partial(_ask, name, *sizes[size])) for size in ("small", "large"))
        found[name] = more
        bare = f"{more.cost.seconds / more.bare:8.1f}" if more.bare else " " * 8
        memory = max(more.cost.peak, more.worker)
        print(
            f"{name:22}{less.cost.seconds:7.3f} s{more.cost.seconds:7.3f} s"
            f"{more.cost.seconds / less.cost.seconds:8.1f}{bare}{more.cost.hold * 1000:6.0f} ms"
            f"{memory / _MEGABYTE:6.0f} MB",
            flush=True,
        )
    slowest = max(found, key=lambda name: found[name].cost.seconds)
    return (slowest, found[slowest].cost), max(one.cost.hold for one in found.values())


def _intake(sizes: dict[str, tuple[Path, Size]]) -> tuple[float, float]:
    print(f"\n{'':22}{'small':>9}{'large':>9}{'ratio':>8}{'x bare':>8}{'held':>9}{'memory':>9}   messages a second")
    rates = []
    holds = []
    for name, work in (("recording live", _door), ("catching up", _catch_up)):
        (less, _), (more, bare) = (_alone(partial(work, *sizes[size])) for size in ("small", "large"))
        rates.append(_LIVE / more.seconds)
        holds.append(more.hold)
        print(
            f"{name:22}{less.seconds:7.3f} s{more.seconds:7.3f} s{more.seconds / less.seconds:8.1f}"
            f"{f'{more.seconds / bare:8.1f}' if bare else ' ' * 8}{more.hold * 1000:6.0f} ms"
            f"{more.peak / _MEGABYTE:6.0f} MB   {rates[-1]:,.0f}",
            flush=True,
        )
    return rates[0], max(holds)


def _imports(folder: Path) -> float:
    print(f"\n{'':22}{'1x':>9}{'10x':>9}{'ratio':>8}{'memory':>18}{'ratio':>8}   messages a second")
    grown = []
    for name, indented in (("import, compact", False), ("import, indented", True)):
        costs = []
        for times in (1, 10):
            export, database = folder / f"{times}.json", folder / f"{indented}{times}.db"
            _alone(partial(intake.write_export, export, _EXPORTED * times, indented=indented))
            costs.append(_alone(partial(_import, export, database)))
            export.unlink()
        one, ten = costs
        grown.append(ten.peak / one.peak)
        print(
            f"{name:22}{one.seconds:7.3f} s{ten.seconds:7.3f} s{ten.seconds / one.seconds:8.1f}"
            f"{one.peak / _MEGABYTE:9.0f}{ten.peak / _MEGABYTE:6.0f} MB{grown[-1]:8.2f}"
            f"   {_EXPORTED * 10 / ten.seconds:,.0f}",
            flush=True,
        )
    return max(grown)


def _alone(work: Callable[[], _Result]) -> _Result:
    """Do something in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work).result()


def _make(path: Path, size: Size, seed: int) -> None:
    asyncio.run(make(path, size, seed))


def _ask(name: str, path: Path, size: Size) -> Found:
    return asyncio.run(answers.ask(name, path, size))


def _door(path: Path, size: Size) -> tuple[Cost, float]:
    return asyncio.run(intake.door(path, size, _LIVE))


def _catch_up(path: Path, size: Size) -> tuple[Cost, float]:
    return asyncio.run(intake.catch_up(path, size, _LIVE)), 0.0


def _import(export: Path, database: Path) -> Cost:
    return asyncio.run(intake.import_export(export, database))
