"""The note that an answer is without messages that could not be written down."""

from collections.abc import Mapping

from bot.views.words.sentence import listing, say_count

_SHOWN = 5


def not_on_record_yet(unwritten: Mapping[int, int]) -> str:
    """How many messages of which channels are not on record yet; `unwritten` are their numbers by channel."""
    channels = [f"<#{channel_id}>" for channel_id in sorted(unwritten)]
    shown = listing(channels[:_SHOWN]) if len(channels) <= _SHOWN else f"{', '.join(channels[:_SHOWN])} …"
    return say_count(
        "{count} message in {channels} is not on record yet, and so in no figure. I keep trying.",
        "{count} messages in {channels} are not on record yet, and so in no figure. I keep trying.",
        count=sum(unwritten.values()),
        channels=shown,
    )
