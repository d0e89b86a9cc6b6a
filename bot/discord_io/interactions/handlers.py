"""Declares what a cog does with presses and sent forms: a pattern of custom ids, an audience, a cost, and a method.

`@control` and `@form` stand before a cog's method as `@app_commands.command` does. `GuildCog.handlers` collects them;
loading the cog registers them: controls as discord.py's dynamic items, forms with `Forms`.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import discord

from bot.discord_io.interactions.apology import Apologising
from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guard import Deferral, InteractionGuard, Terms

Callback = Callable[[Any, discord.Interaction, re.Match[str]], Coroutine[Any, Any, None]]
"""A cog's method: it gets the cog, the interaction, and what the pattern found in the custom id."""
OWNER_GROUP = "person_id"
"""The group of a pattern that names the person for whom a control of the audience OWNER is."""


@dataclass(frozen=True, slots=True)
class Handler:
    """One kind of control, or one form."""

    kind: discord.InteractionType
    pattern: re.Pattern[str]
    audience: Audience
    deferral: Deferral
    cost: Cost
    not_yours: Callable[[], str] | None
    callback: Callback

    def __post_init__(self) -> None:
        if self.audience.reads_record and self.deferral is Deferral.NONE:
            raise TypeError(f"{self.name}: authorising managers reads the database, so say how it is deferred")
        if self.audience in {Audience.OWNER, Audience.RECIPIENT} and self.not_yours is None:
            raise TypeError(f"{self.name}: say what somebody else is told")
        if self.audience is Audience.OWNER and OWNER_GROUP not in self.pattern.groupindex:
            raise TypeError(f"{self.name}: the pattern names no {OWNER_GROUP}")

    @property
    def name(self) -> str:
        """What it is called in the log. Custom ids are not logged, since they hold ids of people."""
        kind = "form" if self.kind is discord.InteractionType.modal_submit else "control"
        return f"the {kind} {self.callback.__qualname__}"

    async def admits(self, guard: InteractionGuard, interaction: discord.Interaction, found: re.Match[str]) -> bool:
        """Whether this person may use it; otherwise they have been told why not. Raises nothing."""
        owner_id = found[OWNER_GROUP] if self.audience is Audience.OWNER else None
        async with Apologising(interaction, self.name):
            return await guard.admits(
                interaction,
                Terms(self.name, self.audience, self.cost, self.deferral),
                owner_id=None if owner_id is None else int(owner_id),
                not_yours=self.not_yours,
            )
        return False

    async def run(self, cog: object, interaction: discord.Interaction, found: re.Match[str]) -> None:
        """Do it; a failure is answered with an apology."""
        async with Apologising(interaction, self.name):
            await self.callback(cog, interaction, found)


def control(
    pattern: re.Pattern[str],
    audience: Audience,
    deferral: Deferral = Deferral.NONE,
    *,
    cost: Cost,
    not_yours: Callable[[], str] | None = None,
) -> Callable[[Callback], Handler]:
    """Declare that a method takes presses on buttons, and choices in lists, with custom ids of this pattern.

    `not_yours` is the sentence for somebody else, for the audiences OWNER and RECIPIENT.
    """

    def declare(callback: Callback) -> Handler:
        return Handler(discord.InteractionType.component, pattern, audience, deferral, cost, not_yours, callback)

    return declare


def form(
    pattern: re.Pattern[str], audience: Audience, deferral: Deferral = Deferral.NONE, *, cost: Cost
) -> Callable[[Callback], Handler]:
    """Declare that a method takes forms that were sent, with custom ids of this pattern."""

    def declare(callback: Callback) -> Handler:
        return Handler(discord.InteractionType.modal_submit, pattern, audience, deferral, cost, None, callback)

    return declare
