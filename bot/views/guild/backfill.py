"""What `/backfill` says."""

from bot.views.words.sentence import number, say, say_count


def backfill_progress(*, channels: int, done: int, messages: int, running: bool) -> str:
    """How far a backfill is, or that it has ended."""
    read = say_count("{count} message read", "{count} messages read", count=messages)
    if not running:
        if done < channels or not channels:
            return say("Stopped, with {read}. What was read stays on record.", read=read)
        return say("Done: {read} in {channels} channels and threads.", read=read, channels=number(channels))
    if not channels:
        return say("Looking for channels and threads …")
    return say(
        "Reading history: {done} of {channels} channels and threads, {read}. This goes on by itself, also after a "
        "restart.",
        done=number(done),
        channels=number(channels),
        read=read,
    )


def backfill_cancelled(count: int) -> str:
    """The answer to `/backfill cancel`."""
    if not count:
        return say("No history is being read.")
    return say("Stopped. What was read stays on record.")
