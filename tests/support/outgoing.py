"""A messenger that keeps what it is given, for tests of services without Discord."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.delivery import Delivery
from bot.domain.nudge import NudgeDraft
from bot.services.delivery.messenger import Present, SentMessage


@dataclass(slots=True)
class Outgoing:
    """Takes everything. Whoever is in `departed` has left, whatever is in `deleted` is gone."""

    sent: list[tuple[int, object]] = field(default_factory=list)
    departed: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)

    async def send_to_person(self, person_id: int, body: object, nonce: str) -> SentMessage:
        self.sent.append((person_id, body))
        return SentMessage(1, len(self.sent))

    async def send_to_channel(self, channel_id: int, body: object, nonce: str) -> SentMessage:
        self.sent.append((channel_id, body))
        return SentMessage(channel_id, len(self.sent))

    async def edit(self, sent: SentMessage, body: object) -> None:
        self.sent[sent.message_id - 1] = (self.sent[sent.message_id - 1][0], body)

    async def find(self, delivery: Delivery, channel_id: int | None) -> SentMessage | None:
        return None

    async def present(self, guild_id: int, people: Collection[int]) -> Mapping[int, Present]:
        return {person_id: Present(f"P{person_id}") for person_id in people if person_id not in self.departed}

    async def names(self, guild_id: int, people: Collection[int]) -> Mapping[int, str]:
        return {person_id: person.name for person_id, person in (await self.present(guild_id, people)).items()}

    async def guild_name(self, guild_id: int) -> str:
        return "A server"

    async def message_exists(self, channel_id: int, message_id: int) -> bool:
        return message_id not in self.deleted


class Drafts:
    """A composer whose bodies are the drafts themselves."""

    def nudge(self, draft: NudgeDraft) -> NudgeDraft:
        return draft

    def welcome(self, schedule: object, guild_name: str, *, delivery_id: str) -> str:
        return delivery_id


async def at_once(_guild_id: int) -> None:
    """Nothing is held back."""


def drafts(outgoing: Outgoing) -> list[tuple[int, NudgeDraft]]:
    """The nudges among what was sent, by whom they went to."""
    return [(person_id, body) for person_id, body in outgoing.sent if isinstance(body, NudgeDraft)]


def sent_days(outgoing: Outgoing) -> list[datetime]:
    """When the nudges were made."""
    return [draft.context.now for _, draft in drafts(outgoing)]
