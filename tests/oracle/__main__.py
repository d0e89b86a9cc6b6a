"""`python -m tests.oracle FOLDER… --manager ID… (--week MONDAY | --at TIME | --counts) [--zone Z]`."""

from __future__ import annotations

import argparse
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.oracle.figures import digest
from tests.oracle.nudges import members
from tests.oracle.record import derive, read


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("path", nargs="+", type=Path)
    parser.add_argument("--manager", action="append", type=int, required=True)
    parser.add_argument("--enrolled", action="append", type=int, default=[])
    parser.add_argument("--zone", default="UTC")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--week", type=date.fromisoformat, help="the week's figures")
    asked.add_argument("--at", type=datetime.fromisoformat, help="every manager's nudge at an aware time")
    asked.add_argument("--counts", action="store_true", help="what an import would count")
    given = parser.parse_args()
    facts = derive(read(given.path), given.manager)
    answer: dict[str, Any]
    if given.week:
        answer = digest(facts, given.week, given.zone)
    elif given.at:
        answer = {
            str(manager): members(facts, manager, given.enrolled, given.zone, given.at) for manager in facts.managers
        }
    else:
        answer = facts.counts
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
