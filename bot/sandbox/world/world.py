"""The whole world of a sandbox, in its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.archive import ThreadArchive
from bot.sandbox.world.channels import ChannelRegistry
from bot.sandbox.world.dms import DirectMessages
from bot.sandbox.world.events import Events
from bot.sandbox.world.guilds import Guilds
from bot.sandbox.world.members import Memberships
from bot.sandbox.world.messages import Messages
from bot.sandbox.world.reactions import Reactions
from bot.sandbox.world.roles import Roles
from bot.sandbox.world.state import State
from bot.sandbox.world.threads import Threads
from bot.sandbox.world.users import Users
from bot.sandbox.world.visibility import Visibility

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.sandbox.world.intents import Intent


class World:
    """Guilds, people, channels, threads and messages of one sandbox.

    `state` holds everything that exists. The methods of the other parts are what happens on Discord: each changes the
    state at once and sends `events` to the connected sessions of the bot, as far as their intents and the bot's
    permissions allow. No method waits.
    """

    def __init__(self, now: Callable[[], datetime], *, bot_name: str, granted: Intent, bot_id: int | None) -> None:
        state = self.state = State(now, bot_name=bot_name, granted=granted, bot_id=bot_id)
        events = self.events = Events(state)
        visibility = Visibility(state, events)
        self.users = Users(state)
        self.guilds = Guilds(state, events, self.users)
        self.roles = Roles(state, events, visibility)
        self.members = Memberships(state, events)
        self.channels = ChannelRegistry(state, events, visibility)
        self.dms = DirectMessages(state, events)
        self.archive = ThreadArchive(state, events)
        self.messages = Messages(state, events, self.archive)
        self.reactions = Reactions(state, events)
        self.threads = Threads(state, events, self.messages)
