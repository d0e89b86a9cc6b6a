"""The clock, and that there is only one."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.clock import Clock, DrivenClock, SystemClock
from bot.discord_io.connection.time_signal import TimeSignal

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


class Machine:
    """A wall that can be set and a counter that cannot."""

    def __init__(self) -> None:
        self.wall, self.seconds = NINE, 1000.0
        self.clock = SystemClock(lambda: self.wall, lambda: self.seconds)

    def pass_(self, time: timedelta, *, jump: timedelta = timedelta()) -> None:
        self.wall += time + jump
        self.seconds += time.total_seconds()


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_before_discord_said_anything_the_machine_is_all_there_is(machine: Machine) -> None:
    assert machine.clock.now() == NINE
    assert not machine.clock.sure


@pytest.mark.parametrize("wrong", [timedelta(seconds=-59), timedelta(), timedelta(seconds=59)])
def test_a_clock_that_agrees_within_a_minute_counts(machine: Machine, wrong: timedelta) -> None:
    machine.clock.hear(NINE - wrong)
    machine.pass_(timedelta(hours=1))
    assert machine.clock.now() == NINE + timedelta(hours=1)
    assert machine.clock.sure


@pytest.mark.parametrize("wrong", [timedelta(days=-18_000), timedelta(hours=-5), timedelta(minutes=2), timedelta(20)])
def test_a_wrong_clock_gives_way_to_discords(
    machine: Machine, wrong: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        machine.clock.hear(machine.wall - wrong)
        machine.pass_(timedelta(hours=1))
        assert machine.clock.now() == machine.wall - wrong
        assert machine.clock.sure
    assert caplog.text.count("Spade goes by Discord's") == 1


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(minutes=-2), timedelta(hours=1), timedelta(days=9)])
def test_after_a_jump_the_counter_decides_until_discord_speaks(machine: Machine, jump: timedelta) -> None:
    machine.clock.hear(NINE)
    machine.pass_(timedelta(minutes=5), jump=jump)
    assert machine.clock.now() == NINE + timedelta(minutes=5)
    assert not machine.clock.sure
    machine.clock.hear(machine.wall)
    assert machine.clock.now() == machine.wall
    assert machine.clock.sure


def test_discords_word_grows_old_and_can_be_doubted(machine: Machine) -> None:
    machine.clock.hear(NINE)
    machine.clock.doubt()
    assert not machine.clock.sure
    machine.clock.hear(NINE)
    assert machine.clock.sure
    machine.pass_(timedelta(hours=6))
    assert not machine.clock.sure


async def test_every_answer_with_a_date_says_what_time_it_is() -> None:
    heard: list[datetime] = []
    signal = TimeSignal(heard.append)
    for headers in ({"Date": "Mon, 02 Mar 2026 09:00:00 GMT"}, {}, {"Date": "today"}, {"Date": "99"}):
        params = SimpleNamespace(response=SimpleNamespace(headers=headers))
        await signal.answered(None, SimpleNamespace(), params)
    assert heard == [NINE]


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
