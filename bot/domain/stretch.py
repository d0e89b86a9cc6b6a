"""A stretch: a contiguous piece of one channel's history, with earlier messages as context."""

from collections.abc import Collection, Container
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import groupby

from bot.domain.message import Message
from bot.domain.span import Span


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or thread.

    `parent_id` is the channel of a thread, if known. `opener_id` is the person who opened the thread
    (docs/rules.md#thread); None if it was not a person or this is not a thread. If `opener_known` is False, the opener
    has not been looked up yet; if `opener_unreadable` is True, it was, and cannot be told for now.
    """

    guild_id: int
    channel_id: int
    is_thread: bool = False
    opener_id: int | None = None
    parent_id: int | None = None
    opener_known: bool = True
    opener_unreadable: bool = False

    def is_in(self, channel_ids: Container[int]) -> bool:
        """Whether it is one of these channels, or a thread in one of them."""
        return self.channel_id in channel_ids or self.parent_id in channel_ids


@dataclass(frozen=True, slots=True)
class Stretch:
    """Every message of `place` from `first_id` to `last_id` (positions, both included), oldest first.

    `context` holds every message from `context_first_id` up to `first_id`, oldest first. It is used to judge, never
    recorded. A `context_first_id` equal to `first_id` means that there is no context; 0 means that nothing earlier
    exists or can be fetched. With `earlier_unknown`, what was before cannot be fetched and may exist all the same: what
    would depend on it is not derived.

    If `thinned_for` is given, the context before `thinned_until_id` lacks messages that matter only for managers that
    are not among these; see `for_managers`.
    """

    place: Place
    first_id: int
    last_id: int
    messages: tuple[Message, ...]
    context: tuple[Message, ...]
    context_first_id: int
    earlier_unknown: bool = False
    thinned_for: AbstractSet[int] | None = None
    thinned_until_id: int = 0

    def for_managers(self, managers: AbstractSet[int]) -> "Stretch":
        """The same stretch with that part of its context in which nothing is missing that matters for `managers`."""
        if self.thinned_for is None or managers <= self.thinned_for:
            return self
        first_id = self.thinned_until_id
        context = tuple(message for message in self.context if message.message_id >= first_id)
        return replace(self, context=context, context_first_id=first_id, thinned_for=None, thinned_until_id=0)

    @property
    def whole(self) -> Span:
        """From its first to its last position."""
        return Span(self.first_id, self.last_id)

    @property
    def knows_start(self) -> bool:
        """Whether the messages and their context reach back to the beginning of the channel."""
        earliest = min(self.first_id, self.context_first_id)
        return earliest <= self.place.channel_id  # a channel is older than everything in it

    def missing(self, undecided: Collection[int]) -> tuple[Span, ...]:
        """The spans whose messages cannot be read, or are `undecided`; each as long as no other one lies between."""
        if not undecided and all(message.readable for message in self.messages):
            return ()
        runs = groupby(self.messages, key=lambda one: not one.readable or one.message_id in undecided)
        ids = [[message.message_id for message in run] for missing, run in runs if missing]
        return tuple(Span(run[0], run[-1]) for run in ids)

    def part(self, span: Span) -> "Stretch":
        """The piece of this stretch inside `span`. Messages before the piece become its context."""
        if span == self.whole:
            return self
        return Stretch(
            place=self.place,
            first_id=span.first_id,
            last_id=span.last_id,
            messages=tuple(message for message in self.messages if span.holds(message.message_id)),
            context=self.context + tuple(message for message in self.messages if message.message_id < span.first_id),
            context_first_id=min(self.context_first_id, self.first_id),
            earlier_unknown=self.earlier_unknown,
            thinned_for=self.thinned_for,
            thinned_until_id=self.thinned_until_id,
        )
