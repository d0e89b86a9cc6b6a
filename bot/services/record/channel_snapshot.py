"""A channel or thread as Discord shows it at one moment."""

from dataclasses import dataclass

from bot.domain.stretch import Place


@dataclass(frozen=True, slots=True)
class ChannelSnapshot:
    """A channel or thread, and the id of its newest message: 0 if it has none.

    `stale`: messages newer than `last_message_id` may exist, because the channel was hidden, or its newest message
    cannot be told.
    """

    place: Place
    last_message_id: int
    stale: bool = False
