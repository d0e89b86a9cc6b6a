"""How often people may use a command, a control or a form. Each declares what one use costs; the guard counts the uses.

The limits are far above what anybody does by hand. They keep one person, and one server, from taking all of Spade's
time. Counts are in memory and forgotten as soon as they have no effect.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from discord.ext import commands

from bot.discord_io.interactions.authorisation import AnyCommand

_EXTRA = "cost"
"""The key under which a command carries its cost in discord.py's `extras`."""
FORGOTTEN_AFTER_SECONDS = 15 * 60.0
"""How long heavy work can still be answered: after that it keeps nobody from asking again."""

SomeCommand = TypeVar("SomeCommand", bound=AnyCommand)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many uses in so many seconds."""

    uses: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one command, control or form: for each person, and for each guild.

    `one_at_a_time`: in a guild, a person's next use of anything that costs as much waits for the end of the one before.
    """

    person: Limit
    guild: Limit | None = None
    one_at_a_time: bool = False


class Cost(Enum):
    """What one use of something costs."""

    LIGHT = Limits(Limit(10, 10))
    PRESS = Limits(Limit(30, 10))
    """A button or a list: a nudge has five lines, each with several, and pages are turned fast."""
    SUGGESTION = Limits(Limit(60, 10))
    """Suggestions are asked for with every letter that is typed."""
    HEAVY = Limits(Limit(10, 60), guild=Limit(20, 60), one_at_a_time=True)
    """A picture, a file, a backfill, an erasure."""


class TooMany(Enum):
    """Why somebody has to wait."""

    BY_PERSON = "person"
    IN_GUILD = "guild"
    AT_ONCE = "at_once"


@dataclass(frozen=True, slots=True)
class Pause:
    """That somebody has to wait, and for how many seconds; None until what they asked for before is done."""

    reason: TooMany
    seconds: float | None = None


class UndeclaredCostError(LookupError):
    """A command reached the tree without a cost: nobody may use it."""


def declare_cost(command: AnyCommand, cost: Cost) -> None:
    """Give a command its cost. A cost that the command has already stays."""
    command.extras = {_EXTRA: cost} | command.extras  # a copy: copies of a command share the original's


def declared_cost(command: AnyCommand) -> Cost | None:
    """The cost that a command was given; None without one."""
    found = command.extras.get(_EXTRA)
    return found if isinstance(found, Cost) else None


def heavy(command: SomeCommand) -> SomeCommand:
    """Declare that a command costs more than the others of its cog; stands above `@app_commands.command`."""
    declare_cost(command, Cost.HEAVY)
    return command


Key = tuple[str, int]


class Cooldowns:
    """Counts uses. Time is the event loop's."""

    def __init__(self) -> None:
        self._of_people = {cost: _mapping(cost.value.person) for cost in Cost}
        self._of_guilds = {cost: _mapping(cost.value.guild) for cost in Cost if cost.value.guild is not None}
        self._busy: dict[tuple[Cost, int, int], float] = {}

    def by_person(self, name: str, cost: Cost, person_id: int) -> Pause | None:
        """Count a use of something by a person, whether or not they may; a pause if they have to wait instead."""
        seconds = self._of_people[cost].update_rate_limit((name, person_id), current=_now())
        return None if seconds is None else Pause(TooMany.BY_PERSON, seconds)

    def in_guild(self, name: str, cost: Cost, guild_id: int, person_id: int) -> Pause | None:
        """Count a use by a person who may, in their guild; a pause if they have to wait instead.

        To be called in the task that does the work, if there is no pause: the use lasts until that task ends.
        """
        key, now = (cost, guild_id, person_id), _now()
        if cost.value.one_at_a_time and now - self._busy.get(key, -FORGOTTEN_AFTER_SECONDS) < FORGOTTEN_AFTER_SECONDS:
            return Pause(TooMany.AT_ONCE)
        counted = self._of_guilds.get(cost)
        seconds = None if counted is None else counted.update_rate_limit((name, guild_id), current=now)
        if seconds is not None:
            return Pause(TooMany.IN_GUILD, seconds)
        task = asyncio.current_task()
        if cost.value.one_at_a_time and task is not None:
            self._busy[key] = now
            task.add_done_callback(self._ended(key))
        return None

    def _ended(self, key: tuple[Cost, int, int]) -> Callable[[object], None]:
        def forget(_task: object) -> None:
            self._busy.pop(key, None)

        return forget


def _mapping(limit: Limit) -> commands.CooldownMapping[Key]:
    """discord.py's count of uses by key; with each use it drops the keys whose time is over."""
    return commands.CooldownMapping.from_cooldown(limit.uses, limit.seconds, lambda key: key)


def _now() -> float:
    return asyncio.get_running_loop().time()
