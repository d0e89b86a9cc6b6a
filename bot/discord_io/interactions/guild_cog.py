"""The base of every cog with commands, controls or forms: it cannot be made without an audience and a cost."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.interactions.authorisation import Audience, declare_audience
from bot.discord_io.interactions.cooldowns import Cost, declare_cost
from bot.discord_io.interactions.handlers import Handler


class GuildCog(commands.Cog):
    """A cog whose commands are for one audience: `class Waiting(GuildCog, audience=MANAGERS, cost=Cost.LIGHT)`.

    `cost` is that of each command which declares none itself, as `@heavy` does. Controls and forms each declare their
    own audience and cost. A group is a `GuildCog` and a `GroupCog`, in that order.
    """

    audience: ClassVar[Audience]
    cost: ClassVar[Cost]

    def __init_subclass__(cls, *, audience: Audience, cost: Cost, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.audience, cls.cost = audience, cost

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Make the cog; discord.py copies its commands for it here."""
        cog = super().__new__(cls, *arguments, **named)
        if cog.app_command is not None:
            declare_audience(cog.app_command, cls.audience)
        for command in cog.walk_app_commands():
            declare_audience(command, cls.audience)
            declare_cost(command, cls.cost)
        return cog

    @cached_property
    def context_menus(self) -> Sequence[app_commands.ContextMenu]:
        """The entries of context menus that are loaded with the cog, for its audience."""
        menus = self.build_context_menus()
        for menu in menus:
            declare_audience(menu, self.audience)
            declare_cost(menu, self.cost)
        return menus

    def build_context_menus(self) -> Sequence[app_commands.ContextMenu]:
        """Make the entries; a cog that has some overrides this."""
        return ()

    @classmethod
    def handlers(cls, kind: discord.InteractionType) -> Sequence[Handler]:
        """What the cog declares for presses (`component`) or for sent forms (`modal_submit`)."""
        found = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
        return [value for value in found.values() if isinstance(value, Handler) and value.kind is kind]
