"""`python -m tests.simulate [--zones N] [--first YEAR] [--last YEAR] [--seed N] [--processes N]`."""

import argparse
import logging
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from zoneinfo import available_timezones

from tests.simulate.zone import Outcome, simulate


def main() -> int:
    """Run every zone; 0 when nothing was missed or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--zones", type=int, help="only so many, spread over the list")
    parser.add_argument("--first", type=int, default=2024)
    parser.add_argument("--last", type=int, default=2034)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    zones = sorted(available_timezones())
    if given.zones:
        zones = zones[:: max(1, len(zones) // given.zones)][: given.zones]
    started = time.monotonic()
    total = Outcome()
    one = partial(simulate, first_year=given.first, last_year=given.last, seed=given.seed)
    # Every jump of a clock is worth a warning in life.
    with ProcessPoolExecutor(given.processes, initializer=logging.disable) as pool:
        for name, outcome in zip(zones, pool.map(one, zones, chunksize=4), strict=True):
            total.add(outcome)
            if outcome.missed or outcome.doubled:
                print(f"{name}: missed={outcome.missed} doubled={outcome.doubled}")
    print(
        f"{len(zones)} zones, {given.first} to {given.last}: {total.nudges:,} nudges, {total.digests:,} digests and "
        f"{total.personal_digests:,} personal ones ({total.late:,} late after downtime), {total.jumps:,} jumps of the "
        f"machine's clock, in {time.monotonic() - started:.0f} s"
    )
    print(f"simulate: zone-days={total.zone_days} missed={total.missed} doubled={total.doubled}")
    return 1 if total.missed or total.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
