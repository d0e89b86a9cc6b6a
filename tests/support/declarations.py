"""What the cogs declare: every handler of a control or a form."""

import importlib
import inspect
import pkgutil

from discord import InteractionType

import cogs
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import Handler

KINDS = (InteractionType.component, InteractionType.modal_submit)


def guild_cogs() -> list[type[GuildCog]]:
    found: list[type[GuildCog]] = []
    for module in pkgutil.iter_modules(cogs.__path__, "cogs."):
        for _, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(one, GuildCog) and one.__module__ == module.name:
                found.append(one)
    return found


def declared_handlers() -> list[Handler]:
    return [declared for cog in guild_cogs() for kind in KINDS for declared in cog.handlers(kind)]
