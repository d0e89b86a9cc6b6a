"""What the services do at each tick, with the outbox's unique keys in memory."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.domain.digest import DueDigest, due_digest, due_personal_digest, next_digest_at, next_personal_digest_at
from bot.domain.nudge_time import due_nudge, next_nudge_at
from tests.simulate.machine import Tick
from tests.simulate.scenario import Scenario


@dataclass(slots=True)
class Sent:
    """The ticks at which something was sent: nudges by day; digests by week, with whether they said they are late."""

    nudges: dict[date, list[Tick]] = field(default_factory=lambda: defaultdict(list))
    posts: dict[date, list[tuple[Tick, bool]]] = field(default_factory=lambda: defaultdict(list))
    letters: dict[date, list[tuple[Tick, bool]]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class DueTime:
    """When one kind of work is next looked at, kept as the services keep it in a column."""

    _depends_on: object = None
    _looked_at: datetime | None = None
    _next_at: datetime | None = None

    def is_due(self, now: datetime, depends_on: object) -> bool:
        """Whether to look: always after the settings changed, and if the clock was set back."""
        if self._looked_at is None or now < self._looked_at or depends_on != self._depends_on:
            self._next_at = now
        self._looked_at, self._depends_on = now, depends_on
        return self._next_at is not None and self._next_at <= now

    def move_on(self, next_at: datetime | None) -> None:
        """Nothing is due; `next_at` is when to look again."""
        self._next_at = next_at


def play(setting: Scenario, ticks: list[Tick]) -> Sent:
    """Everything that is sent. As in the outbox, a day or week before the newest that was dealt with is past."""
    sent = Sent()
    newest_day = newest_post = newest_letter = date.min
    guild = setting.guild
    nudge, post, letter = DueTime(), DueTime(), DueTime()
    for tick in ticks:
        now = tick.now
        today = now.astimezone(guild.zone).date()
        manager = setting.year(today).on(today)
        if nudge.is_due(now, manager):
            day = due_nudge(manager, guild.zone, now)
            if day is not None and day > newest_day:
                newest_day = day
                sent.nudges[day].append(tick)
            else:
                nudge.move_on(next_nudge_at(manager, guild.zone, now))
        if post.is_due(now, guild):
            week = due_digest(guild, now)
            if _sent(sent.posts, week, newest_post, tick):
                newest_post = max(sent.posts)
            else:
                post.move_on(next_digest_at(guild, now))
        there = now.astimezone(setting.reader_zone).date()
        reader = setting.year(there).paused(setting.reader, there)
        if letter.is_due(now, reader):
            week = due_personal_digest(guild, reader, now)
            if _sent(sent.letters, week, newest_letter, tick):
                newest_letter = max(sent.letters)
            else:
                letter.move_on(next_personal_digest_at(guild, reader, now))
    return sent


def _sent(sent: dict[date, list[tuple[Tick, bool]]], due: DueDigest | None, newest: date, tick: Tick) -> bool:
    if due is None or due.week_on <= newest:
        return False
    sent[due.week_on].append((tick, due.late))
    return True
