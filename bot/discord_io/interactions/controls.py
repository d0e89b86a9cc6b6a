"""Buttons and lists, as discord.py's dynamic items: one class for each handler of a loaded cog."""

import re
from typing import Any

import discord

from bot.discord_io.interactions.guard import InteractionGuard
from bot.discord_io.interactions.handlers import Handler


class Control(discord.ui.DynamicItem[discord.ui.Item[Any]], template="(?!)"):
    """A button or a list of a message that was sent at any time, before a restart too.

    `control_class` makes the subclasses, one for each handler of a loaded cog. discord.py makes an instance for each
    press, from the pressed message.
    """

    handler: Handler
    cog: object
    guard: InteractionGuard

    def __init__(self, item: discord.ui.Item[Any], found: re.Match[str]) -> None:
        super().__init__(item)
        self._found = found

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> "Control":
        """The pressed item, with what its custom id says."""
        return cls(item, match)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Authorise whoever pressed. discord.py would drop an error here without a word, so none leaves it."""
        return await self.handler.admits(self.guard, interaction, self._found)

    async def callback(self, interaction: discord.Interaction) -> None:
        """Carry the press out."""
        await self.handler.run(self.cog, interaction, self._found)


def control_class(declared: Handler, cog: object, guard: InteractionGuard) -> type[Control]:
    """The dynamic item for a handler of a cog."""

    class BoundControl(Control, template=declared.pattern):
        """A control of one cog."""

    BoundControl.handler, BoundControl.cog, BoundControl.guard = declared, cog, guard
    BoundControl.__name__ = BoundControl.__qualname__ = declared.callback.__qualname__
    return BoundControl
