"""`python -m tests.faults_guilds [--guilds N] [--weeks N] [--seed N]`."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.faults_guilds.run import play


def main() -> int:
    """Play; 0 if everybody without trouble got everything on time, and the others once theirs was over."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults_guilds", description=__doc__)
    parser.add_argument("--guilds", type=int, default=50)
    parser.add_argument("--weeks", type=int, default=3, help="how many; in the last one the troubles end")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.monotonic()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="spade-guilds-") as folder:
        days = given.weeks * 7 + 1
        outcome = play(Path(folder), guilds=given.guilds, days=days, ends_on=days - 5, seed=given.seed)
    for problem in outcome.problems[:40]:
        print(problem)
    print(
        f"the latest came {outcome.latest.total_seconds():.1f} s after it was due; {time.monotonic() - started:.0f} s"
    )
    print(
        f"guilds: guilds={outcome.guilds} troubled={outcome.troubled} nudges={outcome.nudges} "
        f"digests={outcome.digests} late={outcome.late} missed={outcome.missed} doubled={outcome.doubled}"
    )
    return int(bool(outcome.problems))


if __name__ == "__main__":
    sys.exit(main())
