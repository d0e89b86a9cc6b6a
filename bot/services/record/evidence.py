"""Adding the copies of messages in export files to what is known, and to the counts of messages."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from bot.domain.calendar import local_day
from bot.domain.evidence import UNDATED, Copy, Ends, ImportedChannel, corrected, home, is_told, kept, newest
from bot.domain.forgetting import Scope, Unrecorded
from bot.domain.message import MessageKind, is_named
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.services.record.first_copies import ChannelEnds, facts_kept, odd_places, unknown_targets, written
from bot.store import activity, evidence, forgetting, guilds, managers, record, spans
from bot.store.database import Connection
from bot.store.staged_piece import StagedPiece

_MOST_COUNTS = 50_000
"""So many counts of messages are gathered before they are written."""

Copies = Mapping[int, Copy]
"""The copies of one message, by channel: a thread may repeat the message that it was started on."""


class Evidence:
    """What is known of a guild's messages from files; grows by the files of one import, in one transaction.

    new: how many messages were added or changed something; known: how many did not.
    doubtful: by channel, from which message on it has to be judged again.
    unplaced: the threads that were left out, since they may be in an excluded channel: nothing tells where they are.
    """

    def __init__(
        self,
        connection: Connection,
        guild_id: int,
        *,
        manager_ids: frozenset[int],
        unrecorded: Unrecorded,
        excluded: Collection[int],
        zone: ZoneInfo,
        recorded: Mapping[int, Sequence[Span]],
        channels: dict[int, ImportedChannel],
        parents: Mapping[int, int],
    ) -> None:
        self._connection = connection
        self._guild_id = guild_id
        self._managers = manager_ids
        self._unrecorded = unrecorded
        self._excluded = excluded
        self._zone = zone
        self._recorded = recorded
        self._channels = channels
        self._parents = parents
        self._activity: defaultdict[date, Counter[int]] = defaultdict(Counter)
        self._ends: dict[int, Ends] = {}
        self._here = ChannelEnds(0)
        self._lost: defaultdict[int, set[int]] = defaultdict(set)
        self._targets: set[int] = set()
        self._given: Counter[int] = Counter()
        self.new = 0
        self.known = 0
        self.doubtful: dict[int, int] = {}
        self.unplaced: list[int] = []

    @classmethod
    async def of(cls, connection: Connection, guild_id: int) -> Self:
        """What is known of a guild so far."""
        return cls(
            connection,
            guild_id,
            manager_ids=await managers.people(connection, guild_id),
            unrecorded=await forgetting.unrecorded(connection, guild_id),
            excluded=await guilds.excluded_channels(connection, guild_id),
            zone=await guilds.recording_zone(connection, guild_id),
            recorded=await spans.of_guild(connection, guild_id),
            channels=await evidence.channels(connection, guild_id),
            parents=await spans.parents(connection, guild_id),
        )

    async def add_channels(self, found: Iterable[ImportedChannel]) -> tuple[int, ...]:
        """Add what files tell of channels; returns those that are not excluded, nor threads of one that is."""
        counted: list[ImportedChannel] = []
        for told in found:
            one, channel_id = self._with_what_is_known(told), told.place.channel_id
            if one.place.is_in(self._excluded):
                continue
            if one.place.is_thread and one.place.parent_id is None and self._excluded:
                self.unplaced.append(channel_id)
                continue
            known = self._channels.get(channel_id)
            if known is not None and one.begins != known.begins:
                self._doubt(channel_id, 0)
            self._channels[channel_id] = one
            counted.append(one)
        await evidence.save_channels(self._connection, counted)
        return tuple(one.place.channel_id for one in counted)

    def _with_what_is_known(self, told: ImportedChannel) -> ImportedChannel:
        """What files tell of a channel, with what earlier ones and the record tell."""
        place = told.place
        known = self._channels.get(place.channel_id)
        parent_id = place.parent_id or (known.place.parent_id if known is not None else None)
        parent_id = parent_id or self._parents.get(place.channel_id)
        parent = self._channels.get(parent_id or 0)
        return ImportedChannel(
            replace(
                place, is_thread=place.is_thread or (known is not None and known.place.is_thread), parent_id=parent_id
            ),
            begins=told.begins or (known is not None and known.begins),
            gone=any(one is not None and one.gone for one in (known, parent)),
        )

    async def add(self, channel_id: int, piece: StagedPiece) -> None:
        """Add copies of messages of one channel."""
        place = self._channels[channel_id].place
        stored = await evidence.with_ids(self._connection, piece.ids)
        told = any(self._recorded.get(one) for one in (channel_id, place.parent_id or 0))
        odd = set(range(len(piece))) if told else odd_places(piece, stored, self._is_free)
        if len(odd) < len(piece):
            await self._add_first_copies(place, piece, odd)
        if odd:
            await self._add_copies(place, [piece.copy(one) for one in sorted(odd)], stored, told=told)
        if sum(map(len, self._activity.values())) > _MOST_COUNTS:
            await self._write_counts()

    async def _add_first_copies(self, place: Place, piece: StagedPiece, odd: Collection[int]) -> None:
        """Add messages that nobody has told anything of yet, and that concern nobody who has objected."""
        channel_id, messages = place.channel_id, len(piece) - len(odd)
        ids = piece.ids if not odd else [one for at, one in enumerate(piece.ids) if at not in odd]
        self.new += messages
        self._given[channel_id] += messages
        self._doubt(channel_id, ids[0])
        await self._doubt_what_depends_on(ids)  # what stands in the piece itself is doubted anyway
        authors = await evidence.authors(self._connection, unknown_targets(piece, odd, self._managers))
        facts = facts_kept(piece, odd, self._managers, authors)
        counted = written(piece, odd, self._zone)
        for day, people in counted.by_day():
            self._activity[day].update(people)
        if self._here.channel_id != channel_id:
            self._leave_channel(channel_id)
        self._here.add(counted)
        days = ((day, counted.places[start:end]) for day, start, end in counted.days)
        await evidence.save_piece(self._connection, place, piece, odd, facts, days)
        self._targets.update(target_id for _, target_id, _ in facts.values() if target_id is not None)

    async def _add_copies(
        self, place: Place, found: Sequence[tuple[Copy, bool]], stored: Mapping[int, Copies], *, told: bool
    ) -> None:
        """Add copies one by one, each with whether its reply's target is in one of the files."""
        channel_id = place.channel_id
        copies = await self._kept([copy for copy, _ in found], [known for _, known in found])
        saved: list[Copy] = []
        changed: list[int] = []
        moved: defaultdict[int, list[int]] = defaultdict(list)
        for copy in copies:
            message_id = copy.message.message_id
            before = stored.get(message_id, {})
            if not before and not told and copy.message.kind is not MessageKind.STARTER:
                saved.append(self._first_copy(channel_id, copy))
                changed.append(message_id)
                continue
            now, is_change = self._another_copy(channel_id, copy, before, moved)
            if is_change:
                changed.append(message_id)
            if now is not None:
                saved.append(now)
        if changed:
            self._doubt(channel_id, min(changed))
        await evidence.save(self._connection, place, saved)
        for other, message_ids in moved.items():
            await evidence.count_elsewhere(self._connection, other, message_ids)
        targets = (copy.message.reply_to_id for copy in saved)
        self._targets.update(target for target in targets if target is not None)
        await self._doubt_what_depends_on(changed)

    def doubt_everything(self) -> None:
        """Have everything judged again that was imported, of files that were imported before, too."""
        self.doubtful = dict.fromkeys(self._channels, 0)

    async def whole(self) -> tuple[int, ...]:
        """The channels of which every message that is known from files is in those of this import, none older."""
        known = await evidence.counts(self._connection, self._guild_id)
        return tuple(channel_id for channel_id, count in known.items() if self._given[channel_id] == count)

    async def finish(self) -> None:
        """Write what the files add to people's activity, and take off what they tell to be somebody else's."""
        # A file may hold an older copy of a reply's target than an earlier import, by another author.
        await evidence.forget_targets(self._connection, self._targets, self._managers)
        await self._write_counts()
        self._leave_channel(0)
        await record.add_ends(self._connection, self._guild_id, self._ends)
        found = await evidence.ends_of(self._connection, self._guild_id, self._lost)
        days = await activity.days_of(self._connection, self._guild_id, self._lost)
        for member_id, gone in self._lost.items():
            ends = await record.ends_of(self._connection, self._guild_id, member_id)
            if ends is not None:
                left = corrected(ends, gone, found.get(member_id), days.get(member_id), self._zone)
                await record.set_ends(self._connection, self._guild_id, member_id, left)

    async def _write_counts(self) -> None:
        await record.add_counts(self._connection, self._guild_id, self._activity)
        self._activity.clear()

    def _first_copy(self, channel_id: int, copy: Copy) -> Copy:
        """Count a message that nobody has told anything of yet; returns the copy, with the day on which it counts."""
        self._given[channel_id] += 1
        self.new += 1
        author_id = self._counts_for(copy)
        if author_id is None:
            return copy
        message_id = copy.message.message_id
        counted_on = local_day(copy.message.sent_at, self._zone)
        self._activity[counted_on][author_id] += 1
        self._add_ends(author_id, Ends(message_id, channel_id, message_id, channel_id))
        return Copy(copy.message, copy.exported_at, copy.reduced, copy.deleted, counted_on)

    def _another_copy(
        self, channel_id: int, copy: Copy, before: Copies, moved: Mapping[int, list[int]]
    ) -> tuple[Copy | None, bool]:
        """Count a message of which something is known already, or may be; where it counts no more goes to `moved`.

        Returns the copy to store, if it has to be, and whether it changes something about the message.
        """
        message_id, known = copy.message.message_id, before.get(channel_id)
        now = newest(known, copy)
        # A newer copy is kept as it concerned the managers of its time: an older one tells nothing of the new ones.
        self._given[channel_id] += known is None or known.deleted or copy.exported_at >= known.exported_at
        if known is not None:
            now = replace(now, counted_on=known.counted_on)
            if _facts(now) == _facts(known):
                self.known += 1
                return (now if now.exported_at != known.exported_at else None), False
        if self._is_told(message_id, {**before, channel_id: now}):
            self.known += 1
        else:
            self.new += 1
            counted_on, where = self._recount(message_id, before, {**before, channel_id: now})
            now = replace(now, counted_on=counted_on if where == channel_id else None)
            for other in before.keys() - {channel_id, where}:
                moved[other].append(message_id)
        for where in before:
            self._doubt(where, message_id)
        return now, True

    async def _kept(self, copies: Sequence[Copy], staged: Sequence[bool]) -> list[Copy]:
        """What may be stored of some copies; `staged` are those whose reply's target is in one of the files."""
        targets = [copy.message.reply_to_id for copy in copies]
        authors = await evidence.authors(self._connection, {target for target in targets if target is not None})
        result: list[Copy] = []
        for copy, target, in_files in zip(copies, targets, staged, strict=True):
            if target is None and not copy.message.mentions and self._is_free(copy.message.author_id):
                result.append(copy)  # there is nothing to leave out
                continue
            author_id = copy.message.reply_to_author_id if in_files else authors.get(target or 0)
            known = in_files or target in authors
            others = known and author_id not in self._managers
            result.append(kept(copy, self._managers, self._hidden, target_is_known=others))
        return result

    def _is_free(self, person_id: int | None) -> bool:
        """Whether a person, if there is one, never objected to anything."""
        return person_id is None or self._unrecorded.objection(person_id, Scope.MEMBER) is None

    def _hidden(self, person_id: int, sent_at: datetime) -> bool:
        if person_id in self._managers:
            return self._unrecorded.as_manager(person_id, sent_at)
        return self._unrecorded.as_member(person_id, sent_at)

    def _recount(self, message_id: int, before: Copies, now: Copies) -> tuple[date | None, int | None]:
        """Count one message for whoever is its author by its copies, if that is new.

        Returns the day on which it counts, and of which channel the copy is; None if it does not. The day stays,
        whatever zone the guild has since. What Discord told is not to be counted again.
        """
        old = next((copy for copy in before.values() if copy.counted_on is not None), None)
        where = home(now)
        copy = None if where is None else now[where]
        author_id = None if copy is None else self._counts_for(copy)
        counted_on = old.counted_on if old is not None else None
        old_author_id = old.message.author_id if old is not None else None
        if old_author_id is not None and counted_on is not None and old_author_id != author_id:
            self._activity[counted_on][old_author_id] -= 1
            self._lost[old_author_id].add(message_id)
        if copy is None or where is None or author_id is None:
            return None, None
        counted_on = counted_on or local_day(copy.message.sent_at, self._zone)
        if author_id != old_author_id:
            self._activity[counted_on][author_id] += 1
        self._add_ends(author_id, Ends(message_id, where, message_id, where))
        return counted_on, where

    def _counts_for(self, copy: Copy) -> int | None:
        """Whose message it is, if it counts and its author may be recorded."""
        message, author_id = copy.message, copy.message.author_id
        if author_id is None or not message.counted or not is_named(author_id):
            return None
        if self._is_free(author_id):
            return author_id
        return None if self._unrecorded.as_member(author_id, message.sent_at) else author_id

    def _leave_channel(self, next_id: int) -> None:
        for author_id, ends in self._here.ends():
            self._add_ends(author_id, ends)
        self._here = ChannelEnds(next_id)

    def _add_ends(self, author_id: int, ends: Ends) -> None:
        known = self._ends.get(author_id)
        self._ends[author_id] = ends if known is None else known.joined(ends)

    def _is_told(self, message_id: int, copies: Copies) -> bool:
        """Whether Discord told a message where it was written. It counted it, then, if it counts."""
        channel = self._channels.get(home(copies) or 0)
        return channel is not None and is_told(channel.place, message_id, self._recorded)

    def _doubt(self, channel_id: int, message_id: int) -> None:
        self.doubtful[channel_id] = min(self.doubtful.get(channel_id, message_id), message_id)

    async def _doubt_what_depends_on(self, changed: Collection[int]) -> None:
        """Doubt the replies to messages that changed, and the threads that were started on them."""
        answered = await evidence.replied_to(self._connection, changed)
        for channel_id, message_id, author_id in await evidence.replies_to(self._connection, answered):
            if author_id is not None:
                self._doubt(channel_id, message_id)
        self._targets |= answered
        for message_id in self._channels.keys() & set(changed):
            self._doubt(message_id, 0)


def _facts(copy: Copy) -> Copy:
    return replace(copy, exported_at=UNDATED, counted_on=None)
