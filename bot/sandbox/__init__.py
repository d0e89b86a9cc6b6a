"""A loopback Discord: REST v10 and gateway v10 on 127.0.0.1, for demonstrations and tests.

It knows nothing of the bot that talks to it.
"""

from bot.sandbox.answers import Answer
from bot.sandbox.entities import Channel, Guild, Member, Message, Role, User
from bot.sandbox.errors import SandboxFailure
from bot.sandbox.exchange import Exchange
from bot.sandbox.intents import Intent
from bot.sandbox.permissions import MANAGER, NOTHING, ORDINARY, Permission
from bot.sandbox.server import Sandbox
from bot.sandbox.world import World

__all__ = [
    "MANAGER",
    "NOTHING",
    "ORDINARY",
    "Answer",
    "Channel",
    "Exchange",
    "Guild",
    "Intent",
    "Member",
    "Message",
    "Permission",
    "Role",
    "Sandbox",
    "SandboxFailure",
    "User",
    "World",
]
