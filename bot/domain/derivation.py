"""Derives what a stretch of messages adds to the record (docs/rules.md#touches, docs/rules.md#waiting).

Only the stretch and its context are looked at, so the result does not depend on the order in which stretches arrive.
The list of managers decides whose messages touch and whom a message can wait for. Whether a person is a member is not
decided here but whenever the record is read.
"""

from collections import Counter
from collections.abc import Container, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.domain.calendar import local_day
from bot.domain.message import Message, MessageKind, is_named
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
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
    opted_out: Container[int],
    zone: ZoneInfo,
    rules: Rules,
    gone: Container[int] = frozenset(),
    counted: Container[int] = frozenset(),
) -> Derived | ContextNeeded | OpenerNeeded:
    """Judge every message of a stretch; ContextNeeded or OpenerNeeded if something is missing for that.

    Nothing is derived about people in `opted_out`, but their messages still count as the previous message when others
    are judged. Messages in `gone` were deleted: they add activity and are otherwise treated as if they had never been
    sent. The activity of messages in `counted` is on record already. The caller must not pass stretches of excluded
    channels. What is said of `undecided` messages is of no use.
    """
    judge = _Judge(stretch, managers, opted_out, rules, gone)
    try:
        touches, waiting, undecided = judge.judge()
    except _OpenerUnknownError:
        return OpenerNeeded()
    except _EarlierUnknownError:
        return ContextNeeded(min(stretch.first_id, stretch.context_first_id))
    activity: Counter[tuple[int, date]] = Counter()
    appearances: dict[int, Appearance] = {}
    for message in stretch.messages:
        author_id = message.author_id
        if author_id is None or not message.counted or message.message_id in counted:
            continue
        if author_id in opted_out or not is_named(author_id):
            continue
        activity[author_id, local_day(message.sent_at, zone)] += 1
        earlier = appearances.get(author_id)
        appearances[author_id] = Appearance(earlier.first_id if earlier else message.message_id, message.message_id)
    return Derived(activity, appearances, touches, waiting, undecided)


class _Judge:
    """Walks a stretch once and keeps the messages before the current one that count, or may count."""

    def __init__(
        self,
        stretch: Stretch,
        managers: AbstractSet[int],
        opted_out: Container[int],
        rules: Rules,
        gone: Container[int],
    ) -> None:
        self._stretch = stretch
        self._gone = gone
        self._managers = managers
        self._opted_out = opted_out
        self._rules = rules
        self._before = [message for message in stretch.context if self._may_count(message)]

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
            self._before.append(message)
        return tuple(touches), tuple(waiting), frozenset(undecided)

    def _may_count(self, message: Message) -> bool:
        return (message.counted or not message.readable) and message.message_id not in self._gone

    def _touches(self, message: Message) -> list[Touch]:
        manager_id = message.author_id
        if manager_id is None or manager_id not in self._managers or message.kind is MessageKind.FORWARD:
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
                replied_to_id=message.reply_to_id if kind is TouchKind.REPLY else None,
            )
            for member_id, kind in targets.items()
            if member_id != manager_id and is_named(member_id) and member_id not in self._opted_out
        ]

    def _speaks_to_opener(self, manager_id: int) -> bool:
        place = self._stretch.place
        looked_up = place.opener_known and not place.opener_unreadable
        if not place.is_thread or (looked_up and place.opener_id in (None, manager_id)):
            return False
        for earlier in reversed(self._before):
            if not earlier.readable:
                raise _UndecidedError
            if earlier.author_id != manager_id:
                return earlier.author_id == self._opener_id()
        self._knows_start()
        return False

    def _answered(self, message: Message, manager_id: int) -> int | None:
        previous = self._before[-1] if self._before else None
        if previous is None:
            self._need_from(message.sent_at - self._rules.answer_within)
            return None
        member_id = previous.author_id
        if member_id == manager_id or message.sent_at - previous.sent_at > self._rules.answer_within:
            return None
        if not previous.readable:
            raise _UndecidedError
        since = message.sent_at - self._rules.answer_after_address
        other = {manager_id: member_id, member_id: manager_id}
        whole = True
        for earlier in reversed(self._before):
            if earlier.sent_at < since:
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
        if member_id in self._opted_out or not is_named(member_id):
            return []
        addressed = (message.mentions | {message.reply_to_author_id}) & self._managers - {member_id}
        if not addressed and not self._opens_thread(member_id):
            return []
        replies_to_manager = message.reply_to_author_id in addressed
        return [
            WaitingEntry(
                message_id=message.message_id,
                channel_id=self._stretch.place.channel_id,
                member_id=member_id,
                addressed=frozenset(person for person in addressed if person is not None),
                reply_to_id=message.reply_to_id if replies_to_manager else None,
            )
        ]

    def _opens_thread(self, author_id: int) -> bool:
        if not self._stretch.place.is_thread or any(earlier.readable for earlier in self._before):
            return False
        if author_id != self._opener_id():
            return False
        if not self._knows_start():
            return False
        if self._before:
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
