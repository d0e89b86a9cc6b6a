"""The clock, and that there is only one."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.clock import Clock, DrivenClock, SystemClock

ROOT = Path(__file__).parents[2]
WALL_TIME = re.compile(
    r"\b(?:datetime|date|dt)\.(?:now|utcnow|today)\b"
    r"|\butcnow\b"
    r"|\btime\.(?:time|time_ns|localtime|gmtime|ctime|asctime|strftime)\("
    r"|\bfrom time import (?!monotonic|perf_counter|sleep)"
    r"|\bfunc\.(?:now|current_)|\bCURRENT_(?:TIMESTAMP|DATE|TIME)\b|(?<!\bsay)\(\s*['\"]now['\"]"
)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_system_clock_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_driven_clock_stands_still_until_it_is_set() -> None:
    clock: Clock = DrivenClock(NINE)
    assert clock.now() == clock.now() == NINE


def test_driven_clock_moves_forward_and_not_back() -> None:
    clock = DrivenClock(NINE)
    clock.set(NINE + timedelta(hours=1))
    clock.set(NINE)
    assert clock.now() == NINE + timedelta(hours=1)
    clock.set(NINE, back=True)
    assert clock.now() == NINE


def test_driven_clock_turns_every_zone_into_utc() -> None:
    clock = DrivenClock(NINE.astimezone(timezone(timedelta(hours=5))))
    assert clock.now().tzinfo is UTC
    clock.set((NINE + timedelta(hours=1)).astimezone(timezone(timedelta(hours=-3))))
    assert clock.now().tzinfo is UTC
    assert clock.now() == NINE + timedelta(hours=1)


def test_driven_clock_refuses_times_without_a_zone() -> None:
    naive = NINE.replace(tzinfo=None)
    with pytest.raises(ValueError, match="2026-03-02 09:00:00 has no time zone"):
        DrivenClock(naive)
    with pytest.raises(ValueError, match="has no time zone"):
        DrivenClock(NINE).set(naive)


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "time.time()",
        "date.today()",
        "x = discord.utils.utcnow()",
        "from time import time",
        "func.now()",
    ],
)
def test_wall_time_is_recognised(line: str) -> None:
    assert WALL_TIME.search(line)


@pytest.mark.parametrize(
    "line", ["clock.now()", 'say("now")', "time.monotonic()", "loop.time()", "runtime.time_left", "self._clock.now()"]
)
def test_other_time_is_left_alone(line: str) -> None:
    assert not WALL_TIME.search(line)


def test_nothing_but_the_clock_reads_wall_time() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("bot", "cogs")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != ROOT / "bot" / "clock.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WALL_TIME.search(line)
    ]
    assert found == []
