"""Sent forms: the one place that passes them on to the cogs."""

import discord

from bot.discord_io.interactions.guard import InteractionGuard
from bot.discord_io.interactions.handlers import Handler
from bot.discord_io.interactions.responses import custom_id_of


class Forms:
    """The forms of all loaded cogs.

    discord.py has dynamic items for controls only, and remembers an open form by its id alone, until a restart. So
    there is one listener for sent forms, which asks here.
    """

    def __init__(self) -> None:
        self._handlers: dict[Handler, object] = {}

    def add(self, declared: Handler, cog: object) -> None:
        """Take forms of this kind to a cog from now on."""
        self._handlers[declared] = cog

    def remove(self, declared: Handler) -> None:
        """Take them no more."""
        self._handlers.pop(declared, None)

    async def dispatch(self, guard: InteractionGuard, interaction: discord.Interaction) -> bool:
        """Authorise whoever sent a form, and pass it on; False if no cog takes forms with its custom id."""
        custom_id = custom_id_of(interaction)
        for declared, cog in self._handlers.items():
            if found := declared.pattern.fullmatch(custom_id):
                if await declared.admits(guard, interaction, found):
                    await declared.run(cog, interaction, found)
                return True
        return False
