"""`python -m tests.imports [--runs N] [--seed N]`: parts in any order against one import of all.

Random histories first, then the samples forge and mesh where they are: every way of cutting them has to give the same
rows, and the same digest of every week. A few minutes; the last line is the result.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bot.domain.rules import Rules
from bot.services.digest.report import Reporter
from bot.store import guilds
from bot.store.database import Database, open_database
from tests.imports.history import GUILD, MANAGERS, Story
from tests.imports.record import differences, import_paths, on_record, record_of
from tests.imports.samples import SAMPLES, Sample, cut, mondays

_LENGTH = 80


def main() -> int:
    """Run everything; 1 if any two records differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.imports", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="random histories")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="spade-imports-") as folder:
        failures, ways = asyncio.run(_all(Path(folder), range(given.seed, given.seed + given.runs)))
    print(f"{given.runs} random histories and {ways} ways of cutting samples: {failures} differ")
    return 1 if failures else 0


async def _all(folder: Path, seeds: range) -> tuple[int, int]:
    database = await open_database(f"sqlite:///{folder / 'spade.db'}", write=True)
    try:
        failures = sum([await stories_differ(database, folder, seed) for seed in seeds])
        ways = 0
        for sample in SAMPLES:
            if not sample.folder.is_dir():
                print(f"the sample {sample.name} is not beside the repository: left out")
                continue
            files = sample.files()
            found = await ways_that_differ(database, sample, files, mondays(files), folder / sample.name)
            ways += len(found)
            failures += sum(found.values())
    finally:
        await database.close()
    return failures, ways


async def stories_differ(database: Database, folder: Path, seed: int) -> bool:
    """Whether the parts of a random history give another record than all of it at once; says so."""
    story = Story(Random(seed), _LENGTH)
    place = folder / f"story {seed}"
    place.mkdir()
    files = [file.write(place, number) for number, file in enumerate(story.files())]
    whole = await record_of(database, GUILD, [files], MANAGERS)
    parts = await record_of(database, GUILD, story.commands(files), MANAGERS)
    found = differences(whole, parts)
    if found:
        print(f"seed {seed}: {found}")
    return bool(found)


async def ways_that_differ(
    database: Database, sample: Sample, files: Sequence[Path], weeks: Sequence[date], folder: Path
) -> dict[str, bool]:
    """For each way of cutting some files, whether the rows, or the digests of some weeks, differ from one import's."""
    whole = await _shown(database, sample, [files], weeks)
    result: dict[str, bool] = {}
    for name, commands in cut(files, folder):
        found = await _shown(database, sample, commands, weeks)
        differing = differences(whole[0], found[0])
        differing += [
            f"week of {monday}" for monday, one, other in zip(weeks, whole[1], found[1], strict=True) if one != other
        ]
        result[name] = bool(differing)
        print(f"{sample.name} {name}, {len(commands)} imports: {differing or 'the same'}", flush=True)
    return result


async def _shown(
    database: Database, sample: Sample, commands: Sequence[Sequence[Path]], weeks: Sequence[date]
) -> tuple[dict[str, list[tuple[object, ...]]], list[str]]:
    """The rows that some imports make, and the digest of every week as `--json` has it."""
    async with database.writing() as connection:
        await guilds.purge(connection, sample.guild_id)
    for paths in commands:
        await import_paths(database, paths, sample.managers, "Europe/Berlin")
    reports = [await Reporter(database, Rules()).week(sample.guild_id, monday) for monday in weeks]
    assert None not in reports
    shown = [json.dumps(report.document()) for report in reports if report is not None]
    rows = await on_record(database)
    async with database.writing() as connection:
        await guilds.purge(connection, sample.guild_id)
    return rows, shown


if __name__ == "__main__":
    sys.exit(main())
