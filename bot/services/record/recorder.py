"""The only way for messages to become facts: live events, history pages and export files are recorded alike."""

from collections import Counter
from collections.abc import Collection, Container, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain.derivation import ContextNeeded, Derived, OpenerNeeded, derive
from bot.domain.rules import Rules
from bot.domain.span import Span, unrecorded
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import TouchKind
from bot.services.record.recent_ids import RecentIds
from bot.store import evidence, forgetting, guilds, managers, record, spans, unread
from bot.store.database import Connection, Database
from bot.store.evidence import StoredPlace

UNREADABLE = "What Discord sends of it cannot be read"
"""The reason of a known gap."""


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
    cannot be read.
    """

    messages: int = 0
    known: int = 0
    touches: Counter[TouchKind] = field(default_factory=Counter)
    excluded: bool = False
    unreadable: tuple[Span, ...] = ()

    def __add__(self, other: "Recorded") -> "Recorded":
        return Recorded(
            self.messages + other.messages,
            self.known + other.known,
            self.touches + other.touches,
            unreadable=self.unreadable + other.unreadable,
        )


class Recorder:
    """Derives facts from stretches and writes them with the span they came from, in one transaction per stretch.

    Recording is idempotent: a stretch may be given any number of times and in any order, since whatever lies in a
    span that is on record is skipped. Where messages were imported, they are not counted again, and what is derived
    from the stretch takes the place of what their files told. Of an excluded channel nothing is recorded, and no span.
    A message that cannot be read becomes a known gap, as does one that cannot be judged without it, and the rest of its
    stretch is recorded.

    What was deleted is remembered for as long as a page that was fetched before may be on its way here: some minutes.
    Whoever holds a message for longer has to `ignore` it once more before recording it.
    """

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database = database
        self._rules = rules
        self._gone = RecentIds()
        self._gone_channels = RecentIds()

    @property
    def gone(self) -> Container[int]:
        """The messages that were deleted lately."""
        return self._gone

    async def record(self, stretch: Stretch, context: ContextSource) -> Recorded:
        """Record a stretch. Only if a rule needs earlier messages or a thread's opener, `context` is asked for them.

        Raises StoreError, and what `context` raises; then nothing of the stretch is recorded.
        """
        while True:
            async with self._database.writing() as connection:
                outcome = await self._record(connection, stretch)
            if isinstance(outcome, Recorded):
                return outcome
            stretch = await _with_needed(outcome, stretch, context)

    async def excludes(self, place: Place) -> bool:
        """Whether a channel is excluded by the guild's settings, so that nothing of it is recorded."""
        async with self._database.reading() as connection:
            return await _excluded(connection, place)

    async def _record(self, connection: Connection, stretch: Stretch) -> Recorded | ContextNeeded | OpenerNeeded:
        place = stretch.place
        if await _excluded(connection, place):
            return Recorded(excluded=True)
        if place.is_in(self._gone_channels):
            return Recorded()
        zone = await guilds.recording_zone(connection, place.guild_id)
        manager_ids = await managers.people(connection, place.guild_id)
        unrecorded_people = await forgetting.unrecorded(connection, place.guild_id)
        recorded = await spans.of_channel(connection, place.channel_id)
        whole = Span(stretch.first_id, stretch.last_id)
        stored = await evidence.stored_of(
            connection, place.channel_id, whole, [one.message_id for one in stretch.messages]
        )
        counted = frozenset(one.message_id for one in stored if one.counted)
        undecided: frozenset[int] = frozenset()
        while True:
            unreadable = tuple(gap for one in stretch.missing(undecided) for gap in unrecorded(one, recorded))
            missing = unrecorded(whole, (*recorded, *unreadable))
            parts = [stretch.part(span) for span in missing]
            derived: list[Derived] = []
            for part in parts:
                outcome = derive(
                    part,
                    managers=manager_ids,
                    unrecorded=unrecorded_people,
                    zone=zone,
                    rules=self._rules,
                    gone=self._gone,
                    counted=counted,
                )
                if not isinstance(outcome, Derived):
                    return outcome
                derived.append(outcome)
            found = frozenset[int]().union(*(one.undecided for one in derived))
            if not found:
                break
            undecided |= found
        touches: Counter[TouchKind] = Counter()
        for span, facts in zip(missing, derived, strict=True):
            await self._write(connection, stretch, span, facts, [one for one in stored if span.holds(one.message_id)])
            touches.update(touch.kind for touch in facts.touches if touch.member_id not in manager_ids)
        for gap in unreadable:
            await spans.add_known_gap(
                connection, place.guild_id, place.channel_id, gap, UNREADABLE, parent_id=place.parent_id
            )
        new = sum(len(part.messages) for part in parts)
        readable = sum(one.readable and one.message_id not in undecided for one in stretch.messages)
        return Recorded(new, readable - new, touches, unreadable=unreadable)

    async def _write(
        self, connection: Connection, stretch: Stretch, span: Span, facts: Derived, stored: Collection[StoredPlace]
    ) -> None:
        """Write what a span says; `stored` is what files have of it."""
        place = stretch.place
        await record.add_activity(connection, place, facts)
        # Where a thread repeats the message that it was started on, Discord does not tell that message.
        repeated = {one.message_id for one in stretch.messages if not one.counted} & {place.channel_id}
        imported = {one.message_id for one in stored} - repeated
        if imported:  # what Discord tells takes the place of what files told
            elsewhere = {one.message_id for one in stored if one.channel_id != place.channel_id}
            await record.move(connection, elsewhere - repeated, place.channel_id)
            told = {one.message_id for one in facts.touches} | {one.message_id for one in facts.waiting}
            await record.replace(connection, place, told | imported, facts.touches, facts.waiting)
        else:
            await record.add_touches(connection, place.guild_id, facts.touches)
            await record.add_waiting(connection, place.guild_id, facts.waiting)
        await spans.add(connection, place, span)

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
                if not reading_for or await _excluded(connection, stretch.place):
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
                    await record.add_touches(connection, guild_id, outcome.touches)
                    addressed = [entry for entry in outcome.waiting if entry.addressed]
                    await record.add_waiting(connection, guild_id, addressed)
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


async def _excluded(connection: Connection, place: Place) -> bool:
    return place.is_in(await guilds.excluded_channels(connection, place.guild_id))


async def _with_needed(outcome: ContextNeeded | OpenerNeeded, stretch: Stretch, context: ContextSource) -> Stretch:
    return await (context.opened(stretch) if isinstance(outcome, OpenerNeeded) else context.earlier(stretch))
