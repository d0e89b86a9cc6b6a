"""`python -m tests.faults_outbox [--kills N] [--seed N] [--defect history|nonce]`."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.faults_outbox.run import DEFECTS, OutboxFaults


def main() -> int:
    """Play; 0 when nothing was sent twice, lost or left open."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults_outbox", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--defect", choices=DEFECTS, help="plant a defect, which must be found")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="spade-outbox-") as folder:
        outcome = asyncio.run(OutboxFaults(given.kills, given.seed, Path(folder), defect=given.defect).play())
    for problem in outcome.problems:
        print(problem)
    for point, count in sorted(outcome.by_point.items()):
        print(f"  ended {count:4} times: {point}")
    print(
        f"{outcome.days} nudges, {outcome.sigkills} SIGKILLs among the ends, {outcome.not_sent} not sent, "
        f"in {time.monotonic() - started:.0f} s"
    )
    print(f"faults: kills={outcome.kills} sent-twice={outcome.sent_twice} unsettled={outcome.unsettled}")
    return 1 if outcome.sent_twice or outcome.unsettled or outcome.not_sent or outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
