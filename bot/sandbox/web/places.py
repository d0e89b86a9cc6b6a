"""The guild's channels and their threads, as the page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.sandbox.web.times import relative
from bot.sandbox.world.entities import Channel, ChannelType
from bot.sandbox.world.snowflakes import time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.sandbox.web.viewpoint import Person, Viewpoint

_THREADS_SHOWN = 5
_POSTS_SHOWN = 60
_LIVELY = timedelta(days=3)
_LISTED = frozenset({ChannelType.TEXT, ChannelType.NEWS, ChannelType.FORUM, ChannelType.VOICE})


@dataclass(frozen=True, slots=True)
class ListedChannel:
    """A channel in the list, with its most recent threads; `news` counts the messages the viewer has not seen."""

    channel: Channel
    name: str
    kind: str
    link: str
    here: bool
    news: int = 0
    threads: tuple[ListedChannel, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedPost:
    """A thread of a forum, or of another channel."""

    name: str
    link: str
    opener: Person
    messages: int
    active: str


def places_of(view: Viewpoint, seen: Callable[[int], int]) -> Iterator[ListedChannel]:
    """The guild's channels, in order. `seen` returns the id of the newest message the viewer saw in a channel."""
    for channel in sorted(view.guild.channels.values(), key=lambda channel: (channel.position, channel.id)):
        if channel.type in _LISTED and view.sees(channel):
            lively = [thread for thread in _threads(view, channel) if _is_lively(view, thread)]
            current = view.channel
            if current.parent_id == channel.id and current not in lively[:_THREADS_SHOWN]:
                lively.insert(0, current)
            threads = tuple(place_of(view, thread, seen) for thread in lively[:_THREADS_SHOWN])
            yield place_of(view, channel, seen, threads)


def place_of(
    view: Viewpoint, channel: Channel, seen: Callable[[int], int], threads: tuple[ListedChannel, ...] = ()
) -> ListedChannel:
    """One channel as the list shows it."""
    kind = "thread" if channel.is_thread else ChannelType(channel.type).name.lower()
    here = channel is view.channel
    news = 0
    if not here:
        newer = channel.log.after(seen(channel.id), 100)
        news = sum(message.author is not view.viewer for message in newer)
    return ListedChannel(channel, view.channel_label(channel), kind, view.link(channel.id), here, news, threads)


def posts_of(view: Viewpoint, channel: Channel) -> Iterator[ListedPost]:
    """A forum's posts, the one with the latest message first."""
    for thread in _threads(view, channel)[:_POSTS_SHOWN]:
        opener = view.state.users.get(thread.owner_id, view.state.bot)
        yield ListedPost(
            thread.name,
            view.link(thread.id),
            view.person(opener),
            len(thread.log),
            relative(time_of(thread.last_message_id or thread.id), view.state.now()),
        )


def _threads(view: Viewpoint, channel: Channel) -> list[Channel]:
    found = [thread for thread in view.guild.threads.values() if thread.parent_id == channel.id and view.sees(thread)]
    return sorted(found, key=lambda thread: thread.last_message_id or thread.id, reverse=True)


def _is_lively(view: Viewpoint, thread: Channel) -> bool:
    return view.state.now() - time_of(thread.last_message_id or thread.id) < _LIVELY
