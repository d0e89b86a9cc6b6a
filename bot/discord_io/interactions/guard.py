"""What happens before every callback: the language is set, the interaction deferred, the person authorised."""

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

import discord

from bot.discord_io.interactions.answering import defer, defer_update
from bot.discord_io.interactions.apology import Apologising, tell
from bot.discord_io.interactions.authorisation import (
    REFUSALS,
    AnyCommand,
    Audience,
    Authorisation,
    Refusal,
    UndeclaredAudienceError,
    declared_audience,
)
from bot.discord_io.interactions.cooldowns import (
    Cooldowns,
    Cost,
    Pause,
    TooMany,
    UndeclaredCostError,
    declared_cost,
)
from bot.store.error import LostDatabaseError, OutageError
from bot.views.words.refusals import busy_here, still_working, too_fast
from bot.views.words.sentence import language_like, speak

log = logging.getLogger(__name__)


class Deferral(Enum):
    """How an interaction is deferred before its callback. Discord waits three seconds for an answer, or for this."""

    NONE = auto()
    """Not at all: the callback answers, opens a form or defers by itself."""
    RESPONSE = auto()
    """The answer is a message that only the person sees."""
    UPDATE = auto()
    """The answer takes the place of the message whose control was pressed."""

    async def defer(self, interaction: discord.Interaction) -> None:
        """Defer an interaction that was not answered yet."""
        if self is Deferral.RESPONSE:
            await defer(interaction)
        elif self is Deferral.UPDATE:
            await defer_update(interaction)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms something may be used: by whom, how often, and how it is deferred. `name` is for the counts."""

    name: str
    audience: Audience
    cost: Cost
    deferral: Deferral


class InteractionGuard:
    """Stands before every callback. It runs in the task of the callback, so the language holds to that task's end."""

    def __init__(self, authorisation: Authorisation, language_of: Callable[[int], str]) -> None:
        self._authorisation = authorisation
        self._language_of = language_of
        self._cooldowns = Cooldowns()

    def speak(self, interaction: discord.Interaction) -> None:
        """For the rest of this task, speak the guild's language; in a DM the person's own."""
        guild_id = interaction.guild_id
        speak(language_like(interaction.locale.value) if guild_id is None else self._language_of(guild_id))

    async def admits(
        self,
        interaction: discord.Interaction,
        terms: Terms,
        *,
        owner_id: int | None = None,
        not_yours: Callable[[], str] | None = None,
    ) -> bool:
        """Whether this person may, and has not done so too often; otherwise they have been told why not.

        Defers before the check if that reads the database, else after it. Uses by people who may not count for
        themselves, but not for their guild: they keep nobody else from it. `not_yours` is the sentence for somebody
        whose audience is OWNER or RECIPIENT, and who is not.
        """
        self.speak(interaction)
        name, cost, audience, person_id = terms.name, terms.cost, terms.audience, interaction.user.id
        if pause := self._cooldowns.by_person(name, cost, person_id):
            await tell(interaction, _wait(pause))
            return False
        if audience.reads_record:
            await terms.deferral.defer(interaction)
        refused = await self._authorisation.refusal(interaction, audience, owner_id)
        if refused is not None:
            words = not_yours if refused is Refusal.NOT_YOURS and not_yours is not None else REFUSALS[refused]
            await tell(interaction, words())
            return False
        if interaction.guild_id is not None and (
            pause := self._cooldowns.in_guild(name, cost, interaction.guild_id, person_id)
        ):
            await tell(interaction, _wait(pause))
            return False
        if not audience.reads_record:
            await terms.deferral.defer(interaction)
        return True

    async def admits_command(self, interaction: discord.Interaction) -> bool:
        """The same for a command, a context menu, and the suggestions for a command's option.

        Nobody may use a command without an audience or a cost. Whoever may not use a command gets no suggestions.
        """
        self.speak(interaction)
        command = interaction.command
        if interaction.type is discord.InteractionType.autocomplete:
            return await self._admits_suggestions(interaction, command)
        async with Apologising(interaction, f"the command {command.qualified_name if command else '?'}"):
            audience = Audience.EVERYBODY_HERE if command is None else declared_audience(command)
            if audience is None:
                raise UndeclaredAudienceError("this command declares no audience, so nobody may use it")
            cost = Cost.LIGHT if command is None else declared_cost(command)
            if cost is None:
                raise UndeclaredCostError("this command declares no cost, so nobody may use it")
            deferral = Deferral.RESPONSE if audience.reads_record else Deferral.NONE
            name = f"/{command.qualified_name}" if command else "?"
            return await self.admits(interaction, Terms(name, audience, cost, deferral))
        return False

    async def _admits_suggestions(self, interaction: discord.Interaction, command: AnyCommand | None) -> bool:
        """Suggestions cannot be deferred, and nothing but suggestions answers them: a failure means none.

        For all commands together they are counted for each person; beyond the limit there are none.
        """
        audience = None if command is None else declared_audience(command)
        if self._cooldowns.by_person("suggestions", Cost.SUGGESTION, interaction.user.id):
            audience = None
        try:
            admitted = audience is not None and await self._authorisation.may_get_suggestions(interaction, audience)
        except (OutageError, LostDatabaseError):  # they are logged by themselves
            admitted = False
        except Exception:
            log.exception("Who may get suggestions for a command could not be found out; there are none")
            admitted = False
        if not admitted:
            with suppress(discord.HTTPException):  # too late, as after three seconds
                await interaction.response.autocomplete([])
        return admitted


def _wait(pause: Pause) -> str:
    if pause.seconds is None:
        return still_working()
    seconds = max(1, math.ceil(pause.seconds))
    return busy_here(seconds) if pause.reason is TooMany.IN_GUILD else too_fast(seconds)
