"""What `/backfill` says, and `/status` of history that has still to be read."""

from collections.abc import Iterator, Mapping

from bot.domain.history_job import LeftOut
from bot.services.record.job_progress import JobProgress
from bot.views.guild.permissions import channel_list, on_purpose
from bot.views.words.sentence import number, say, say_count


def backfill_progress(job: JobProgress) -> str:
    """How far a job that reads history is, or that it has ended, or what it has still to read and why."""
    read = say_count("{count} message read", "{count} messages read", count=job.messages)
    done, channels = number(job.done), number(job.channels)
    if job.left_out:
        so_far = say(
            "So far: {read} in {done} of {channels} channels and threads.", read=read, done=done, channels=channels
        )
        return "\n".join((so_far, *left_to_read(job.left_out)))
    if job.finished or (not job.running and 0 < job.channels <= job.done):
        return say("Done: {read} in {channels} channels and threads.", read=read, channels=channels)
    if not job.running:
        return say("Stopped, with {read}. What was read stays on record.", read=read)
    if not job.channels:
        return say("Looking for channels and threads …")
    return say(
        "Reading history: {done} of {channels} channels and threads, {read}. This goes on by itself, also after a "
        "restart.",
        done=done,
        channels=channels,
        read=read,
    )


def left_to_read(left_out: Mapping[LeftOut, tuple[int, ...]]) -> Iterator[str]:
    """Where there is history to read that could not be read, a line for each reason."""
    for reason, channel_ids in sorted(left_out.items()):
        channels = channel_list(channel_ids)
        match reason:
            case LeftOut.FORBIDDEN:
                yield say(
                    "There is history to read in {channels}, and I may not read it there. It is read once I may.",
                    channels=channels,
                )
                yield on_purpose()
            case LeftOut.UNANSWERED:
                yield say(
                    "There is history to read in {channels}, and that failed. It is tried again within a quarter of an "
                    "hour.",
                    channels=channels,
                )
            case LeftOut.UNREADABLE:
                yield say(
                    "There is history to read in {channels}, and some of what Discord sends of it cannot be read. It "
                    "is tried again, later and later, up to once a day.",
                    channels=channels,
                )


def backfill_cancelled(count: int) -> str:
    """The answer to `/backfill cancel`."""
    if not count:
        return say("No history is being read.")
    return say("Stopped. What was read stays on record.")
