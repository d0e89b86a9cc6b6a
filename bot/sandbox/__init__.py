"""A loopback Discord: REST v10 and gateway v10 on 127.0.0.1, for demonstrations and tests.

It knows nothing of the bot that talks to it.
"""

from bot.sandbox.entities import Channel, Guild, Member, PostedMessage, Role, User
from bot.sandbox.errors import SandboxFailure
from bot.sandbox.exchange import Exchange
from bot.sandbox.intents import Intent
from bot.sandbox.permissions import MANAGER, NOTHING, ORDINARY, Permission
from bot.sandbox.responses import Response
from bot.sandbox.server import Sandbox
from bot.sandbox.world import World

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
