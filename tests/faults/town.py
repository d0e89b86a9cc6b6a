"""A small community. Each of its messages is known, deleted ones too."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import MessageType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from random import Random

    from bot.sandbox import Channel, PostedMessage, User, World

MANAGERS = 3
MEMBERS = 7


@dataclass(slots=True)
class Deletion:
    """A deleted message, and when it was deleted (on the monotonic clock).

    counted: it must have been on record by then; heard: the bot received the delete.
    """

    message: PostedMessage
    at: float
    counted: bool
    heard: bool


@dataclass(slots=True)
class Town:
    """The world of a run. It has no messages from before Spade came."""

    world: World
    random: Random
    guild: Any = None
    managers: list[User] = field(default_factory=list)
    members: list[User] = field(default_factory=list)
    others: list[User] = field(default_factory=list)
    rooms: list[Channel] = field(default_factory=list)
    forum: Any = None
    threads: list[Channel] = field(default_factory=list)
    sent: int = 0
    deletions: list[Deletion] = field(default_factory=list)
    spoiled: set[int] = field(default_factory=set)
    """Messages whose history is not well formed: no thread is started on them."""

    def build(self) -> None:
        """Make the guild, its people and its channels."""
        world = self.world
        self.guild = world.guilds.add("Town", owner=world.users.add("owner"))
        self.managers = [world.users.add(f"manager-{number}") for number in range(MANAGERS)]
        self.members = [world.users.add(f"member-{number}") for number in range(MEMBERS)]
        for user in (*self.managers, *self.members):
            world.members.add(self.guild, user)
        self.others = [world.users.add("helper", bot=True), world.users.add_webhook("news-hook")]
        self.rooms = [world.channels.add(self.guild, name) for name in ("general", "questions")]
        self.rooms.append(world.channels.add(self.guild, "news", kind="news"))
        self.forum = world.channels.add(self.guild, "posts", kind="forum")
        self.threads = [world.threads.open_post(self.forum, "First", self.members[0], "words")]

    @property
    def places(self) -> list[Channel]:
        """All channels and threads with messages."""
        return [*self.rooms, *self.threads]

    @property
    def messages(self) -> list[PostedMessage]:
        """All messages that are not deleted."""
        return [message for place in self.places for message in place.messages]

    # What people do

    def something_is_said(self) -> None:
        """Post one random message."""
        random = self.random
        place = random.choice([*self.places, self.rooms[0]])
        crowd = self.members * 2 + self.managers * 3 + self.others
        author = random.choice(crowd)
        recent = [message for message in place.log.newest(8) if message.type in {0, 19}]
        details: dict[str, Any] = {}
        content = "words"
        turn = random.random()
        if turn < 0.35 and recent:
            details = {"reply_to": random.choice(recent), "ping_reply": random.random() < 0.6}
            details["hides_reference"] = random.random() < 0.15
            if random.random() < 0.2:
                details["mentions"] = random.sample(self.managers + self.members, 2)
        elif turn < 0.40 and self.deletions:
            gone = random.choice(self.deletions).message
            details = {"reply_to": gone.id, "hides_reference": random.random() < 0.5}
            if gone.channel_id != place.id:
                details = {"reply_to": self.world.state.ids.make()}
            if random.random() < 0.5:
                details["mentions"] = [random.choice(self.members)]
        elif turn < 0.60:
            details = {"mentions": random.sample(self.managers + self.members + self.others, random.randint(1, 3))}
        elif turn < 0.63:
            content, details = "@everyone words", {"mention_everyone": True}
        elif turn < 0.67 and recent:
            details = {"forward": recent[0]}
        if author.webhook:
            details.pop("forward", None)
        self.world.messages.post(place, author, content, **details)
        self.sent += 1

    def a_thread_begins(self) -> None:
        """Start a forum post, or a thread with or without a message it is started on."""
        random = self.random
        turn = random.random()
        owner = random.choice(self.members * 2 + self.managers)
        if turn < 0.5:
            thread = self.world.threads.open_post(self.forum, "Post", owner, "words")
        elif turn < 0.8:
            room = random.choice(self.rooms)
            found = [m for m in room.log.newest(5) if self._may_carry_a_thread(m)]
            if not found:
                return
            self.world.threads.names_starter = random.random() < 0.5
            thread = self.world.threads.start(room, "On a message", owner, message=found[0])
        else:
            thread = self.world.threads.start(random.choice(self.rooms), "On nothing", owner)
            self.world.messages.post(thread, owner, "words")
        self.threads.append(thread)
        self.sent += 1

    def _may_carry_a_thread(self, message: PostedMessage) -> bool:
        fit = message.type in {0, 19} and message.thread_id is None and is_person(message.author)
        return fit and message.id not in self.spoiled

    def say_everything(self) -> None:
        """Post a message of each shape: a reply, a forward, one of a webhook, one that names people and roles."""
        post, room, ann, ben = self.world.messages.post, self.rooms[0], self.members[0], self.managers[0]
        first = post(room, ann, "words", mentions=[ben, self.members[1], self.others[0]])
        post(room, ben, "words", reply_to=first, mention_roles=[self.guild.id])
        post(room, ben, "words", reply_to=first, hides_reference=True)
        post(room, ben, "words", forward=first)
        post(room, self.others[1], "words", reply_to=post(room, self.others[0], "words"))
        post(room, ann, "words", reply_to=post(room, self.others[1], "words"))
        post(self.threads[0], ann, "words")

    def a_thread_falls_asleep(self) -> None:
        """Archive a thread. A message in it ends that."""
        awake = [thread for thread in self.threads if not thread.archived]
        if awake:
            self.world.archive.add(self.random.choice(awake))

    # What is taken back

    def delete(self, messages: Iterable[PostedMessage], *, counted: Collection[int], heard: bool) -> None:
        """Delete messages of one channel in one event."""
        found = list(messages)
        self.deletions += [Deletion(one, time.monotonic(), one.id in counted, heard) for one in found]
        if len(found) == 1:
            self.world.messages.delete(found[0])
        else:
            self.world.messages.delete_many(found)

    def may_go(self, message: PostedMessage) -> bool:
        """Whether a message may be deleted: one that begins or carries a thread is needed to judge others."""
        place = self.world.state.channels[message.channel_id]
        first = place.is_thread and place.messages[0] is message
        return message.type in {0, 19} and message.thread_id is None and not first


def is_person(user: User) -> bool:
    """Whether a user is a person."""
    return not (user.bot or user.webhook or user.system)


def exported(
    town: Town,
    without: frozenset[int] = frozenset(),
    unreadable: frozenset[int] = frozenset(),
    places: Collection[Channel] | None = None,
) -> list[dict[str, Any]]:
    """What can be read now, as DiscordChatExporter would export it; `unreadable` messages have a type of their own.

    A message that repeats another in a thread bears the name of that one's author.
    """
    kinds = {0: "Default", 19: "Reply"}
    documents = []
    for place in town.places if places is None else places:
        thread = place.is_thread
        messages = []
        for message in place.log:
            if message.id in without:
                continue
            author = _repeated(town, message).author
            raw: dict[str, Any] = {
                "id": str(message.id),
                "type": "Unreadable" if message.id in unreadable else kinds.get(message.type, str(message.type)),
                "content": "@everyone" if message.mention_everyone else "words",  # an edit does not change that
                "author": {"id": str(author.id), "isBot": not is_person(author)},
                "mentions": [
                    {"id": str(user_id), "isBot": not is_person(town.world.state.users[user_id])}
                    for user_id in message.mentions
                ],
            }
            if message.reference is not None and message.type == 19:
                raw["reference"] = {"type": "Default", "messageId": str(message.reference.message_id)}
            if message.snapshot is not None:
                raw["forwardedMessage"] = {"content": "words"}
            messages.append(raw)
        documents.append(
            {
                "guild": {"id": str(town.guild.id)},
                "channel": {"id": str(place.id), "type": "GuildPublicThread" if thread else "GuildTextChat"},
                "messages": messages,
            }
        )
    return documents


def _repeated(town: Town, message: PostedMessage) -> PostedMessage:
    """The message on which a thread was started, for the one of type 21 in that thread; any other is itself."""
    reference = message.reference
    if message.type != MessageType.THREAD_STARTER or reference is None or reference.message_id is None:
        return message
    return town.world.state.channels[reference.channel_id].log.get(reference.message_id) or message
