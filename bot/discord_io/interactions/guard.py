"""What happens before every callback: the language is set, the interaction deferred, the person authorised."""

import logging
from collections.abc import Callable
from enum import Enum, auto

import discord

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
from bot.store.error import OutageError
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
            await interaction.response.defer(ephemeral=True, thinking=True)
        elif self is Deferral.UPDATE:
            await interaction.response.defer()


class InteractionGuard:
    """Stands before every callback. It runs in the task of the callback, so the language holds to that task's end."""

    def __init__(self, authorisation: Authorisation, language_of: Callable[[int], str]) -> None:
        self._authorisation = authorisation
        self._language_of = language_of

    def speak(self, interaction: discord.Interaction) -> None:
        """For the rest of this task, speak the guild's language; in a DM the person's own."""
        guild_id = interaction.guild_id
        speak(language_like(interaction.locale.value) if guild_id is None else self._language_of(guild_id))

    async def admits(
        self,
        interaction: discord.Interaction,
        audience: Audience,
        deferral: Deferral,
        *,
        owner_id: int | None = None,
        not_yours: Callable[[], str] | None = None,
    ) -> bool:
        """Whether this person may; otherwise they have been told why not.

        Defers before the check if that reads the database, else after it. `not_yours` is the sentence for somebody
        whose audience is OWNER or RECIPIENT, and who is not.
        """
        self.speak(interaction)
        if audience.reads_record:
            await deferral.defer(interaction)
        refused = await self._authorisation.refusal(interaction, audience, owner_id)
        if refused is not None:
            words = not_yours if refused is Refusal.NOT_YOURS and not_yours is not None else REFUSALS[refused]
            await tell(interaction, words())
        elif not audience.reads_record:
            await deferral.defer(interaction)
        return refused is None

    async def admits_command(self, interaction: discord.Interaction) -> bool:
        """The same for a command, a context menu, and the suggestions for a command's option.

        Nobody may use a command without an audience. Whoever may not use a command gets no suggestions for it.
        """
        self.speak(interaction)
        command = interaction.command
        if interaction.type is discord.InteractionType.autocomplete:
            return await self._admits_suggestions(interaction, command)
        async with Apologising(interaction, f"the command {command.qualified_name if command else '?'}"):
            audience = Audience.EVERYBODY_HERE if command is None else declared_audience(command)
            if audience is None:
                raise UndeclaredAudienceError("this command declares no audience, so nobody may use it")
            deferral = Deferral.RESPONSE if audience.reads_record else Deferral.NONE
            return await self.admits(interaction, audience, deferral)
        return False

    async def _admits_suggestions(self, interaction: discord.Interaction, command: AnyCommand | None) -> bool:
        """Suggestions cannot be deferred, and nothing but suggestions answers them: a failure means none."""
        audience = None if command is None else declared_audience(command)
        try:
            admitted = audience is not None and await self._authorisation.may_get_suggestions(interaction, audience)
        except OutageError:
            admitted = False
        except Exception:
            log.exception("Who may get suggestions for a command could not be found out; there are none")
            admitted = False
        if not admitted:
            await interaction.response.autocomplete([])
        return admitted
