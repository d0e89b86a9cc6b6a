"""What export files say of messages: which copy counts, and how much of it is kept (docs/rules.md#export-files)."""

from collections.abc import Callable, Container, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

from bot.domain.calendar import day_start, local_day
from bot.domain.message import SOMEBODY_ID, Message, MessageKind, is_named
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.domain.stretch import Place

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of export of a file that does not tell it: older than any other."""
CLOCK_TOLERANCE = timedelta(minutes=10)
"""How much later than its file's time of export a message may have been sent, as clocks differ."""

Hidden = Callable[[int, datetime], bool]
"""Whether nothing may be kept about a person, as the author or addressee of a message of that time."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One file's copy of a message, or what is kept of the newest one.

    exported_at: when it was exported, to the millisecond; UNDATED if that is not known.
    reduced: whether mentions were left out, so that the message is not one that mentions nobody.
    deleted: whether Spade heard of its deletion; then no other copy counts any more.
    counted_on: the day on which the message counts for its author, if it does so by this copy.
    """

    message: Message
    exported_at: datetime = UNDATED
    reduced: bool = False
    deleted: bool = False
    counted_on: date | None = None


@dataclass(frozen=True, slots=True)
class ImportedChannel:
    """A channel or thread of which there are files. `place` has no opener.

    begins: whether a file certainly begins where the channel does, so that nothing was written before it.
    gone: whether Spade heard that the channel was deleted.
    """

    place: Place
    begins: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last message of a person that count, each with the channel where it stands."""

    first_id: int
    first_channel_id: int
    last_id: int
    last_channel_id: int

    def joined(self, other: "Ends") -> "Ends":
        """The ends of both; of a message that stands in two channels, the one with the lower id."""
        first = min((self.first_id, self.first_channel_id), (other.first_id, other.first_channel_id))
        last = max((self.last_id, -self.last_channel_id), (other.last_id, -other.last_channel_id))
        return Ends(*first, last[0], -last[1])


def corrected(
    ends: Ends, gone: Container[int], found: Ends | None, days: tuple[date, date] | None, zone: ZoneInfo
) -> Ends | None:
    """A person's first and last message, since those in `gone` are not theirs after all; None if they wrote none.

    `found` are the ends of their messages that files told. Of what Discord told only the `days` on which they wrote are
    known, the first and the last one: then a day's beginning stands for a message.
    """
    own = [Ends(ends.first_id, ends.first_channel_id, ends.first_id, ends.first_channel_id)]
    own.append(Ends(ends.last_id, ends.last_channel_id, ends.last_id, ends.last_channel_id))
    left = [one for one in own if one.first_id not in gone] + ([] if found is None else [found])
    if days is None:
        return reduce(Ends.joined, left) if left else None
    first_id, last_id = (first_id_at(day_start(day, zone)) for day in days)
    if not left:
        return Ends(first_id, ends.first_channel_id, last_id, ends.last_channel_id)
    result = reduce(Ends.joined, left)
    if ends.first_id in gone and local_day(moment_of(result.first_id), zone) > days[0]:
        result = replace(result, first_id=first_id)
    if ends.last_id in gone and local_day(moment_of(result.last_id), zone) < days[1]:
        result = replace(result, last_id=last_id)
    return result


def kept(copy: Copy, managers: AbstractSet[int], hidden: Hidden, *, target_is_known: bool) -> Copy:
    """The copy as it may be stored: what a member writes matters only as far as it concerns managers.

    A person in `hidden` becomes SOMEBODY_ID as an author, and a number below 0 among the mentions. Of a message that no
    manager wrote, only the mentions of managers are kept, and what it replies to only while the target may be a
    manager's: the caller says with `target_is_known` that somebody else wrote that.
    """
    message, sent_at = copy.message, copy.message.sent_at
    author_id = message.author_id
    if author_id is not None and hidden(author_id, sent_at):
        author_id = SOMEBODY_ID
    if author_id in managers:
        shown = frozenset(person for person in message.mentions if not hidden(person, sent_at))
        nameless = range(len(message.mentions) - len(shown))
        mentions, reply_to_id = shown.union(-1 - number for number in nameless), message.reply_to_id
    else:
        wanted = managers if author_id is not None else frozenset[int]()
        mentions = frozenset(person for person in message.mentions & wanted if not hidden(person, sent_at))
        reply_to_id = None if target_is_known or author_id is None else message.reply_to_id
    return replace(
        copy,
        message=replace(
            message, author_id=author_id, mentions=mentions, reply_to_id=reply_to_id, reply_to_author_id=None
        ),
        reduced=len(mentions) < len(message.mentions),
    )


def newest(stored: Copy | None, copy: Copy) -> Copy:
    """What is known of a message by two copies: the one that was exported later, in whichever order they come.

    Two of the same moment are one; the second may have what was left out of the first.
    """
    if stored is None or (not stored.deleted and copy.exported_at > stored.exported_at):
        return copy
    if stored.deleted or copy.exported_at < stored.exported_at:
        return stored
    one, other = stored.message, copy.message
    return replace(
        stored,
        message=replace(
            one,
            author_id=_greater(one.author_id, other.author_id),
            kind=max(one.kind, other.kind),
            mentions=_united(one.mentions, other.mentions),
            mentions_no_person=one.mentions_no_person or other.mentions_no_person,
            mentions_crowd=one.mentions_crowd or other.mentions_crowd,
            reply_to_id=_greater(one.reply_to_id, other.reply_to_id),
        ),
        reduced=stored.reduced and copy.reduced,
    )


def home(copies: Mapping[int, Copy]) -> int | None:
    """Of the channels that have a copy of one message, the one in which it was written; None if only others repeat it.

    A thread may repeat the message that it was started on, which stands in a channel that is older.
    """
    return min((where for where, copy in copies.items() if copy.message.kind is not MessageKind.STARTER), default=None)


def is_told(place: Place, message_id: int, recorded: Mapping[int, Sequence[Span]]) -> bool:
    """Whether Discord told a message of a channel itself: it lies in one of the spans `recorded` by channel.

    A thread's message with the thread's id may be that of the channel in which it was started, and is told there.
    """
    channels = [place.channel_id]
    if message_id == place.channel_id and place.parent_id is not None:
        channels.append(place.parent_id)
    return any(span.holds(message_id) for channel_id in channels for span in recorded.get(channel_id, ()))


def replying(copy: Copy, target_author_id: int | None, *, to_notice: bool = False) -> Message:
    """The message as a reply to one by this person; None if no person wrote that, or it is not known who did.

    A reply `to_notice` mentions nobody: it may ping the person whom the notice is about, and who that is is not kept.
    """
    message = copy.message
    mentions = frozenset[int]() if to_notice else message.mentions
    nameless = [person for person in mentions if person < 0]
    if target_author_id == SOMEBODY_ID and nameless:
        mentions -= {max(nameless)}  # a reply names its target, if it does, in its mentions
    return replace(
        message,
        mentions=mentions,
        mentions_no_person=message.mentions_no_person or copy.reduced or (to_notice and bool(message.mentions)),
        reply_to_author_id=target_author_id,
    )


def opener_of(starter: Message | None, first: Message | None, *, begins: bool) -> int | None:
    """The person who opened a thread, as far as files tell (docs/rules.md#thread); None if none did or it is unknown.

    Args:
        starter: The message that has the thread's id.
        first: The first message in the thread, which is its opener's if the thread was started without a message.
        begins: Whether nothing was written in the thread before `first`.
    """
    if starter is not None:
        return starter.author_id
    if first is None or not begins or first.kind is MessageKind.STARTER:
        return None
    return first.author_id


def _united(one: AbstractSet[int], other: AbstractSet[int]) -> frozenset[int]:
    """Everybody whom two copies mention; who has a number below 0 in one of them may have a name in the other."""
    people = frozenset(person for person in one | other if is_named(person))
    nameless = max(len(one), len(other)) - len(people)
    return people.union(-1 - number for number in range(nameless))


def _greater(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)
