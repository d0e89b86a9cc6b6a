"""Messages of a made-up channel, written down in minutes after a fixed moment."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.derivation import Derived, derive
from bot.domain.forgetting import Unrecorded
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import TouchKind

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""Minute 0: noon of a Monday."""
GUILD = 7
ANNA, BEN = 101, 102
"""The managers."""
MIA, NOAH, OLE, PIA = 201, 202, 203, 204
"""Members."""
MANAGERS = frozenset({ANNA, BEN})


def moment(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def at(minutes: float, number: int = 0) -> int:
    """The id of a message sent so many minutes after the start."""
    return first_id_at(moment(minutes)) + number


CHANNEL = at(-100_000)
"""A channel is older than everything in it."""


def said(
    minutes: float,
    author_id: int | None,
    *,
    to: tuple[float, int | None] | None = None,
    mentions: Iterable[int] = (),
    kind: MessageKind | None = None,
    bots: bool = False,
    crowd: bool = False,
) -> Message:
    """A message; `to` makes it a Reply to the message of a minute and its author, who is not pinged."""
    return Message(
        message_id=at(minutes),
        author_id=author_id,
        kind=kind or (MessageKind.REPLY if to else MessageKind.DEFAULT),
        mentions=frozenset(mentions),
        mentions_no_person=bots,
        mentions_crowd=crowd,
        reply_to_id=at(to[0]) if to else None,
        reply_to_author_id=to[1] if to else None,
    )


def channel(channel_id: int = CHANNEL, *, parent_id: int | None = None) -> Place:
    return Place(GUILD, channel_id, parent_id=parent_id)


def thread(opener_id: int | None, thread_id: int = CHANNEL, *, parent_id: int | None = None) -> Place:
    return Place(GUILD, thread_id, is_thread=True, opener_id=opener_id, parent_id=parent_id)


def whole(place: Place, *messages: Message) -> Stretch:
    """A channel from its beginning to the last of these messages."""
    ordered = tuple(sorted(messages, key=lambda message: message.message_id))
    return Stretch(place, place.channel_id, ordered[-1].message_id, ordered, (), 0)


def derived(
    place: Place,
    *messages: Message,
    managers: frozenset[int] = MANAGERS,
    opted_out: frozenset[int] = frozenset(),
    rules: Rules | None = None,
) -> Derived:
    """What a whole channel says."""
    found = derive(
        whole(place, *messages),
        managers=managers,
        unrecorded=Unrecorded(opted_out),
        zone=ZoneInfo("UTC"),
        rules=rules or Rules(),
    )
    assert isinstance(found, Derived)
    return found


def touched(
    place: Place, *messages: Message, managers: frozenset[int] = MANAGERS
) -> list[tuple[float, TouchKind, int, int]]:
    """The touches a whole channel makes, as (minute, kind, manager, member)."""
    return [
        ((touch.touched_at - START) / timedelta(minutes=1), touch.kind, touch.manager_id, touch.member_id)
        for touch in derived(place, *messages, managers=managers).touches
    ]


def waits(place: Place, *messages: Message) -> list[tuple[float, int, frozenset[int]]]:
    """The waiting entries a whole channel makes, as (minute, member, whom it addresses)."""
    return [
        ((entry.written_at - START) / timedelta(minutes=1), entry.member_id, entry.addressed)
        for entry in derived(place, *messages).waiting
        if entry.member_id not in MANAGERS
    ]
