"""What services need of whoever carries messages to Discord."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.delivery import Delivery

Body = object
"""A message as the views composed it; services pass it on and never look inside."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """Where a message is."""

    channel_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is in a guild now."""

    name: str
    joined_at: datetime | None = None
    role_ids: frozenset[int] = frozenset()


class RefusedError(Exception):
    """Discord will not take the message, now or on a second try: closed DMs, a missing permission, no channel.

    `closed` says that it is the person whom Spade cannot write to: their DMs are closed, no server is shared with
    them any more, or their account is gone.
    """

    def __init__(self, problem: str, *, closed: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.closed = closed


class UnknownOutcomeError(Exception):
    """The connection broke or hung: the message may or may not be there."""


class DiscordUnreachableError(Exception):
    """Discord does not answer, or does not show the guild just now: nothing can be said about who is there."""


class Names(Protocol):
    """Knows what people are called."""

    async def names(self, guild_id: int, people: Collection[int]) -> Mapping[int, str]:
        """The display names of those of some people who are in the guild now; who is missing has left.

        While Discord cannot be asked nobody is missing, and the names are empty.
        """


class Messenger(Names, Protocol):
    """Sends, finds and names. Mentions in a body never ping."""

    async def send_to_person(self, person_id: int, body: Body, nonce: str) -> SentMessage:
        """Send a DM. Raises RefusedError or UnknownOutcomeError."""

    async def send_to_channel(self, channel_id: int, body: Body, nonce: str) -> SentMessage:
        """Post to a channel. Raises RefusedError or UnknownOutcomeError."""

    async def edit(self, sent: SentMessage, body: Body) -> None:
        """Replace a message that was sent; nothing happens when it is gone or Discord does not answer."""

    async def find(self, delivery: Delivery, channel_id: int | None) -> SentMessage | None:
        """Look for a delivery among the latest messages of its DM or channel, by the id its buttons carry.

        Raises RefusedError when nobody can look, UnknownOutcomeError when the look failed.
        """

    async def present(self, guild_id: int, people: Collection[int]) -> Mapping[int, Present]:
        """Those of some people who are in the guild now; who is missing has left. Raises UnreachableError."""

    async def guild_name(self, guild_id: int) -> str:
        """The guild's name."""

    async def message_exists(self, channel_id: int, message_id: int) -> bool:
        """Whether a message is still there; True when nobody can tell."""
