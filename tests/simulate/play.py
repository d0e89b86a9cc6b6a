"""What the services do at each tick, with the outbox's unique keys in memory."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from bot.domain.digest import DueDigest, due_digest, due_personal_digest
from bot.domain.nudge_time import due_nudge
from tests.simulate.machine import Tick
from tests.simulate.scenario import Scenario


@dataclass(slots=True)
class Sent:
    """The ticks at which something was sent: nudges by day; digests by week, with whether they said they are late."""

    nudges: dict[date, list[Tick]] = field(default_factory=lambda: defaultdict(list))
    posts: dict[date, list[tuple[Tick, bool]]] = field(default_factory=lambda: defaultdict(list))
    letters: dict[date, list[tuple[Tick, bool]]] = field(default_factory=lambda: defaultdict(list))


def play(setting: Scenario, ticks: list[Tick]) -> Sent:
    """Everything that is sent. As in the outbox, a day or week before the newest that was dealt with is past."""
    sent = Sent()
    newest_day = newest_post = newest_letter = date.min
    guild = setting.guild
    for tick in ticks:
        today = tick.now.astimezone(guild.zone).date()
        day = due_nudge(setting.year(today).on(today), guild.zone, tick.now)
        if day is not None and day > newest_day:
            newest_day = day
            sent.nudges[day].append(tick)
        newest_post = _weekly(sent.posts, due_digest(guild, tick.now), newest_post, tick)
        there = tick.now.astimezone(setting.reader_zone).date()
        reader = setting.year(there).paused(setting.reader, there)
        newest_letter = _weekly(sent.letters, due_personal_digest(guild, reader, tick.now), newest_letter, tick)
    return sent


def _weekly(sent: dict[date, list[tuple[Tick, bool]]], due: DueDigest | None, newest: date, tick: Tick) -> date:
    if due is None or due.week_on <= newest:
        return newest
    sent[due.week_on].append((tick, due.late))
    return due.week_on
