"""Playing a community's record into a world, message by message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.sandbox.sample.record import FORWARD, OTHER, REPLY, CommunityRecord, RecordLine
from bot.sandbox.world.snowflakes import time_of

if TYPE_CHECKING:
    from datetime import datetime

    from bot.sandbox.world.entities import Channel, Guild, PostedMessage, User
    from bot.sandbox.world.world import World

PLACEHOLDER = "(the sample has no text)"
_CHANNEL_NAME_CHANGE = 4  # Discord's message type


@dataclass(slots=True)
class Player:
    """Builds a record's guild in a world and plays its lines, each at the moment the caller chooses."""

    world: World
    record: CommunityRecord
    guild: Guild = field(init=False)
    _users: list[User] = field(init=False)

    def __post_init__(self) -> None:
        record, world = self.record, self.world
        self._users = [
            world.users.add(f"member{number}", display_name=name, user_id=person_id, bot=number in record.bots)
            for number, (person_id, name) in enumerate(record.people)
        ]
        self.guild = world.guilds.add(record.guild_name, guild_id=record.guild_id)
        # The record has no times of joining; a person is taken to have joined with their first message.
        came_at: dict[int, datetime] = {}
        for line in record.lines:
            came_at.setdefault(line.author, line.sent_at)
        for number, user in enumerate(self._users):
            world.members.add(self.guild, user, joined_at=came_at.get(number))
        for forum_id, name in record.forums:
            world.channels.add(self.guild, name, kind="forum", channel_id=forum_id)

    def load_until(self, moment: datetime) -> int:
        """Load every message before a moment without events; returns the number of messages."""
        by_post: dict[int, list[RecordLine]] = {}
        for line in self.record.lines:
            if line.sent_at >= moment:
                break
            by_post.setdefault(line.post, []).append(line)
        for number, lines in by_post.items():
            thread = self._thread(number, announced=False)
            for line in lines:  # one by one, because a reply looks for its target in the channel
                self.world.messages.load(thread, [self._message(thread, line)])
        return sum(map(len, by_post.values()))

    def play(self, line: RecordLine) -> PostedMessage:
        """Post the message of a line now."""
        return self.world.messages.put(self._message(self._thread(line.post, announced=True), line))

    def _thread(self, number: int, *, announced: bool) -> Channel:
        post = self.record.posts[number]
        thread = self.world.state.channels.get(post.post_id)
        if thread is None:
            opener = self._users[post.opener]
            # The record has no titles: the thread is named after its opener and its day.
            name = f"{opener.display_name}, {time_of(post.post_id):%-d %B}"
            thread = self.world.threads.load(post.forum_id, name, opener, thread_id=post.post_id)
            if announced:
                self.world.threads.announce(thread)
        return thread

    def _message(self, thread: Channel, line: RecordLine) -> PostedMessage:
        author = self._users[line.author]
        # The record does not hold what was forwarded, so a placeholder is.
        forwarded = self.world.messages.draft(thread, author, PLACEHOLDER) if line.kind == FORWARD else None
        return self.world.messages.draft(
            thread,
            author,
            "" if line.kind == FORWARD else PLACEHOLDER,
            reply_to=line.reply_to_id or None if line.kind == REPLY else None,
            mentions=[self._users[number] for number in line.named],
            type=_CHANNEL_NAME_CHANGE if line.kind == OTHER else (19 if line.kind == REPLY else None),
            forward=forwarded,
            message_id=line.message_id,
        )
