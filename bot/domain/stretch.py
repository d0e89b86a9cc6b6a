"""A stretch: a contiguous piece of one channel's history, with what came before it to judge it by."""

from dataclasses import dataclass

from bot.domain.message import Message


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or thread. `opener_id` is the person who opened the thread (R3), None if no person or no thread."""

    guild_id: int
    channel_id: int
    is_thread: bool = False
    opener_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Every message of `place` from `first_id` to `last_id` (positions, both included), oldest first.

    `context` holds every message from `context_first_id` up to `first_id`, oldest first: it is judged by, never
    recorded. A `context_first_id` equal to `first_id` means no context was brought; 0 means that nothing earlier
    exists or can be had.
    """

    place: Place
    first_id: int
    last_id: int
    messages: tuple[Message, ...]
    context: tuple[Message, ...]
    context_first_id: int
