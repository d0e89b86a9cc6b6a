"""A channel's messages as lines of a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from bot.sandbox.sample.player import PLACEHOLDER
from bot.sandbox.web.markup import rendered, rendered_line
from bot.sandbox.web.parts import (
    Embed,
    Part,
    Picture,
    Reaction,
    components_of,
    embeds_of,
    files_of,
    reactions_of,
)
from bot.sandbox.web.times import day_name, full_time, said_at
from bot.sandbox.world.entities import MessageType, PostedMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.sandbox.interactions.interactions import Interactions
    from bot.sandbox.web.viewpoint import Person, Viewpoint
    from bot.sandbox.world.entities import Channel

PAGE = 40
_TOGETHER = timedelta(minutes=7)
_EXCERPT = 120
_RENAMED = 4
_NOTICES = {
    _RENAMED: "changed the post's title",
    int(MessageType.PINNED): "pinned a message",
    int(MessageType.JOIN): "joined the server",
    int(MessageType.THREAD_CREATED): "started a thread",
    int(MessageType.THREAD_STARTER): "started this thread on a message",
}


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that another one replies to; without an author if it was deleted."""

    author: Person | None
    excerpt: Markup
    link: str | None


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message, ready for the template."""

    message: PostedMessage
    author: Person
    said_at: str
    said_in_full: str
    day: str = ""
    compact: bool = False
    notice: str = ""
    body: Markup = field(default_factory=Markup)
    without_words: bool = False
    forwarded: bool = False
    quoted: Quoted | None = None
    used: tuple[Person, str] | None = None
    embeds: tuple[Embed, ...] = ()
    parts: tuple[Part, ...] = ()
    files: tuple[tuple[str, str, Picture | None], ...] = ()
    reactions: tuple[Reaction, ...] = ()
    thread: tuple[str, str] | None = None
    marked: bool = False
    for_reader: bool = False


@dataclass(frozen=True, slots=True)
class MessageWindow:
    """The messages shown. Older ones are before the id `older`, if any; `at_present` if none follow."""

    messages: list[PostedMessage]
    older: int | None
    at_present: bool


def window_of(view: Viewpoint, interactions: Interactions, dismissed: set[int]) -> MessageWindow:
    """The selected messages of the channel, with the viewer's ephemeral ones among them."""
    log = view.channel.log
    around, before = view.number("message"), view.number("before")
    if around is not None and around in log:
        page = log.around(around, PAGE)
    elif before is not None:
        page = log.before(before, PAGE)
    else:
        page = log.newest(PAGE)
    newest = log.newest(1)
    at_present = not page or not newest or page[0] is newest[0]
    oldest_id = page[-1].id if page else 0
    older = oldest_id if page and log.before(oldest_id, 1) else None
    own = [
        message
        for message in _own_messages(view, interactions)
        if message.id not in dismissed and message.id > oldest_id and (at_present or message.id < page[0].id)
    ]
    return MessageWindow(sorted([*page, *own], key=lambda message: message.id), older, at_present)


def _own_messages(view: Viewpoint, interactions: Interactions) -> Iterator[PostedMessage]:
    """The viewer's ephemeral messages; they are in no channel, only in responses."""
    for response in interactions.responses_to(view.viewer):
        if response.channel is view.channel:
            yield from (message for message in response.messages if message.ephemeral)


def lines_of(view: Viewpoint, messages: Iterable[PostedMessage]) -> Iterator[MessageLine]:
    """Messages as lines: grouped by author, with the day where a new one begins."""
    before: PostedMessage | None = None
    for message in messages:
        yield _line(view, message, before)
        before = message


def _line(view: Viewpoint, message: PostedMessage, before: PostedMessage | None) -> MessageLine:
    local = view.local(message.created_at)
    day = "" if before is not None and view.local(before.created_at).date() == local.date() else day_name(local)
    author = view.person(message.author)
    base = MessageLine(message, author, said_at(local, view.now), full_time(local), day=day)
    if message.type in _NOTICES:
        return MessageLine(message, author, base.said_at, base.said_in_full, day=day, notice=_NOTICES[message.type])
    quoted = _quoted(view, message)
    used = _used(view, message)
    together = (
        before is not None
        and not day
        and before.author is message.author
        and before.type not in _NOTICES
        and message.created_at - before.created_at < _TOGETHER
        and before.ephemeral == message.ephemeral
    )
    content = message.content
    if message.snapshot is not None:
        content = str(message.snapshot.get("content") or "")
    without_words = content == PLACEHOLDER
    return MessageLine(
        message,
        author,
        base.said_at,
        base.said_in_full,
        day=day,
        compact=together and quoted is None and used is None,
        body=Markup("<p>{}</p>").format(content) if without_words else rendered(content, view.markup_context),
        without_words=without_words,
        forwarded=message.snapshot is not None,
        quoted=quoted,
        used=used,
        embeds=embeds_of(view, message),
        parts=components_of(view, message.components, f"c-{message.id}", message),
        files=files_of(view, message),
        reactions=reactions_of(view, message),
        thread=_thread(view, message),
        marked=view.number("message") == message.id,
        for_reader=view.viewer.id in message.pings.users,
    )


def _quoted(view: Viewpoint, message: PostedMessage) -> Quoted | None:
    reference = message.reference
    if reference is None or reference.kind != 0 or reference.message_id is None:
        return None
    channel = view.state.channels.get(reference.channel_id)
    target = None if channel is None else channel.log.get(reference.message_id)
    if target is None or channel is None:
        return Quoted(None, Markup(), None)
    return Quoted(view.person(target.author), excerpt(view, target), view.link_if_seen(channel.id, target.id))


def excerpt(view: Viewpoint, message: PostedMessage) -> Markup:
    """The beginning of a message, in one line."""
    text = " ".join(message.content.split())
    if not text:
        titles = (str(embed.get("title") or "") for embed in message.embeds)
        text = next((title for title in titles if title), "") or "a message without words"
    cut = text if len(text) <= _EXCERPT else text[:_EXCERPT].rstrip() + "…"
    return rendered_line(cut, view.markup_context)


def _used(view: Viewpoint, message: PostedMessage) -> tuple[Person, str] | None:
    if message.interaction is None:
        return None
    user = view.state.users.get(int(message.interaction["user"]["id"]))
    name = str(message.interaction["name"])
    slash = "/" if message.type == MessageType.CHAT_INPUT_COMMAND else ""
    return None if user is None else (view.person(user), f"{slash}{name}")


def _thread(view: Viewpoint, message: PostedMessage) -> tuple[str, str] | None:
    thread: Channel | None = view.state.channels.get(message.thread_id or 0)
    if thread is None or thread.id == message.channel_id:
        return None
    return thread.name, view.link(thread.id)
