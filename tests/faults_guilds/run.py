"""Some weeks of all guilds in one bot on one database, and what is missing, late or too much in the end."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from bot.app import App
from bot.painter import ProcessPainter
from bot.sandbox import PostedMessage, Sandbox
from bot.sandbox.world.snowflakes import time_of
from tests.faults_guilds.country import FEW, KINDS, MONDAY, Country, LoopClock, Town, settled, tick_from
from tests.faults_guilds.troubles import Trouble
from tests.support.fast_loop import FastLoop, gateway_counts_in_loop_time
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop
from tests.support.stage import connected
from tests.support.town import card

ON_TIME = timedelta(minutes=2)
"""Within a few ticks, of which one may wait for those in trouble."""
SOON_AFTER = timedelta(minutes=70)
"""How long after the end of a trouble what is still due may come: the longest pause, and some ticks."""
RECONNECTING_SECONDS = 1800.0
"""Until the channels that Discord does not answer for are given up, and become known gaps."""
WINDOW_SECONDS = 130.0
DAY = timedelta(days=1)


@dataclass
class Outcome:
    """What came of it. The counts are of the guilds without trouble; the rest is told in `problems`."""

    guilds: int
    troubled: int
    nudges: int = 0
    digests: int = 0
    late: int = 0
    missed: int = 0
    doubled: int = 0
    latest: timedelta = timedelta()
    problems: list[str] = field(default_factory=list)

    def hold_against(self, due: dict[object, datetime], sent: dict[object, list[datetime]], what: str) -> int:
        """Count what is missing, late or too much; returns how many were sent."""
        for key, due_at in due.items():
            if key not in sent:
                self.missed += 1
                self.problems.append(f"{what} {key} never came")
                continue
            delay = sent[key][0] - due_at
            self.latest = max(self.latest, delay)
            if delay > ON_TIME:
                self.late += 1
                self.problems.append(f"{what} {key} came {delay} late")
        for key, found in sent.items():
            extra = len(found) - (key in due)
            self.doubled += extra
            if extra:
                self.problems.append(f"{what} {key} came {extra} times too often, at {found[-1]}")
        return sum(map(len, sent.values()))


def play(folder: Path, *, guilds: int, days: int, ends_on: int, begins_on: int = 0, seed: int = 1) -> Outcome:
    """Play the days from `begins_on` to before `days`, counted from a Monday; at noon of `ends_on` all troubles end."""
    fast = asyncio.Runner(loop_factory=lambda: FastLoop(idle=0.0002, step=1.0))
    with sqlite_in_the_loop(), gateway_counts_in_loop_time(), _no_pictures(), fast as runner:
        return runner.run(_play(folder, guilds, range(begins_on, days), ends_on, Random(seed)))


async def _play(folder: Path, size: int, days: range, ends_on: int, random: Random) -> Outcome:
    clock = LoopClock(MONDAY + days[0] * DAY)
    outcome = Outcome(size, len(KINDS))
    async with Sandbox(now=clock.now) as sandbox:
        country = Country(sandbox, size, random)
        await country.set_up(f"sqlite:///{folder}/spade.db")
        async with connected(sandbox, clock, folder / "spade.db", hold_seconds=1.0) as app:
            beating = asyncio.create_task(_acknowledge(sandbox))
            trouble = Trouble(sandbox, app)
            trouble.spoil_answers()
            in_trouble = [town for town in country.towns if town.trouble is not None]
            for town in in_trouble:
                await trouble.begin(town)
            with trouble.faults_planted():
                for number in days:
                    day = MONDAY.date() + number * DAY
                    if number > days[0]:
                        await _one_day(country, app, clock, day)
                    if number == ends_on:
                        await _end_all(country, app, clock, trouble, in_trouble, outcome)
                    elif number == ends_on - 3 and size > FEW:
                        sandbox.faults.gateway.drop(resume=False)  # all have to catch up, those in trouble too
                        await asyncio.sleep(RECONNECTING_SECONDS)
                    clock.skip_to(datetime(day.year, day.month, day.day, 22, 30, tzinfo=UTC))
                    country.people_ask(day + DAY)
                    await asyncio.sleep(5.0)
            beating.cancel()
    _judge(country, outcome, days, ends_on)
    return outcome


async def _one_day(country: Country, app: App, clock: LoopClock, day: date) -> None:
    seconds = 30.0 if day.weekday() >= 5 else WINDOW_SECONDS if len(country.towns) > FEW else 70.0
    for begin in sorted({town.due_at(day) for town in country.towns}):
        await tick_from(app, clock, begin - timedelta(seconds=20), seconds)
    clock.skip_to(datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC))
    country.managers_answer()
    await asyncio.sleep(5.0)


async def _end_all(
    country: Country, app: App, clock: LoopClock, trouble: Trouble, in_trouble: list[Town], outcome: Outcome
) -> None:
    """At noon all troubles end, once `/status` has shown them; then what is still due comes."""
    noon = clock.now().replace(hour=12, minute=0)
    await tick_from(app, clock, noon, 30.0)
    for town in in_trouble:
        answer = await country.sandbox.people.run_command(town.managers[0], town.room, "status", {})
        said = card(await settled(answer))
        if "Everything is in order" in said:
            outcome.problems.append(f"/status of the guild that is {town.trouble} says that all is well")
    for town in in_trouble:
        await trouble.end(town)
    ended_at = clock.now()
    await asyncio.sleep(120.0)
    while clock.now() < ended_at + SOON_AFTER:
        await tick_from(app, clock, clock.now() + timedelta(minutes=10), 1.0)


def _judge(country: Country, outcome: Outcome, days: range, ends_on: int) -> None:
    """Compare with what people did and what is agreed; for the guilds in trouble only what came after its end."""
    first_on, well_from = MONDAY.date(), MONDAY.date() + (ends_on + 1) * DAY
    for town in country.towns:
        begins_on = first_on if town.trouble is None else well_from
        nudges: dict[object, datetime] = {}
        digests: dict[object, datetime] = {}
        for number in days:
            day = first_on + number * DAY
            if day < begins_on:
                continue
            for manager in town.managers:
                if day.weekday() < 5 and (manager.id, day) in town.asked:
                    nudges[town.guild.name, manager.name, day, town.asked[manager.id, day]] = town.due_at(day)
                if day.weekday() == 0 and _was_talkative(town, manager.id, day):
                    digests[town.guild.name, manager.name, day] = town.due_at(day)
            if day.weekday() == 0 and day > first_on:
                digests[town.guild.name, "board", day] = town.due_at(day)
        sent_nudges, sent_digests = _sent(country.sandbox, town)
        if town.trouble is None:
            outcome.nudges += outcome.hold_against(nudges, sent_nudges, "the nudge")
            outcome.digests += outcome.hold_against(digests, sent_digests, "the digest")
            continue
        own = Outcome(1, 1)
        own.hold_against(nudges, {key: at for key, at in sent_nudges.items() if _day(key) >= well_from}, "the nudge")
        own.hold_against(digests, {key: at for key, at in sent_digests.items() if _day(key) >= well_from}, "the digest")
        week_on = well_from - DAY - timedelta(days=(well_from - DAY).weekday())
        late_digest = [at for key, at in sent_digests.items() if key[1] == "board" and week_on <= _day(key) < well_from]
        if week_on > first_on and len(late_digest) != 1:
            own.problems.append(f"the last digest of its trouble came {len(late_digest)} times")
        outcome.problems += [f"after its end ({town.trouble}): {problem}" for problem in own.problems]


def _was_talkative(town: Town, manager_id: int, monday: date) -> bool:
    """Whether a manager answered anybody in the week before, so that their own digest has something to say."""
    return any(who == manager_id and monday - 7 * DAY <= day < monday for who, day in town.asked)


def _day(key: object) -> date:
    assert isinstance(key, tuple)
    day = key[2]
    assert isinstance(day, date)
    return day


def _sent(sandbox: Sandbox, town: Town):
    """When nudges and digests arrived, by guild, receiver and local date; nudges also by whom they name."""
    nudges: dict[object, list[datetime]] = defaultdict(list)
    digests: dict[object, list[datetime]] = defaultdict(list)
    for manager in town.managers:
        names = sorted({name for (who, _), name in town.asked.items() if who == manager.id})
        for message in sandbox.dms(manager):
            day = time_of(message.id).astimezone(town.zone).date()
            if _title(message).startswith("Hello"):
                continue
            if "worth a word" in _title(message):
                named = [name for name in names if name in str(message.embeds)]
                nudges[town.guild.name, manager.name, day, ", ".join(named)].append(time_of(message.id))
            else:
                digests[town.guild.name, manager.name, day].append(time_of(message.id))
    for message in sandbox.read(town.board):
        day = time_of(message.id).astimezone(town.zone).date()
        digests[town.guild.name, "board", day].append(time_of(message.id))
    return nudges, digests


def _title(message: PostedMessage) -> str:
    return str(message.embeds[0].get("title", "")) if message.embeds else ""


async def _acknowledge(sandbox: Sandbox) -> None:
    """The bot's heartbeats go by the real clock, so their answers are sent unasked."""
    while True:
        await asyncio.sleep(20.0)
        for connection in list(sandbox.gateway.connections):
            connection.send_op(11)


@contextmanager
def _no_pictures() -> Iterator[None]:
    """Digests without pictures: each would take a process."""
    paint = ProcessPainter.paint

    async def nothing(_self: ProcessPainter, _draft: object) -> None:
        return None

    ProcessPainter.paint = nothing
    try:
        yield
    finally:
        ProcessPainter.paint = paint
