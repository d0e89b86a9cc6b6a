"""What should be on record, calculated plainly from the words of the rules over what Spade was permitted to know.

It shares no code with `bot/domain/derivation.py`. A fact is *required* if it follows from every reading of what Spade
can have known, and *allowed* if it follows from one of them. Readings differ in this and in nothing else:

- A message that was deleted may have been read before that, or not: as a message that others are judged by, as the
  target of a reply, as the message a thread was started on. Its own facts are forbidden if Spade heard of the delete,
  and allowed if it did not.
- A message that Discord had before the channel's record begins is on record by export files alone. It may be judged by
  the files alone (each covered stretch for itself, or all of them together), or by all that was said. A thread whose
  opener stands in no file may be without one, or, where files certainly begin with it, opened by whoever wrote first.
- Touches of people who are no managers any more, and entries that waited for them, may be there: readers leave them
  out.
- What was said in a channel while it counted stays on record when it is excluded later; it is allowed then.

Everything else is exact: consent is a stretch of time (nothing written or received outside it), what could be read from
Discord is required, what never counted is forbidden.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, combinations, product
from typing import TypeVar

from bot.domain.snowflake import moment_of
from tests.histories.world import Channel, File, Kind, Post, Sort, World

Touch = tuple[int, int, int, str]
"""The message, the manager, the member, the kind."""
Wait = tuple[int, int, int]
"""The message, its author, and a manager it waits for; 0 for the entry itself."""

Item = TypeVar("Item")

MOST_DELETED = 4
"""Of so many deleted messages in a channel every combination is a reading; of more, all, none, and each alone."""


@dataclass(frozen=True)
class Reading:
    """One way in which a channel can have been read.

    posts: the messages, in order. gone: those replied to that could not be found. opener: None if unknown, or nobody.
    start: whether the first of them is known to be the channel's first.
    """

    posts: tuple[Post, ...]
    gone: frozenset[Post]
    opener: int | None
    start: bool


@dataclass
class Facts:
    touches: set[Touch] = field(default_factory=set)
    waits: set[Wait] = field(default_factory=set)


def judge(channel: Channel, reading: Reading, managers: Collection[int], consent: Consent | None = None) -> Facts:
    """The touches and waiting messages of one reading; with `consent`, nothing waits for a manager outside of it."""
    facts = Facts()
    counted: list[Post] = []
    for post in reading.posts:
        if not post.counted:
            continue
        author = post.author
        target = post.to if post.kind is Kind.REPLY and post.to not in reading.gone else None
        replied_to = target.person if target is not None and target.kind is not Kind.ALERT else None
        if author in managers and post.kind is not Kind.FORWARD:
            for member, kind in _touched(channel, reading, managers, counted, post, replied_to):
                facts.touches.add((post.message_id, author, member, kind))
        if author not in managers and post.kind is not Kind.FORWARD:
            addressed = (post.mentions | ({replied_to} if replied_to is not None else set())) & set(managers)
            if consent is not None:
                addressed = {manager for manager in addressed if consent.allows(post.message_id, author, manager)}
            opens = channel.is_thread and not counted and reading.start and author == reading.opener
            if addressed or opens:
                facts.waits.add((post.message_id, author, 0))
                facts.waits |= {(post.message_id, author, manager) for manager in addressed}
        counted.append(post)
    return facts


def _touched(
    channel: Channel,
    reading: Reading,
    managers: Collection[int],
    counted: Sequence[Post],
    post: Post,
    replied_to: int | None,
) -> Iterator[tuple[int, str]]:
    if replied_to is not None and replied_to not in managers:
        yield replied_to, "reply"
    named = post.mentions - {replied_to}
    if len(named) <= 2 and not post.crowd:
        for member in named:
            if member not in managers:
                yield member, "mention"
    if post.kind is Kind.REPLY or post.mentions or post.names_bot or post.crowd:
        return
    if channel.is_thread and reading.opener is not None and reading.opener not in managers:
        others = [one for one in counted if one.author != post.author]
        if others and others[-1].author == reading.opener:
            yield reading.opener, "thread"
            return
    if counted and counted[-1].author not in managers and _age(counted[-1], post) <= timedelta(minutes=2):
        member = counted[-1].author
        if any(
            _addresses(one, post.author, member, reading) or _addresses(one, member, post.author, reading)
            for one in counted
            if _age(one, post) <= timedelta(minutes=10)
        ):
            yield member, "answer"


def _age(earlier: Post, later: Post) -> timedelta:
    return moment_of(later.message_id) - moment_of(earlier.message_id)


def _addresses(post: Post, who: int, whom: int, reading: Reading) -> bool:
    if post.author != who:
        return False
    target = post.to if post.kind is Kind.REPLY and post.to not in reading.gone else None
    return whom in post.mentions or (target is not None and target.kind is not Kind.ALERT and target.person == whom)


# Readings.


def _subsets(items: Sequence[Item]) -> Iterable[tuple[Item, ...]]:
    if len(items) > MOST_DELETED:
        alone = [(one,) for one in items]
        without = [tuple(other for other in items if other is not one) for one in items]
        return [(), tuple(items), *alone, *without]
    return chain.from_iterable(combinations(items, count) for count in range(len(items) + 1))


def readings(channel: Channel) -> Iterator[Reading]:
    """The ways to read a channel at Discord."""
    posts = sorted(channel.posts, key=lambda post: post.message_id)
    deleted = [post for post in posts if post.deleted]
    for gone, opener in product(_subsets(deleted), openers(channel)):
        yield Reading(tuple(post for post in posts if post not in gone), frozenset(gone), opener, start=True)


def openers(channel: Channel) -> list[int | None]:
    """Who can be taken for a thread's opener, read at Discord."""
    if not channel.is_thread:
        return [None]
    started_on = channel.started_on
    if channel.is_post:
        started_on = next((post for post in channel.posts if post.message_id == channel.channel_id), None)
    if started_on is None:
        return [channel.owner]
    return [started_on.person, *([channel.owner] if started_on.deleted else [])]


def readings_of_files(channel: Channel, files: Collection[File]) -> Iterator[tuple[Reading, ...]]:
    """The ways to read a channel by files alone, each as pieces of which the first is the oldest."""
    here = [file for file in files if file.channel is channel and file.posts]
    held = sorted({post for file in here for post in file.posts}, key=lambda post: post.message_id)
    if not held:
        return
    unfound = frozenset(post.to for post in held if post.to is not None and post.to not in held)
    begins = any(file.begins for file in here)
    first_ids = {file.posts[0].message_id for file in here}
    for gone in _subsets([post for post in held if post.deleted]):
        posts = tuple(post for post in held if post not in gone)
        missing = unfound | frozenset(gone)
        for opener in {*openers(channel), *_openers_in_files(channel, files, held, begins=begins)}:
            yield (Reading(posts, missing, opener, begins),)
            starts = [post.message_id for post in posts if post.message_id in first_ids] or [0]
            bounds = [*starts[1:], 2**63]
            yield tuple(
                Reading(
                    tuple(post for post in posts if post.message_id < bound and (not number or post.message_id >= low)),
                    missing,
                    opener,
                    begins and not number,
                )
                for number, (low, bound) in enumerate(zip(starts, bounds, strict=True))
            )


def _openers_in_files(
    channel: Channel, files: Collection[File], held: Sequence[Post], *, begins: bool
) -> list[int | None]:
    """Who can be taken for a thread's opener by files alone, besides the one whom Discord tells.

    Without the message that the thread was started on, it is the author of the first one of a thread that certainly
    begins there: a file does not tell that an earlier one was deleted, nor who the owner is.
    """
    told = any(
        post is channel.started_on or post.message_id == channel.channel_id for one in files for post in one.posts
    )
    if not channel.is_thread or told:
        return []
    if begins and not any(post.kind is Kind.STARTER for post in held):
        return [held[0].person]
    return [None]


# All of it.


@dataclass
class Consent:
    """Since when a person may be recorded; None while they may not. 0 if they always were."""

    as_member: dict[int, int | None] = field(default_factory=dict)
    as_manager: dict[int, int | None] = field(default_factory=dict)

    def allows(self, message_id: int, member: int, manager: int | None = None) -> bool:
        since = self.as_member.get(member, 0)
        by = 0 if manager is None else self.as_manager.get(manager, 0)
        return since is not None and by is not None and message_id >= max(since, by)


@dataclass
class Expected:
    """Posts and facts that must be, and that may be, on record."""

    must_count: set[Post] = field(default_factory=set)
    may_count: set[Post] = field(default_factory=set)
    required: Facts = field(default_factory=Facts)
    allowed: Facts = field(default_factory=Facts)


def expected(
    world: World,
    files: Collection[File],
    managers: Collection[int],
    ever: Collection[int],
    consent: Consent,
    kept_from: int = 0,
) -> Expected:
    """What the record has to be; `ever` are all who were managers at some time.

    What is older than `kept_from` was deleted once; a file may have brought it back since.
    """
    result = Expected()
    for channel in world.channels:
        if channel.sort is not Sort.FORUM:
            _channel(world, channel, files, managers, ever, consent, result)
    result.must_count = {post for post in result.must_count if post.message_id >= kept_from}
    result.required.touches = {fact for fact in result.required.touches if fact[0] >= kept_from}
    result.required.waits = {fact for fact in result.required.waits if fact[0] >= kept_from}
    return result


def _channel(
    world: World,
    channel: Channel,
    files: Collection[File],
    managers: Collection[int],
    ever: Collection[int],
    consent: Consent,
    result: Expected,
) -> None:
    gone = channel.deleted
    counts = world.counts(channel)
    must, may = set[Post](), set[Post]()
    for post in channel.posts:
        if not post.counted or not consent.allows(post.message_id, post.author):
            continue
        if post.may or post.imported:
            may.add(post)
        if post.known or post.imported or (counts and not gone and _owed(post)):
            must.add(post)
    result.must_count |= must
    result.may_count |= may | must
    by_id = {post.message_id: post for post in channel.posts}
    at_discord = list(readings(channel))
    by_files = list(readings_of_files(channel, files))
    true_now = [judge(channel, reading, managers, consent) for reading in at_discord]
    by_files_now = [_joined(judge(channel, piece, managers, consent) for piece in pieces) for pieces in by_files]
    teams = [{*managers, *some} for some in _subsets(sorted(set(ever) - set(managers)))]
    true_ever = [judge(channel, reading, team) for reading in at_discord for team in teams]
    by_files_ever = [_joined(judge(channel, one, team) for one in pieces) for pieces in by_files for team in teams]
    for name in ("touches", "waits"):
        sure = set.intersection(*(getattr(one, name) for one in true_now))
        sure_by_files = sure.intersection(*(getattr(one, name) for one in by_files_now)) if by_files_now else set()
        possible = set[tuple[int, ...]]().union(*(getattr(one, name) for one in true_ever))
        possible_by_files = possible.union(*(getattr(one, name) for one in by_files_ever))
        for fact in sure:
            post = by_id[fact[0]]
            source = sure if not gone and counts and _owed(post) else sure_by_files if post.imported else set()
            if (
                post in must
                and not post.deleted
                and not gone
                and counts
                and fact in source
                and _permitted(consent, fact)
            ):
                getattr(result.required, name).add(fact)
        for fact in possible_by_files:
            post = by_id[fact[0]]
            own = possible_by_files if post.imported and not _owed(post) else possible
            dead = channel.heard_gone is True or (post.deleted and post.heard_gone is True)
            if (post.may or post.imported) and fact in own and not dead and _permitted(consent, fact):
                getattr(result.allowed, name).add(fact)


def _owed(post: Post) -> bool:
    """Whether Discord can still tell it, and it lies where the channel's record is."""
    owed_from = post.channel.owed_from
    return owed_from is not None and post.message_id >= owed_from and not post.deleted


def _joined(facts: Iterable[Facts]) -> Facts:
    result = Facts()
    for one in facts:
        result.touches |= one.touches
        result.waits |= one.waits
    return result


def _permitted(consent: Consent, fact: tuple[int, ...]) -> bool:
    if len(fact) == 4:  # a touch
        return consent.allows(fact[0], fact[2], fact[1])
    message_id, author, manager = fact
    return consent.allows(message_id, author, manager or None)
