"""Judging again what export files tell, whenever another file may have changed it."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from bot.domain.derivation import Derived, derive
from bot.domain.evidence import ImportedChannel, is_told, opener_of
from bot.domain.forgetting import Unrecorded
from bot.domain.message import Message
from bot.domain.relevance import Outline, looked_at, looked_at_by_concern
from bot.domain.rules import Rules
from bot.domain.snowflake import HIGHEST_ID, first_id_at, moment_of
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import TouchKind
from bot.store import evidence, forgetting, judged_messages, managers, record, spans
from bot.store.database import Connection
from bot.store.judged_messages import JudgedMessage

_PIECE = 5000
_CONTEXT = 200


async def judge_again(
    connection: Connection, guild_id: int, doubtful: Mapping[int, int], rules: Rules
) -> Counter[TouchKind]:
    """Judge the imported messages of some channels anew, each from a position on; counts new touches on members.

    What lies in a span is left as it is: Discord told it. Rows that are not derived any more are deleted. What the
    files do not tell (who opened a thread, who wrote a reply's target) makes no fact.
    """
    known = await evidence.channels(connection, guild_id)
    judge = _ChannelJudge(
        connection,
        manager_ids=await managers.people(connection, guild_id),
        unrecorded=await forgetting.unrecorded(connection, guild_id),
        rules=rules,
    )
    recorded = await spans.of_guild(connection, guild_id)
    on_record = await record.messages_with_facts(connection, guild_id, doubtful)
    touches: Counter[TouchKind] = Counter()
    # A message that stands in two channels is judged in the lower one, after its row of the other was deleted.
    for channel_id in sorted(doubtful, reverse=True):
        facts = on_record.get(channel_id, set())
        touches += await judge.channel(known[channel_id], doubtful[channel_id], recorded, facts)
    return touches


@dataclass(frozen=True, slots=True)
class _Some:
    """Messages of a channel, oldest first: those within the `bounds`, and what was before. `own` are to be judged."""

    found: Sequence[JudgedMessage]
    own: AbstractSet[int]
    bounds: Span


class _ChannelJudge:
    def __init__(
        self, connection: Connection, *, manager_ids: AbstractSet[int], unrecorded: Unrecorded, rules: Rules
    ) -> None:
        self._connection = connection
        self._managers = manager_ids
        self._unrecorded = unrecorded
        self._rules = rules

    async def channel(
        self,
        channel: ImportedChannel,
        from_id: int,
        recorded: Mapping[int, tuple[Span, ...]],
        on_record: AbstractSet[int],
    ) -> Counter[TouchKind]:
        """Judge a channel from a position on, in pieces; what Discord told is not touched.

        `on_record` are the messages of which the record has facts in this channel.
        """
        first = await judged_messages.first_message(self._connection, channel.place.channel_id)
        begins = channel.begins or (first is not None and first.message_id == channel.place.channel_id)
        place = await self._with_opener(channel.place, first, begins=begins)
        touches: Counter[TouchKind] = Counter()
        if not place.is_thread:
            async for some, since in self._concerning(place, from_id, on_record):
                touches += await self._judged(channel, place, some, since, recorded, begins=begins)
            return touches
        before: list[Outline] = []
        while rows := await judged_messages.outlines(self._connection, place.channel_id, from_id, _PIECE):
            touches += await self._piece(channel, place, before, rows, recorded, on_record, begins=begins)
            from_id = rows[-1][0] + 1
            before = (before + rows)[-_CONTEXT:]
        return touches

    async def _concerning(
        self, place: Place, from_id: int, on_record: AbstractSet[int]
    ) -> "AsyncIterator[tuple[_Some, int]]":
        """What is looked at of a channel that is no thread from a position on, and from where on that is all.

        That is what concerns managers, or is on record, and what was before a message that may be an answer.
        """
        connection, channel_id = self._connection, place.channel_id
        looks_back = max(self._rules.answer_within, self._rules.answer_after_address)
        since = first_id_at(moment_of(from_id) - looks_back)
        earlier = await judged_messages.concerns(connection, channel_id, since, self._managers, before_id=from_id)
        ended = False
        while not ended:
            rows = await judged_messages.concerns(connection, channel_id, from_id, self._managers, limit=_PIECE)
            ended = len(rows) < _PIECE
            last_id = HIGHEST_ID if ended else rows[-1][0]
            known = {one for one in on_record if from_id <= one <= last_id}
            looked = looked_at_by_concern([*earlier, *rows], len(earlier), known, self._rules)
            own = looked.judged | known
            found = await judged_messages.messages_of(connection, channel_id, own | looked.before)
            yield _Some(found, own, Span(from_id, last_id)), since
            if rows:
                since = first_id_at(moment_of(last_id) - looks_back)
                earlier = [one for one in (*earlier, *rows) if one[0] >= since]
                from_id = last_id + 1

    async def _piece(
        self,
        channel: ImportedChannel,
        place: Place,
        before: Sequence[Outline],
        rows: Sequence[Outline],
        recorded: Mapping[int, tuple[Span, ...]],
        on_record: AbstractSet[int],
        *,
        begins: bool,
    ) -> Counter[TouchKind]:
        """Judge some messages of a channel by them and those right before them, as far as the rules look at them."""
        first_id = rows[0][0]
        outlines = [*before, *rows]
        looked = looked_at(outlines, len(before), is_thread=place.is_thread, managers=self._managers, rules=self._rules)
        wanted = {outlines[one][0] for one in looked} | (on_record & {row[0] for row in rows})
        found = await judged_messages.messages_of(self._connection, place.channel_id, wanted)
        if not found or found[-1].message.message_id < first_id:
            return Counter()
        some = _Some(found, own={row[0] for row in rows}, bounds=Span(first_id, rows[-1][0]))
        return await self._judged(channel, place, some, before[0][0] if before else first_id, recorded, begins=begins)

    async def _judged(
        self,
        channel: ImportedChannel,
        place: Place,
        some: "_Some",
        context_first_id: int,
        recorded: Mapping[int, tuple[Span, ...]],
        *,
        begins: bool,
    ) -> Counter[TouchKind]:
        """Judge some messages of a channel, of which all that counts is there from `context_first_id` on."""
        bounds = some.bounds
        stretch = Stretch(
            place,
            bounds.first_id,
            bounds.last_id,
            tuple(one.message for one in some.found if bounds.holds(one.message.message_id)),
            tuple(one.message for one in some.found if one.message.message_id < bounds.first_id),
            context_first_id,
        )
        stretch, derived = await self._derived(stretch, begins=begins)
        messages = stretch.messages
        own = {
            one.message_id
            for one in messages
            if one.message_id in some.own and not is_told(place, one.message_id, recorded)
        }
        judged = own.difference(one.message.message_id for one in some.found if one.elsewhere)
        if channel.gone:
            judged = set()
        aged = await self._aged(place, [one for one in messages if one.message_id in own], begins=begins)
        await self._complete(place, derived, aged & judged)
        own -= aged
        judged -= aged
        new = await record.replace(
            self._connection,
            place,
            own,
            [touch for touch in derived.touches if touch.message_id in judged],
            [entry for entry in derived.waiting if entry.message_id in judged],
        )
        return Counter(touch.kind for touch in new if touch.member_id not in self._managers)

    async def _aged(self, place: Place, messages: Sequence[Message], *, begins: bool) -> set[int]:
        """Those of some messages whose facts were judged by others that are deleted for their age since.

        A reply's target was stored when it made a fact of the reply, and so was what told a thread's opener. They are
        not judged without it: what is on record of them stays.
        """
        wrote = {one.message_id: one.author_id for one in messages}
        replies = {
            one.message_id: one.reply_to_id
            for one in messages
            if one.reply_to_id is not None and one.reply_to_author_id is None
        }
        stored = await evidence.authors(self._connection, set(replies.values()))
        found = await record.facts_of_replies(
            self._connection, [one for one, target_id in replies.items() if target_id not in stored]
        )
        if place.is_thread and not begins and await judged_messages.starter(self._connection, place.channel_id) is None:
            found |= await record.facts_of_threads(self._connection, wrote)
        return {message_id for message_id, author_id in found if wrote[message_id] == author_id}

    async def _complete(self, place: Place, derived: Derived, aged: AbstractSet[int]) -> None:
        """Add what is derived of such messages, as for a new manager, to what is on record of them."""
        touches = [touch for touch in derived.touches if touch.message_id in aged]
        waiting = [entry for entry in derived.waiting if entry.message_id in aged]
        await record.add_touches(self._connection, {place.guild_id: touches})
        await record.add_waiting(self._connection, {place.guild_id: waiting})

    async def _with_opener(self, place: Place, first: Message | None, *, begins: bool) -> Place:
        if not place.is_thread:
            return place
        starter = await judged_messages.starter(self._connection, place.channel_id)
        return replace(place, opener_id=opener_of(starter, first, begins=begins))

    async def _derived(self, stretch: Stretch, *, begins: bool) -> tuple[Stretch, Derived]:
        """What a stretch says, and the stretch with as much context as that took."""
        while True:
            outcome = derive(
                stretch,
                managers=self._managers,
                unrecorded=self._unrecorded,
                zone=_ANY_ZONE,
                rules=self._rules,
                counted=_EVERYTHING,
            )
            if isinstance(outcome, Derived):
                return stretch, outcome
            stretch = await self._earlier(stretch, begins=begins)

    async def _earlier(self, stretch: Stretch, *, begins: bool) -> Stretch:
        """The stretch with more context. If there is none, it is the beginning, or what was before is unknown."""
        before_id = min(stretch.first_id, stretch.context_first_id)
        found = await judged_messages.messages_before(self._connection, stretch.place.channel_id, before_id, _CONTEXT)
        first_id = found[0].message_id if found else before_id
        ended = len(found) < _CONTEXT
        return replace(
            stretch,
            context=found + stretch.context,
            context_first_id=0 if ended and begins else first_id,
            earlier_unknown=ended and not begins,
        )


class _Everything:
    def __contains__(self, message_id: object) -> bool:
        return True


_EVERYTHING = _Everything()
"""The activity of every message was counted when its file was read."""
_ANY_ZONE = ZoneInfo("UTC")
"""Matters for activity only."""
