"""A reader of the page and what is selected there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bot.sandbox.web.markup import MarkupContext
from bot.sandbox.world.entities import Channel, ChannelType, Guild, User
from bot.sandbox.world.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bot.sandbox.world.state import State
    from bot.sandbox.world.world import World

_HUES = 8
_ID_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the page shows them: a name, and a disc with initials in one of a few colours."""

    id: int
    name: str
    letters: str
    hue: int
    bot: bool


@dataclass(frozen=True, slots=True)
class SelectOption:
    """One option of a select: its value, label and description."""

    value: str
    label: str
    description: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """What one viewer sees of one guild: which channels, by which names, under which links.

    `asked` holds the query parameters of the address: a channel, a message to show, the id that older messages are
    before, a message to reply to, a command to fill in.
    """

    world: World
    guild: Guild
    viewer: User
    zone: ZoneInfo
    asked: Mapping[str, str]

    @property
    def state(self) -> State:
        """The state of the world."""
        return self.world.state

    @property
    def now(self) -> datetime:
        """The world's time, in the reader's zone."""
        return self.state.now().astimezone(self.zone)

    def local(self, moment: datetime) -> datetime:
        """A moment in the reader's zone."""
        return moment.astimezone(self.zone)

    def number(self, name: str) -> int | None:
        """A query parameter as an id; None if it is missing or no id."""
        text = self.asked.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= _ID_DIGITS else None

    @property
    def channel(self) -> Channel:
        """The selected channel; the DM with the bot if none is selected or the viewer cannot see it."""
        found = self.state.channels.get(self.number("channel") or 0)
        return found if found is not None and self.sees(found) else self.dm

    @property
    def dm(self) -> Channel:
        """The DM between the viewer and the bot."""
        return self.world.dms.channel_with(self.viewer)

    def sees(self, channel: Channel) -> bool:
        """Whether the viewer can see a channel, thread or DM."""
        if channel.type == ChannelType.DM:
            return channel.recipient is self.viewer
        may = self.state.permissions_of(self.viewer, channel)
        return channel.guild_id == self.guild.id and bool(may & Permission.VIEW_CHANNEL)

    def may_manage(self) -> bool:
        """Whether the viewer may manage the guild."""
        member = self.guild.members.get(self.viewer.id)
        team = next(iter(self.guild.channels.values()), None)
        return (
            member is not None
            and team is not None
            and bool(self.state.permissions_of(self.viewer, team) & Permission.MANAGE_GUILD)
        )

    # Links

    def link(
        self, channel_id: int | None = None, message_id: int | None = None, more: Mapping[str, object] | None = None
    ) -> str:
        """The relative address of a view on this page."""
        asked: dict[str, object] = {"as": self.viewer.id, "channel": channel_id or self.channel.id, **(more or {})}
        if message_id is not None:
            asked["message"] = message_id
        anchor = "" if message_id is None else f"#m-{message_id}"
        return f"?{urlencode(asked)}{anchor}"

    def link_if_seen(self, channel_id: int, message_id: int | None) -> str | None:
        """The relative address of a channel or message; None if the viewer cannot see the channel."""
        channel = self.state.channels.get(channel_id)
        return self.link(channel_id, message_id) if channel is not None and self.sees(channel) else None

    # Names

    def person(self, user: User) -> Person:
        """A user as the viewer sees them."""
        name = self.name_of(user)
        words = [word for word in name.split() if word[0].isalnum()] or ["?"]
        letters = (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
        return Person(user.id, name, letters, user.id // 4096 % _HUES, user.bot)

    def name_of(self, user: User) -> str:
        """The name shown for a user: nickname, display name or user name."""
        member = self.guild.members.get(user.id)
        return (member.nick if member is not None else None) or user.display_name or user.name

    def channel_label(self, channel: Channel) -> str:
        """The name shown for a channel; for a DM, the bot's."""
        return self.name_of(self.state.bot) if channel.type == ChannelType.DM else channel.name

    @property
    def markup_context(self) -> MarkupContext:
        """The context in which texts are rendered."""
        return MarkupContext(
            self._user_name, self._role_name, self._channel_name, self.link_if_seen, self.now, self.zone
        )

    def _user_name(self, user_id: int) -> str | None:
        user = self.state.users.get(user_id)
        return None if user is None else self.name_of(user)

    def _role_name(self, role_id: int) -> str | None:
        role = self.guild.roles.get(role_id)
        return None if role is None else role.name

    def _channel_name(self, channel_id: int) -> str | None:
        channel = self.state.channels.get(channel_id)
        return None if channel is None else self.channel_label(channel)

    # Options of selects

    def people(self) -> Iterator[SelectOption]:
        """The guild's members, ordered by name."""
        named = ((self.name_of(member.user), member) for member in self.guild.members.values())
        for name, member in sorted(named, key=lambda pair: (pair[0].casefold(), pair[1].id)):
            yield SelectOption(str(member.id), name)

    def roles(self) -> Iterator[SelectOption]:
        """The guild's roles."""
        for role in self.guild.roles.values():
            yield SelectOption(str(role.id), f"@{role.name.removeprefix('@')}")

    def channels(self, types: list[int] | None = None) -> Iterator[SelectOption]:
        """The guild's channels that the viewer can see, of the given types or of all."""
        for channel in self.guild.channels.values():
            if self.sees(channel) and (not types or channel.type in types):
                yield SelectOption(str(channel.id), f"#{channel.name}")
