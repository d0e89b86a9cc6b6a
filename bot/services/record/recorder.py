"""The only way for messages to become facts: live events, history pages and export files are recorded alike."""

import asyncio
from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain.derivation import ContextNeeded, Derived, OpenerNeeded, derive
from bot.domain.rules import Rules
from bot.domain.span import Span, unrecorded
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry
from bot.services.record.guild_facts import GuildFacts, HeldGuildFacts
from bot.services.record.held_spans import HeldSpans
from bot.services.record.recent_ids import RecentIds
from bot.store import evidence, forgetting, guilds, managers, record, spans, unread
from bot.store.database import Connection, Database
from bot.store.error import StoreError
from bot.store.evidence import StoredPlace
from bot.store.spans import StoredSpan

UNREADABLE = "What Discord sends of it cannot be read"
"""The reason of a known gap."""
TOGETHER = 2000
"""The most messages that are recorded in one transaction, unless a single stretch has more."""
_MANY = 100
"""To judge so many messages takes some milliseconds."""


class ContextSource(Protocol):
    """Where to find what a rule needs to know beyond a stretch."""

    async def earlier(self, stretch: Stretch) -> Stretch:
        """The same stretch with more context; `context_first_id` is 0 if nothing earlier exists or can be read."""

    async def opened(self, stretch: Stretch) -> Stretch:
        """The same stretch, its place with `opener_known`."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one stretch added to the record.

    messages: how many were recorded; known: how many were on record before; touches: those on members, by kind;
    excluded: its channel is excluded, so nothing was recorded; unreadable: what became a known gap, since its messages
    cannot be read; judged: the stretch with the context that was needed, and managers: those it was judged for.
    """

    messages: int = 0
    known: int = 0
    touches: Counter[TouchKind] = field(default_factory=Counter)
    excluded: bool = False
    unreadable: tuple[Span, ...] = ()
    judged: Stretch | None = field(default=None, compare=False)
    managers: AbstractSet[int] = field(default=frozenset(), compare=False)

    def __add__(self, other: "Recorded") -> "Recorded":
        return Recorded(
            self.messages + other.messages,
            self.known + other.known,
            self.touches + other.touches,
            unreadable=self.unreadable + other.unreadable,
        )


class Recorder:
    """Derives facts from stretches and writes them with the span they came from, in one transaction.

    Recording is idempotent: a stretch may be given any number of times and in any order, since whatever lies in a
    span that is on record is skipped. Where messages were imported, they are not counted again, and what is derived
    from the stretch takes the place of what their files told. Of an excluded channel nothing is recorded, and no span.
    A message that cannot be read becomes a known gap, as does one that cannot be judged without it, and the rest of its
    stretch is recorded.

    Stretches that are given at the same time share a transaction, up to `TOGETHER` messages, so that recording takes as
    many statements for all of them as for one.

    What was deleted is remembered for as long as a page that was fetched before may be on its way here: some minutes.
    Whoever holds a message for longer has to `ignore` it once more before recording it.
    """

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database = database
        self._rules = rules
        self._gone = RecentIds()
        self._gone_channels = RecentIds()
        self._facts = HeldGuildFacts(database)
        self._spans = HeldSpans(database)
        self._queue: dict[_Request, None] = {}
        self._first_in_queue = asyncio.Lock()

    @property
    def gone(self) -> Container[int]:
        """The messages that were deleted lately."""
        return self._gone

    async def record(self, stretch: Stretch, context: ContextSource) -> Recorded:
        """Record a stretch. Only if a rule needs earlier messages or a thread's opener, `context` is asked for them.

        Raises StoreError, and what `context` raises; then nothing of the stretch is recorded.
        """
        while True:
            outcome = await self._with_others(stretch)
            if isinstance(outcome, Recorded):
                return outcome
            stretch = await _with_needed(outcome.need, outcome.stretch, context)

    async def _with_others(self, stretch: Stretch) -> "_Outcome":
        """Record a stretch with all others that wait for their turn, in order; whoever comes first does it."""
        request = _Request(stretch)
        self._queue[request] = None
        try:
            async with self._first_in_queue:
                while request.outcome is None:
                    await self._record_next()
        finally:
            self._queue.pop(request, None)
        if isinstance(request.outcome, Exception):
            raise request.outcome
        return request.outcome

    async def _record_next(self) -> None:
        """Record what waits first. What fails because of the database fails for all that was to be written with it."""
        requests: list[_Request] = []
        try:
            async with self._database.writing() as connection:
                requests = self._next()
                outcomes = await self._record(connection, [request.stretch for request in requests])
                self._facts.keep()
            self._spans.keep()
        except StoreError as error:
            requests = requests or self._next()
            self._finish(requests, [error] * len(requests))
        except Exception as error:  # noqa: BLE001 - whatever failed, the others are recorded
            requests = requests or self._next()
            if len(requests) == 1:
                self._finish(requests, [error])
            for request in requests:  # one of them is at fault: from now on each is recorded by itself
                request.alone = True
        else:
            self._finish(requests, outcomes)

    def _finish(self, requests: "Sequence[_Request]", outcomes: "Sequence[_Outcome | Exception]") -> None:
        for request, outcome in zip(requests, outcomes, strict=True):
            request.outcome = outcome
            self._queue.pop(request, None)

    def _next(self) -> "list[_Request]":
        """The first in the queue and those behind it that share its transaction: one a channel, not too many."""
        first, messages = next(iter(self._queue)), 0
        taken: list[_Request] = []
        channels: set[int] = set()
        for request in self._queue:
            channel_id = request.stretch.place.channel_id
            messages += len(request.stretch.messages)
            if taken and (request.alone or first.alone or messages > TOGETHER or channel_id in channels):
                break
            channels.add(channel_id)
            taken.append(request)
        return taken

    async def excludes(self, place: Place) -> bool:
        """Whether a channel is excluded by the guild's settings, so that nothing of it is recorded."""
        excluded = await self._facts.excluded(place.guild_id)
        if excluded is None:
            async with self._database.reading() as connection:
                excluded = await guilds.excluded_channels(connection, place.guild_id)
        return place.is_in(excluded)

    async def _record(self, connection: Connection, stretches: Sequence[Stretch]) -> "list[_Outcome]":
        """Record stretches of different channels; for each what was recorded, or what is needed to judge it."""
        facts = await self._facts.of(connection, {one.place.guild_id for one in stretches})
        counted = {
            one.place.channel_id: one
            for one in stretches
            if not one.place.is_in(facts[one.place.guild_id].excluded) and not one.place.is_in(self._gone_channels)
        }
        known = await self._spans.of(connection, {key: one.whole for key, one in counted.items()})
        recorded = {channel_id: [one.span for one in found] for channel_id, found in known.items()}
        stored = await _stored(connection, [one for one in counted.values() if facts[one.place.guild_id].has_files])
        outcomes: list[_Outcome] = []
        judged: list[_Judged] = []
        for stretch in stretches:
            place = stretch.place
            if place.channel_id not in counted:
                outcomes.append(Recorded(excluded=place.is_in(facts[place.guild_id].excluded)))
                continue
            if len(stretch.messages) >= _MANY:
                await asyncio.sleep(0)  # everything else has a turn before
            outcome = self._judge(
                stretch, facts[place.guild_id], recorded[place.channel_id], stored.get(place.channel_id, [])
            )
            if isinstance(outcome, _Judged):
                judged.append(outcome)
                outcomes.append(outcome.recorded(facts[place.guild_id].managers))
            else:
                outcomes.append(outcome)
        await self._write(connection, judged, known)
        return outcomes

    def _judge(
        self, stretch: Stretch, guild: GuildFacts, recorded: Collection[Span], stored: Collection[StoredPlace]
    ) -> "_Judged | _Lacking":
        """Judge what of a stretch is not on record; `stored` is what files have of it."""
        stretch = stretch.for_managers(guild.managers)
        in_files = frozenset(one.message_id for one in stored if one.counted)
        undecided: frozenset[int] = frozenset()
        while True:
            unreadable = tuple(gap for one in stretch.missing(undecided) for gap in unrecorded(one, recorded))
            missing = unrecorded(stretch.whole, (*recorded, *unreadable))
            derived: list[Derived] = []
            for part in (stretch.part(span) for span in missing):
                outcome = derive(
                    part,
                    managers=guild.managers,
                    unrecorded=guild.unrecorded,
                    zone=guild.zone,
                    rules=self._rules,
                    gone=self._gone,
                    counted=in_files,
                )
                if not isinstance(outcome, Derived):
                    return _Lacking(stretch, outcome)
                derived.append(outcome)
            found = frozenset[int]().union(*(one.undecided for one in derived))
            if not found:
                return _Judged(stretch, tuple(zip(missing, derived, strict=True)), unreadable, undecided, tuple(stored))
            undecided |= found

    async def _write(
        self, connection: Connection, judged: "Sequence[_Judged]", known: Mapping[int, tuple[StoredSpan, ...]]
    ) -> None:
        """Write what some stretches say, with their spans and gaps; `known` are the spans that are stored."""
        touches: dict[int, list[Touch]] = {}
        waiting: dict[int, list[WaitingEntry]] = {}
        for one in judged:
            for span, facts in one.parts:
                if one.in_files(span):
                    await self._replace(connection, one, span, facts)
                else:
                    touches.setdefault(one.place.guild_id, []).extend(facts.touches)
                    waiting.setdefault(one.place.guild_id, []).extend(facts.waiting)
        await record.add_activity(connection, [(one.place, facts) for one in judged for _, facts in one.parts])
        await record.add_touches(connection, touches)
        await record.add_waiting(connection, waiting)
        added = [(one.place, span) for one in judged for span, _ in one.parts]
        self._spans.note(await spans.add_all(connection, added, known))
        for one in judged:
            for gap in one.unreadable:
                await spans.add_known_gap(
                    connection,
                    one.place.guild_id,
                    one.place.channel_id,
                    gap,
                    UNREADABLE,
                    parent_id=one.place.parent_id,
                )

    async def _replace(self, connection: Connection, judged: "_Judged", span: Span, facts: Derived) -> None:
        """Put what Discord tells of a span in the place of what files told."""
        place, in_files = judged.place, judged.in_files(span)
        elsewhere = {one.message_id for one in judged.stored if one.channel_id != place.channel_id}
        await record.move(connection, elsewhere & in_files, place.channel_id)
        told = {one.message_id for one in facts.touches} | {one.message_id for one in facts.waiting}
        await record.replace(connection, place, told | in_files, facts.touches, facts.waiting)

    async def read_again(
        self, stretch: Stretch, context: ContextSource, manager_ids: AbstractSet[int]
    ) -> tuple[Span, ...] | None:
        """Add the touches of people who became managers, and the messages that waited for them.

        The stretch must be on record already: activity is not counted again, and no span is extended. In the same
        transaction it is noted as read for them, but for the spans that are returned: their messages cannot be read, or
        not be judged without others that cannot. None if there is nothing to be read: none of these people is a
        manager any more, or the channel is excluded or deleted. Raises what `context` raises.
        """
        guild_id, channel_id = stretch.place.guild_id, stretch.place.channel_id
        while not stretch.place.is_in(self._gone_channels):
            async with self._database.writing() as connection:
                reading_for = manager_ids & await managers.people(connection, guild_id)
                if not reading_for or stretch.place.is_in(await guilds.excluded_channels(connection, guild_id)):
                    return None
                outcome = derive(
                    stretch,
                    managers=reading_for,
                    unrecorded=await forgetting.unrecorded(connection, guild_id),
                    zone=ZoneInfo("UTC"),  # matters for activity only, which is not used here
                    rules=self._rules,
                    gone=self._gone,
                )
                if isinstance(outcome, Derived):
                    await record.add_touches(connection, {guild_id: outcome.touches})
                    addressed = [entry for entry in outcome.waiting if entry.addressed]
                    await record.add_waiting(connection, {guild_id: addressed})
                    still, span = stretch.missing(outcome.undecided), Span(stretch.first_id, stretch.last_id)
                    await unread.read_for_managers(connection, guild_id, reading_for, channel_id, span, still)
                    return still
            stretch = await _with_needed(outcome, stretch, context)
        return None

    def ignore(self, message_ids: Iterable[int]) -> None:
        """Messages were deleted: in a page or batch that still contains them, they make no touch and do not wait."""
        self._gone.add(message_ids)

    async def take_back(self, message_ids: Collection[int]) -> None:
        """Delete the touches and waiting entries of deleted messages from the record, and `ignore` the messages."""
        async with self._database.writing() as connection:
            await record.take_back(connection, message_ids)
            self.ignore(message_ids)  # from now on, however long this had to wait for its turn

    async def take_back_channel(self, channel_id: int) -> None:
        """The same for a deleted channel and its threads; stretches of them that still arrive are dropped."""
        self._gone_channels.add([channel_id])
        async with self._database.writing() as connection:
            await record.take_back_channel(connection, channel_id)
            self._gone_channels.add([channel_id])  # from now on, however long this had to wait for its turn


@dataclass(frozen=True, slots=True)
class _Judged:
    """A stretch, with what each part of it says that was not on record.

    `unreadable` are the parts that cannot be read, or not be judged because of that, as the `undecided` messages;
    `stored` is what files have of it.
    """

    stretch: Stretch
    parts: tuple[tuple[Span, Derived], ...]
    unreadable: tuple[Span, ...]
    undecided: frozenset[int]
    stored: tuple[StoredPlace, ...]

    @property
    def place(self) -> Place:
        return self.stretch.place

    def in_files(self, span: Span) -> set[int]:
        """The messages in a span that files have, too."""
        # Where a thread repeats the message that it was started on, Discord does not tell that message.
        repeated = {one.message_id for one in self.stretch.messages if not one.counted} & {self.place.channel_id}
        return {one.message_id for one in self.stored if span.holds(one.message_id)} - repeated

    def recorded(self, managers: AbstractSet[int]) -> Recorded:
        """What writing it adds to the record."""
        messages = self.stretch.messages
        if [span for span, _ in self.parts] == [self.stretch.whole]:
            new = readable = len(messages)
        else:
            new = sum(any(span.holds(one.message_id) for span, _ in self.parts) for one in messages)
            readable = sum(one.readable and one.message_id not in self.undecided for one in messages)
        touches = Counter(
            touch.kind for _, facts in self.parts for touch in facts.touches if touch.member_id not in managers
        )
        return Recorded(
            new, readable - new, touches, unreadable=self.unreadable, judged=self.stretch, managers=managers
        )


@dataclass(frozen=True, slots=True)
class _Lacking:
    """A stretch that cannot be judged without something more."""

    stretch: Stretch
    need: ContextNeeded | OpenerNeeded


_Outcome = Recorded | _Lacking


@dataclass(eq=False, slots=True)
class _Request:
    """A stretch that waits to be recorded, and in the end what became of it. `alone`: nothing may be with it."""

    stretch: Stretch
    outcome: _Outcome | Exception | None = None
    alone: bool = False


async def _stored(connection: Connection, stretches: Sequence[Stretch]) -> dict[int, list[StoredPlace]]:
    """What files have of some stretches, by channel, wherever they have it."""
    if not stretches:
        return {}
    whole = {stretch.place.channel_id: stretch.whole for stretch in stretches}
    channels = {one.message_id: stretch.place.channel_id for stretch in stretches for one in stretch.messages}
    stored: dict[int, list[StoredPlace]] = {}
    for one in await evidence.stored_of(connection, whole, channels):
        here = {one.channel_id} if one.channel_id in whole and whole[one.channel_id].holds(one.message_id) else set()
        for channel_id in here | {channels.get(one.message_id, one.channel_id)}:
            stored.setdefault(channel_id, []).append(one)
    return stored


async def _with_needed(outcome: ContextNeeded | OpenerNeeded, stretch: Stretch, context: ContextSource) -> Stretch:
    return await (context.opened(stretch) if isinstance(outcome, OpenerNeeded) else context.earlier(stretch))
