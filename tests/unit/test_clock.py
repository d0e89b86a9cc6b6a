"""The clock, and that there is only one."""

import logging
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.clock import Clock, DrivenClock, SystemClock, UnsureTimeError
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
    """At the start only the machine's clock contradicts: two parts of Discord that agree are enough at once."""
    for _ in range(2):
        machine.clock.hear(machine.wall - wrong, machine.wall - wrong)
        machine.pass_(timedelta(hours=1))
        assert machine.clock.now() == machine.wall - wrong
        assert machine.clock.sure
    assert caplog.text.count("Spade goes by Discord's") == 1
    assert "before it is certain" not in caplog.text


@pytest.mark.parametrize("wrong", [timedelta(days=-18_000), timedelta(hours=2)])
def test_a_date_alone_is_not_enough_against_the_clock(machine: Machine, wrong: timedelta) -> None:
    truth = NINE - wrong
    for minutes in range(0, 60, 5):
        machine.clock.hear(truth + timedelta(minutes=minutes))
        assert not machine.clock.sure
        assert machine.clock.now() == truth + timedelta(minutes=minutes)  # the better guess, but no more
        machine.pass_(timedelta(minutes=5))
    assert machine.clock.unsure_for == timedelta(hours=1)
    machine.clock.hear_id(machine.wall - wrong)
    assert machine.clock.sure
    assert machine.clock.now() == machine.wall - wrong


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(minutes=-2), timedelta(hours=1), timedelta(days=9)])
@pytest.mark.parametrize("right", ["wall", "counter"])
def test_after_a_jump_the_counter_decides_until_discord_speaks(machine: Machine, jump: timedelta, right: str) -> None:
    """As after a suspend of three days with a counter that stood still, and as after a clock that was set wrong."""
    machine.clock.hear(NINE)
    machine.pass_(timedelta(minutes=5), jump=jump)
    assert machine.clock.now() == NINE + timedelta(minutes=5)
    assert not machine.clock.sure
    truth = machine.wall if right == "wall" else NINE + timedelta(minutes=5)
    machine.clock.hear(truth)
    assert machine.clock.now() == truth
    assert machine.clock.sure


def test_discords_word_grows_old_and_can_be_doubted(machine: Machine) -> None:
    machine.clock.hear(NINE)
    machine.clock.doubt()
    machine.pass_(timedelta(minutes=4))
    machine.clock.doubt()
    assert not machine.clock.sure
    assert machine.clock.unsure_for == timedelta(minutes=4)
    machine.clock.hear(machine.wall)
    assert machine.clock.sure
    assert machine.clock.unsure_for == timedelta()
    machine.pass_(timedelta(hours=6))
    assert not machine.clock.sure


WRONG = [timedelta(days=5 * 365), timedelta(days=40), timedelta(hours=1), timedelta(minutes=-2), timedelta(days=-40)]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_date_is_not_believed_and_nothing_is_sure_meanwhile(
    machine: Machine, wrong: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    machine.clock.hear(NINE)
    caplog.set_level(logging.INFO)
    for _ in range(30):
        machine.pass_(timedelta(minutes=1))
        machine.clock.hear(machine.wall + wrong)
        assert machine.clock.now() == machine.wall
        assert not machine.clock.sure
        with pytest.raises(UnsureTimeError):
            machine.clock.sure_now()
    assert len(caplog.records) == 1
    assert machine.clock.unsure_for == timedelta(minutes=29)
    machine.pass_(timedelta(minutes=1))
    machine.clock.hear(machine.wall)
    assert machine.clock.sure_now() == machine.wall
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_dates_that_are_refuted_at_once_are_told_now_and_then(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.clock.hear(NINE)
    caplog.set_level(logging.INFO)
    for _ in range(12):
        machine.pass_(timedelta(minutes=1))
        machine.clock.hear(machine.wall + timedelta(days=40))
        machine.clock.hear(machine.wall)
    first, over, *later = [record.getMessage() for record in caplog.records]
    assert "2026-04-11 09:01:00Z, this machine as 2026-03-02 09:01:00Z" in first
    assert over.startswith("It is certain again")
    assert len(later) == 2
    # One that lasts is told, however soon after another.
    machine.pass_(timedelta(minutes=1))
    for _ in range(10):
        machine.pass_(timedelta(minutes=1))
        machine.clock.hear(machine.wall + timedelta(days=40))
    assert len(caplog.records) == 5


@pytest.mark.parametrize("wrong", WRONG)
def test_another_part_of_discord_refutes_a_wrong_date(machine: Machine, wrong: timedelta) -> None:
    machine.clock.hear(NINE)
    machine.pass_(timedelta(minutes=1))
    machine.clock.hear(machine.wall + wrong, machine.wall)
    assert machine.clock.sure_now() == machine.wall
    machine.clock.hear(machine.wall + wrong)
    assert not machine.clock.sure
    machine.clock.hear_id(machine.wall - timedelta(seconds=20))
    assert machine.clock.sure_now() == machine.wall


@pytest.mark.parametrize("second", ["limit", "id"])
@pytest.mark.parametrize("wrong", [timedelta(days=3), timedelta(days=-3)])
def test_who_was_suspended_whole_believes_two_parts_of_discord_after_minutes(
    machine: Machine, second: str, wrong: timedelta
) -> None:
    """Clock and counter stood still together, as in a paused virtual machine, and nobody sets the clock."""
    machine.clock.hear(NINE)
    for minutes in range(6):
        assert not machine.clock.sure or minutes == 0
        truth = machine.wall + wrong
        machine.clock.hear(truth, truth if second == "limit" else None)
        if second == "id" and minutes == 1:
            machine.clock.hear_id(truth - timedelta(seconds=10))
        if minutes < 5:
            assert machine.clock.now() == machine.wall
            machine.pass_(timedelta(minutes=1))
    assert machine.clock.sure_now() == truth


def test_dates_that_are_not_kept_to_prove_nothing(machine: Machine) -> None:
    """As from a cache that repeats an answer, or from a clock that is set all the time."""
    machine.clock.hear(NINE)
    for minutes in range(1, 60):
        machine.pass_(timedelta(minutes=3))
        wrong = NINE + timedelta(days=minutes)
        machine.clock.hear(wrong, wrong)
        assert not machine.clock.sure
    assert machine.clock.now() == machine.wall


def test_a_late_event_says_nothing_and_one_of_the_future_raises_doubt(machine: Machine) -> None:
    machine.clock.hear(NINE)
    machine.pass_(timedelta(minutes=10))
    machine.clock.hear_id(NINE)
    assert machine.clock.sure_now() == machine.wall
    machine.clock.hear_id(machine.wall + timedelta(hours=1))
    assert not machine.clock.sure
    machine.clock.hear(machine.wall)
    assert machine.clock.sure


def test_an_id_too_close_to_both_decides_nothing(machine: Machine) -> None:
    machine.clock.hear(NINE)
    machine.clock.hear(NINE + timedelta(seconds=90))
    machine.clock.hear_id(NINE + timedelta(seconds=45))
    assert not machine.clock.sure


def test_without_an_answer_an_event_that_agrees_with_the_machine_is_enough(machine: Machine) -> None:
    machine.clock.hear_id(NINE - timedelta(seconds=3))
    assert machine.clock.sure_now() == NINE


LIMIT = {"X-RateLimit-Reset": f"{NINE.timestamp() + 7.25:.3f}", "X-RateLimit-Reset-After": "7.250"}
DATE = {"Date": "Mon, 02 Mar 2026 09:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "status", "heard"),
    [
        (DATE, 200, (NINE, None)),
        ({"Date": "Mon, 02 Mar 2026 10:00:00 +0100"}, 200, (NINE, None)),
        (DATE | {"Age": "0"}, 404, (NINE, None)),
        (DATE | LIMIT, 200, (NINE, NINE)),
        (DATE | LIMIT, 429, (NINE, None)),
        (DATE | LIMIT | {"X-RateLimit-Reset-After": "soon"}, 200, (NINE, None)),
        (DATE | LIMIT | {"X-RateLimit-Reset": "1e300"}, 200, (NINE, None)),
        (DATE | LIMIT | {"X-RateLimit-Reset": "nan"}, 200, (NINE, None)),
        (DATE | LIMIT | {"X-RateLimit-Reset": "7"}, 200, (NINE, None)),
        (DATE | {"Age": "86400"}, 200, None),
        (DATE | {"Age": "old"}, 200, None),
        (LIMIT, 200, None),
        ({"Date": "today"}, 200, None),
        ({"Date": "99"}, 200, None),
        ({"Date": "Mon, 02 Mar 99999999999999999999 09:00:00 GMT"}, 200, None),
        ({"Date": "Mon, 02 Mar 9999 09:00:00 GMT"}, 200, None),
        ({"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200, None),
        ({"Date": "Mon, 01 Jan 0001 00:00:00 +2359"}, 200, None),
    ],
)
async def test_an_answer_says_what_time_it_is_once_or_twice(
    headers: dict[str, str], status: int, heard: tuple[datetime, datetime | None] | None
) -> None:
    found: list[tuple[datetime, datetime | None]] = []
    signal = TimeSignal(lambda moment, counted_at: found.append((moment, counted_at)))
    params = SimpleNamespace(response=SimpleNamespace(headers=headers, status=status))
    await signal.answered(None, SimpleNamespace(), params)
    assert found == ([] if heard is None else [heard])


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
