"""What services need in order to send messages through Discord, and to know who can receive them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from bot.domain.delivery import Delivery

Body = TypeVar("Body")
"""A message as the views composed it. Services pass it on and never look inside."""
Body_co = TypeVar("Body_co", covariant=True)
"""What a composer makes."""
Body_contra = TypeVar("Body_contra", contravariant=True)
"""What a messenger sends."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was sent: its channel and its id."""

    channel_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Present:
    """A member who is in a guild now. `role_ids` is None, and the name empty, if what Discord says cannot be read."""

    name: str
    joined_at: datetime | None = None
    role_ids: frozenset[int] | None = frozenset()


class DiscordTroubleError(Exception):
    """A request to Discord did not succeed; the message says why in Discord's own words, where it gave any."""


class RefusedError(DiscordTroubleError):
    """Discord refused the message, so it was certainly not sent. `problem` is Discord's own reason.

    closed: Spade cannot write to the person, because their DMs are closed, they share no server with Spade any more,
    or their account is deleted. final: the channel is deleted, or takes no messages. Any other refusal can pass.
    """

    def __init__(self, problem: str, *, closed: bool = False, final: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.closed = closed
        self.final = final


class UnknownOutcomeError(DiscordTroubleError):
    """The connection was dropped or timed out: the message may or may not have been sent."""


class DiscordUnreachableError(DiscordTroubleError):
    """Discord does not answer, or the guild is unavailable: it is not known who is in it."""


class Names(Protocol):
    """Looks up display names."""

    async def names(self, guild_id: int, people: Collection[int]) -> Mapping[int, str]:
        """The display names of those of some people who are in the guild now; those left out have left it.

        If Discord does not answer, nobody is left out, and the names are empty.
        """


class Directory(Names, Protocol):
    """Looks up members, guilds and messages on Discord. Sends nothing."""

    async def present(self, guild_id: int, people: Collection[int]) -> Mapping[int, Present]:
        """Those of some people who are in the guild now; those left out have left it.

        Raises DiscordUnreachableError.
        """

    async def guild_name(self, guild_id: int) -> str:
        """The guild's name; its id if the guild is unavailable."""

    async def message_exists(self, channel_id: int, message_id: int) -> bool:
        """Whether a message still exists; True if that cannot be found out."""


class Messenger(Directory, Protocol[Body_contra]):
    """Sends messages, edits them and finds them again. Mentions in a body never ping."""

    async def send_to_person(self, person_id: int, body: Body_contra, nonce: str) -> SentMessage:
        """Send a DM. Raises RefusedError or UnknownOutcomeError."""

    async def send_to_channel(self, channel_id: int, body: Body_contra, nonce: str) -> SentMessage:
        """Post to a channel. Raises RefusedError or UnknownOutcomeError."""

    async def edit(self, sent: SentMessage, body: Body_contra) -> None:
        """Replace a message that was sent. Nothing happens if it is deleted or Discord does not answer."""

    async def find(self, delivery: Delivery, channel_id: int | None) -> SentMessage | None:
        """Look for a delivery in its DM or channel, from when it was claimed on, by the id in its buttons.

        Returns None if it is not there. Raises RefusedError if Spade may not look, UnknownOutcomeError if that failed.
        """
