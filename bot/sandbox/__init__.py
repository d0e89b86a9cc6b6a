"""A loopback Discord: REST v10 and gateway v10 on 127.0.0.1, for demonstrations and tests.

It knows nothing of the bot that talks to it.
"""

from bot.sandbox.interactions.responses import Response
from bot.sandbox.rest.exchange import Exchange
from bot.sandbox.server import Sandbox, SandboxFailure
from bot.sandbox.world.entities import Channel, Guild, Member, PostedMessage, Role, User
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.permissions import MANAGER, NOTHING, ORDINARY, Permission
from bot.sandbox.world.world import World

__all__ = [
    "MANAGER",
    "NOTHING",
    "ORDINARY",
    "Channel",
    "Exchange",
    "Guild",
    "Intent",
    "Member",
    "Permission",
    "PostedMessage",
    "Response",
    "Role",
    "Sandbox",
    "SandboxFailure",
    "User",
    "World",
]
