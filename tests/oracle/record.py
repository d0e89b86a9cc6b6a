"""Reads exports naively and derives activity, touches and waiting (docs/rules.md) for a list of managers."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

DISCORD_EPOCH = 1420070400000
DELETED_USER = 456226577798135808
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PERSONAL = ("reply", "mention", "thread", "logged")
ROLE_MENTION = re.compile(r"<@&\d+>")


def milliseconds(snowflake: int) -> int:
    """Milliseconds since 1970 at which the id was made."""
    return (snowflake >> 22) + DISCORD_EPOCH


def utc(at: int) -> datetime:
    """The same moment as an aware datetime."""
    return datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an export, counted or not."""

    id: int
    channel_id: int
    type: str
    author_id: int
    person: bool  # the author is neither a bot nor the Deleted User
    mentioned: frozenset[int]  # everyone in `mentions`, bots too
    mentioned_people: frozenset[int]
    broadcast: bool  # @everyone, @here or a role
    reply_to: int | None
    forward: bool
    at: int

    @property
    def reply(self) -> bool:
        """Whether the message is of type Reply."""
        return self.type in ("Reply", "19")

    @property
    def counted(self) -> bool:
        """docs/rules.md#counted-messages."""
        return self.person and self.type in ("Default", "0", "Reply", "19")


@dataclass(frozen=True, slots=True)
class Touch:
    """docs/rules.md#touches: a manager personally addressed a member."""

    at: int
    message_id: int
    channel_id: int
    manager_id: int
    member_id: int
    kind: str
    replied_at: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """docs/rules.md#waiting: one entry, with the moment the first touch ended it, if one did."""

    at: int
    message_id: int
    channel_id: int
    member_id: int
    waits_for: frozenset[int]  # empty: for the team
    only_reply_to: int | None  # the manager's message, if being a reply to it is all that made the entry
    ended: int | None


@dataclass(slots=True)
class Record:
    """All messages of all files, by channel and in order of id."""

    guild_id: int
    channels: dict[int, list[Message]]
    threads: set[int]
    by_id: dict[int, Message]
    broken: list[str]
    begun: set[int] = field(default_factory=set)  # channels of which a file certainly begins at the start


@dataclass(slots=True)
class Facts:
    """What one list of managers makes of a record."""

    guild_id: int
    managers: tuple[int, ...]
    counted: list[Message]
    touches: list[Touch]
    waiting: list[Waiting]
    counts: dict[str, Any]


def read(paths: Iterable[Path]) -> Record:
    """Read files and folders of exports; of a message exported twice the newest export counts."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.rglob("*.json")) if path.is_dir() else [path]
    documents = []
    record = Record(0, {}, set(), {}, [])
    for path in files:
        try:
            documents.append(json.loads(path.read_text("utf-8-sig")))
        except ValueError:
            record.broken.append(path.name)
    return collect(documents, record)


def collect(documents: Iterable[dict[str, Any]], record: Record | None = None) -> Record:
    """Join export documents into a record."""
    record = record or Record(0, {}, set(), {}, [])
    newest: dict[tuple[int, int], tuple[datetime, Message]] = {}
    for document in documents:
        channel_type = str(document["channel"]["type"])
        if channel_type.startswith("Direct") or channel_type in ("GuildPrivateThread", "12"):
            continue
        record.guild_id = int(document["guild"]["id"])
        channel_id = int(document["channel"]["id"])
        record.channels.setdefault(channel_id, [])
        if "Thread" in channel_type or channel_type in ("10", "11"):
            record.threads.add(channel_id)
        after = (document.get("dateRange") or {}).get("after")
        if after is None or datetime.fromisoformat(after) <= utc(milliseconds(channel_id)):
            record.begun.add(channel_id)
        exported = datetime.fromisoformat(document.get("exportedAt") or "0001-01-01T00:00:00+00:00")
        for raw in document["messages"]:
            key = (channel_id, int(raw["id"]))
            if key not in newest or newest[key][0] < exported:
                newest[key] = (exported, read_message(raw, channel_id))
    for (channel_id, message_id), (_, message) in sorted(newest.items(), key=lambda item: item[0]):
        record.channels[channel_id].append(message)
        known = record.by_id.get(message_id)
        if known is None or known.type == "21":  # "21" only repeats the original
            record.by_id[message_id] = message
    return record


def read_message(raw: dict[str, Any], channel_id: int) -> Message:
    """Read one message object of an export."""
    author = raw["author"]
    reference = raw.get("reference") or {}
    kind = str(raw["type"])
    content = raw.get("content") or ""
    empty = not (content or raw.get("attachments") or raw.get("embeds") or raw.get("stickers"))
    forward = bool(raw.get("forwardedMessage")) or reference.get("type") == "Forward"
    if kind in ("Default", "0") and reference and "type" not in reference and empty:
        forward = True  # before 2.47
    mentions = raw.get("mentions") or []
    reply_to = reference.get("messageId")
    return Message(
        id=int(raw["id"]),
        channel_id=channel_id,
        type=kind,
        author_id=int(author["id"]),
        person=not author.get("isBot") and int(author["id"]) != DELETED_USER,
        mentioned=frozenset(int(one["id"]) for one in mentions),
        mentioned_people=frozenset(
            int(one["id"]) for one in mentions if not one.get("isBot") and int(one["id"]) != DELETED_USER
        ),
        broadcast="@everyone" in content or "@here" in content or bool(ROLE_MENTION.search(content)),
        reply_to=int(reply_to) if reply_to else None,
        forward=forward,
        at=milliseconds(int(raw["id"])),
    )


def derive(record: Record, managers: Collection[int], *, both_ways: bool = False) -> Facts:
    """Derive touches and waiting entries; `both_ways` asks `answer` for an address in either direction."""
    touches: list[Touch] = []
    counted: list[Message] = []
    for messages in record.channels.values():
        here = [message for message in messages if message.counted]
        opener = member_opener(record, messages, managers)
        for place, message in enumerate(here):
            if message.author_id in managers and not message.forward:
                touches += touches_of(record, managers, here, place, opener, both_ways=both_ways)
        counted += here
    touches.sort(key=lambda touch: (touch.at, touch.message_id, touch.member_id))
    counted.sort(key=lambda message: message.id)
    waiting = waiting_entries(record, managers, touches)
    everything = [message for messages in record.channels.values() for message in messages]
    counts = {
        "messages": len(everything),
        "members": len({message.author_id for message in counted} - set(managers)),
        "touches": dict(Counter(touch.kind for touch in touches)),
        "unresolved_replies": sum(one.reply and one.reply_to not in record.by_id for one in everything),
    }
    return Facts(record.guild_id, tuple(sorted(managers)), counted, touches, waiting, counts)


def member_opener(record: Record, messages: list[Message], managers: Collection[int]) -> int | None:
    """Find the opener of a thread, if it is one and they are a member.

    That is the author of the message with the thread's id; else, if the files begin at its start, of its first one. A
    message of type 21 is by whoever started the thread.
    """
    if not messages or messages[0].channel_id not in record.threads:
        return None
    thread_id = messages[0].channel_id
    first = record.by_id.get(thread_id)
    if first is None or first.type == "21":
        first = messages[0]
        if first.type == "21" or thread_id not in record.begun:
            return None
    return first.author_id if first.person and first.author_id not in managers else None


def touches_of(
    record: Record,
    managers: Collection[int],
    here: list[Message],
    place: int,
    opener: int | None,
    *,
    both_ways: bool,
) -> list[Touch]:
    """docs/rules.md#touches for the counted message at a place among the counted messages of its channel."""
    message = here[place]
    target = record.by_id.get(message.reply_to) if message.reply and message.reply_to else None

    def touch(member_id: int, kind: str) -> Touch:
        replied_at = target.at if kind == "reply" and target else None
        author = message.author_id
        return Touch(message.at, message.id, message.channel_id, author, member_id, kind, replied_at)

    found: list[Touch] = []
    named = set(message.mentioned_people)
    if target is not None:
        named.discard(target.author_id)
        if target.person and target.author_id not in managers:
            found.append(touch(target.author_id, "reply"))
    if len(named) <= 2 and not message.broadcast:
        found += [touch(member_id, "mention") for member_id in sorted(named - set(managers))]
    if found or message.reply or message.mentioned or message.broadcast:
        return found
    if opener is not None:
        others = [one for one in here[:place] if one.author_id != message.author_id]
        if others and others[-1].author_id == opener:
            return [touch(opener, "thread")]
    if place and here[place - 1].author_id not in managers:
        previous = here[place - 1]
        if message.at - previous.at <= 2 * MINUTE and addressed(
            record, here[:place], message, previous.author_id, both_ways=both_ways
        ):
            return [touch(previous.author_id, "answer")]
    return []


def addressed(record: Record, before: list[Message], message: Message, member_id: int, *, both_ways: bool) -> bool:
    """Whether manager and member addressed each other in the channel in the last ten minutes."""
    pair = {message.author_id, member_id}
    speakers = set()
    for one in reversed(before):
        if message.at - one.at > 10 * MINUTE:
            break
        if one.author_id not in pair:
            continue
        (other,) = pair - {one.author_id}
        target = record.by_id.get(one.reply_to) if one.reply and one.reply_to else None
        if other in one.mentioned or (target is not None and target.author_id == other):
            speakers.add(one.author_id)
    return len(speakers) == 2 if both_ways else bool(speakers)


def waiting_entries(record: Record, managers: Collection[int], touches: list[Touch]) -> list[Waiting]:
    """Waiting (docs/rules.md#waiting), each entry with the first touch that ended it."""
    by_member: dict[int, list[Touch]] = defaultdict(list)
    for touch in touches:
        by_member[touch.member_id].append(touch)
    entries = []
    for channel_id, messages in record.channels.items():
        here = [message for message in messages if message.counted]
        opener = member_opener(record, messages, managers)
        for place, message in enumerate(here):
            if message.author_id in managers or message.forward:
                continue
            target = record.by_id.get(message.reply_to) if message.reply and message.reply_to else None
            replied = {target.author_id} & set(managers) if target else set()
            named = message.mentioned_people & set(managers)
            opens = place == 0 and message.author_id == opener
            if not (replied or named or opens):
                continue
            ends = [
                touch.at
                for touch in by_member[message.author_id]
                if touch.message_id > message.id and touch.channel_id in (channel_id, message.id)
            ]
            only_reply = bool(replied) and named <= replied and not opens
            entries.append(
                Waiting(
                    at=message.at,
                    message_id=message.id,
                    channel_id=channel_id,
                    member_id=message.author_id,
                    waits_for=frozenset(replied | named),
                    only_reply_to=message.reply_to if only_reply else None,
                    ended=min(ends, default=None),
                )
            )
    entries.sort(key=lambda entry: entry.message_id)
    return entries
