"""Derives what a stretch of messages adds to the record (docs/rules.md#touches, docs/rules.md#waiting).

Only the stretch and its context are looked at, so the result does not depend on the order in which stretches arrive.
The list of managers decides whose messages touch and whom a message can wait for. Whether a person is a member is not
decided here but whenever the record is read.
"""

from collections.abc import Container, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.domain.calendar import day_of_minute
from bot.domain.forgetting import Unrecorded
from bot.domain.message import Message, MessageKind, is_named
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.stretch import Stretch
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry


@dataclass(frozen=True, slots=True)
class Appearance:
    """A person's first and last counted message in a stretch."""

    first_id: int
    last_id: int


@dataclass(frozen=True, slots=True)
class Derived:
    """What one stretch adds: messages per person and local day, appearances, touches, waiting entries.

    `undecided` are the messages that cannot be judged, since another that counts for it cannot be read.
    """

    activity: Mapping[tuple[int, date], int]
    appearances: Mapping[int, Appearance]
    touches: tuple[Touch, ...]
    waiting: tuple[WaitingEntry, ...]
    undecided: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ContextNeeded:
    """The stretch cannot be judged without messages from before `before_id`."""

    before_id: int


@dataclass(frozen=True, slots=True)
class OpenerNeeded:
    """The stretch cannot be judged without knowing who opened the thread."""


_MINUTE = 60_000 << 22
"""In ids."""


class _EarlierUnknownError(Exception):
    """A rule has to look further back than the context reaches."""


class _UndecidedError(Exception):
    """A rule has to know a message that cannot be read."""


class _OpenerUnknownError(Exception):
    """A rule has to know who opened the thread."""


def derive(
    stretch: Stretch,
    *,
    managers: AbstractSet[int],
    unrecorded: Unrecorded,
    zone: ZoneInfo,
    rules: Rules,
    gone: Container[int] = frozenset(),
    counted: Container[int] = frozenset(),
) -> Derived | ContextNeeded | OpenerNeeded:
    """Judge every message of a stretch; ContextNeeded or OpenerNeeded if something is missing for that.

    Nothing is derived about people who are `unrecorded` at the time of the message, but what they wrote still counts as
    the previous message when others are judged. Messages in `gone` were deleted: they add activity and are otherwise
    treated as if they had never been sent. The activity of messages in `counted` is on record already. The caller must
    not pass stretches of excluded channels. What is said of `undecided` messages is of no use.
    """
    judge = _Judge(stretch, managers, unrecorded, rules, gone)
    try:
        touches, waiting, undecided = judge.judge()
    except _OpenerUnknownError:
        return OpenerNeeded()
    except _EarlierUnknownError:
        return ContextNeeded(min(stretch.first_id, stretch.context_first_id))
    activity: dict[tuple[int, date], int] = {}
    ends: dict[int, tuple[int, int]] = {}
    everybody = unrecorded.nobody
    for message in stretch.messages:
        author_id, message_id = message.author_id, message.message_id
        if author_id is None or not message.counted or message_id in counted:
            continue
        if not is_named(author_id) or not (everybody or not unrecorded.as_member(author_id, message.sent_at)):
            continue
        day = author_id, day_of_minute(message_id // _MINUTE, zone)
        activity[day] = activity.get(day, 0) + 1
        ends[author_id] = ends.get(author_id, (message_id,))[0], message_id
    appearances = {author_id: Appearance(*both) for author_id, both in ends.items()}
    return Derived(activity, appearances, touches, waiting, undecided)


class _Judge:
    """Walks a stretch once and keeps those of its messages that count, or may count."""

    def __init__(
        self,
        stretch: Stretch,
        managers: AbstractSet[int],
        unrecorded: Unrecorded,
        rules: Rules,
        gone: Container[int],
    ) -> None:
        self._stretch = stretch
        self._gone = gone
        self._managers = managers
        self._unrecorded = unrecorded
        self._rules = rules
        self._seen: list[Message] = []

    def judge(self) -> tuple[tuple[Touch, ...], tuple[WaitingEntry, ...], frozenset[int]]:
        touches: list[Touch] = []
        waiting: list[WaitingEntry] = []
        undecided: set[int] = set()
        for message in self._stretch.messages:
            if not self._may_count(message):
                continue
            try:
                touches += self._touches(message)
                waiting += self._waiting(message)
            except _UndecidedError:
                undecided.add(message.message_id)
            self._seen.append(message)
        return tuple(touches), tuple(waiting), frozenset(undecided)

    def _before(self) -> Iterator[Message]:
        """The messages before the current one that count, or may count, newest first; most are judged without them."""
        yield from reversed(self._seen)
        yield from (message for message in reversed(self._stretch.context) if self._may_count(message))

    def _may_count(self, message: Message) -> bool:
        return (message.counted or not message.readable) and message.message_id not in self._gone

    def _touches(self, message: Message) -> list[Touch]:
        manager_id = message.author_id
        if manager_id is None or message.kind is MessageKind.FORWARD or not self._manages(manager_id, message):
            return []
        targets: dict[int, TouchKind] = {}
        named = message.mentions - {message.reply_to_author_id}
        if len(named) <= self._rules.mention_limit and not message.mentions_crowd:
            targets.update(dict.fromkeys(sorted(named), TouchKind.MENTION))
        if message.reply_to_author_id is not None:
            targets[message.reply_to_author_id] = TouchKind.REPLY
        if message.kind is MessageKind.DEFAULT and message.mentions_nobody:
            if self._speaks_to_opener(manager_id):
                opener_id = self._opener_id()
                assert opener_id is not None
                targets[opener_id] = TouchKind.THREAD
            elif (answered_id := self._answered(message, manager_id)) is not None:
                targets[answered_id] = TouchKind.ANSWER
        return [
            Touch(
                kind=kind,
                manager_id=manager_id,
                member_id=member_id,
                message_id=message.message_id,
                channel_id=self._stretch.place.channel_id,
                touched_at=message.sent_at,
                replied_to_id=self._replied_to(message, member_id) if kind is TouchKind.REPLY else None,
            )
            for member_id, kind in targets.items()
            if member_id != manager_id
            and is_named(member_id)
            and not self._unrecorded.as_member(member_id, message.sent_at)
        ]

    def _manages(self, person_id: int, message: Message) -> bool:
        """Whether somebody is a manager whose part in a message may be recorded."""
        return person_id in self._managers and not self._unrecorded.as_manager(person_id, message.sent_at)

    def _replied_to(self, message: Message, member_id: int) -> int | None:
        """The message of a member that this one replies to; None if it must not be recorded."""
        target_id = message.reply_to_id
        kept = target_id is not None and not self._unrecorded.as_member(member_id, moment_of(target_id))
        return target_id if kept else None

    def _speaks_to_opener(self, manager_id: int) -> bool:
        place = self._stretch.place
        looked_up = place.opener_known and not place.opener_unreadable
        if not place.is_thread or (looked_up and place.opener_id in (None, manager_id)):
            return False
        for earlier in self._before():
            if not earlier.readable:
                raise _UndecidedError
            if earlier.author_id != manager_id:
                return earlier.author_id == self._opener_id()
        self._knows_start()
        return False

    def _answered(self, message: Message, manager_id: int) -> int | None:
        previous = next(self._before(), None)
        if previous is None:
            self._need_from(message.sent_at - self._rules.answer_within)
            return None
        member_id = previous.author_id
        if member_id == manager_id or message.sent_at - previous.sent_at > self._rules.answer_within:
            return None
        if not previous.readable:
            raise _UndecidedError
        since = message.sent_at - self._rules.answer_after_address
        since_id = first_id_at(since)
        other = {manager_id: member_id, member_id: manager_id}
        whole = True
        for earlier in self._before():
            if earlier.message_id < since_id:
                break
            whole = whole and earlier.readable
            # One direction is enough: requiring both would add hardly any pair that a mention has not found already.
            if earlier.author_id in other and (
                other[earlier.author_id] in earlier.mentions or other[earlier.author_id] == earlier.reply_to_author_id
            ):
                return member_id
        else:
            self._need_from(since)
        if not whole:
            raise _UndecidedError
        return None

    def _waiting(self, message: Message) -> list[WaitingEntry]:
        member_id = message.author_id
        if member_id is None or message.kind is MessageKind.FORWARD:
            return []
        if not (self._stretch.place.is_thread or message.mentions or message.reply_to_author_id is not None):
            return []
        if not is_named(member_id) or self._unrecorded.as_member(member_id, message.sent_at):
            return []
        named = (message.mentions | {message.reply_to_author_id}) - {member_id}
        addressed = frozenset(one for one in named if one is not None and self._manages(one, message))
        if not addressed and not self._opens_thread(member_id):
            return []
        return [
            WaitingEntry(
                message_id=message.message_id,
                channel_id=self._stretch.place.channel_id,
                member_id=member_id,
                addressed=addressed,
                reply_to_id=self._written_to(message, addressed),
            )
        ]

    def _written_to(self, message: Message, addressed: Container[int]) -> int | None:
        """The message of a manager that this one replies to; None if it is none, or must not be recorded."""
        manager_id, target_id = message.reply_to_author_id, message.reply_to_id
        if manager_id not in addressed or manager_id is None or target_id is None:
            return None
        return None if self._unrecorded.as_manager(manager_id, moment_of(target_id)) else target_id

    def _opens_thread(self, author_id: int) -> bool:
        if not self._stretch.place.is_thread or any(earlier.readable for earlier in self._before()):
            return False
        if author_id != self._opener_id():
            return False
        if not self._knows_start():
            return False
        if next(self._before(), None) is not None:
            raise _UndecidedError
        return True

    def _opener_id(self) -> int | None:
        if not self._stretch.place.opener_known:
            raise _OpenerUnknownError
        if self._stretch.place.opener_unreadable:
            raise _UndecidedError
        return self._stretch.place.opener_id

    def _knows_start(self) -> bool:
        """Whether what was looked through reaches back to the beginning. Raises if more of it can be asked for."""
        if self._stretch.knows_start:
            return True
        if self._stretch.earlier_unknown:
            return False
        raise _EarlierUnknownError

    def _need_from(self, moment: datetime) -> None:
        known_from = min(self._stretch.first_id, self._stretch.context_first_id)
        if first_id_at(moment) < known_from:
            self._knows_start()
