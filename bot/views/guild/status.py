"""What `/status` says: how Spade is doing on this server."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.delivery import Delivery, DeliveryState
from bot.services.guild.status import StatusFacts
from bot.views.guild.backfill import backfill_progress, left_to_read
from bot.views.guild.permissions import channel_list, lacking, on_purpose
from bot.views.guild.trouble import not_done
from bot.views.kit.letter import Card, Field, Letter
from bot.views.kit.palette import REACH, SPREAD, embed_colour
from bot.views.kit.unwritten import not_on_record_yet
from bot.views.words.dates import day_label, discord_time, week_label
from bot.views.words.names import safe_name
from bot.views.words.sentence import listing, say, say_count

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What the connection to Discord knows. `missing` are the permissions Spade lacks, by channel.

    `time_unsure`: for some minutes now it has not been certain what time it is. `unavailable`: Discord does not show
    the server, or what it sent of it cannot be read.
    """

    version: str
    connected_at: datetime | None
    missing: Mapping[int, Sequence[str]]
    time_unsure: bool = False
    unavailable: bool = False


def status_letter(facts: StatusFacts, connection: ConnectionState) -> Letter:
    """How Spade is doing, and what to do about each problem."""
    trouble = list(dict.fromkeys(_trouble(facts, connection)))  # what ends two notes is said once
    card = Card(
        title=say("Everything is in order") if not trouble else say("Spade works, with something to look at"),
        description="\n".join(trouble) or None,
        fields=(
            Field(say("Recording"), "\n".join(_recording(facts, connection))),
            Field(say("Sending"), "\n".join(_sending(facts))),
        ),
        footer=say("Spade {version}", version=connection.version),
        colour=embed_colour(SPREAD if trouble else REACH),
    )
    return Letter(cards=(card.fitted(),))


def _recording(facts: StatusFacts, connection: ConnectionState) -> Iterator[str]:
    if connection.connected_at is not None:
        yield say("Connected since {when}.", when=discord_time(connection.connected_at, "f"))
    if facts.recorded_until is None:
        yield say("Nothing is on record yet.")
    else:
        yield say_count(
            "Recorded up to {when}, in {count} channel or thread.",
            "Recorded up to {when}, in {count} channels and threads.",
            count=facts.channels,
            when=discord_time(facts.recorded_until, "f"),
        )
    if facts.behind:
        yield say_count("{count} channel is catching up.", "{count} channels are catching up.", count=facts.behind)
    for job in facts.jobs:
        if job.running:
            yield backfill_progress(job)


def _sending(facts: StatusFacts) -> Iterator[str]:
    yield _digest(facts, facts.digest)
    if facts.manager is None:
        return
    if facts.manager.enrolled_at is None:
        yield say("Your nudges are off. `/nudges on` turns them on.")
    elif facts.next_nudge_on is None:
        yield say("No nudge can reach you now: see `/nudges status`.")
    else:
        yield say(
            "Your next nudge can come on {day} at {hour}.",
            day=day_label(facts.next_nudge_on),
            hour=f"{facts.manager.nudge_hour:02}:00",
        )


def _digest(facts: StatusFacts, digest: Delivery | None) -> str:  # noqa: PLR0911 - one sentence a case
    if digest is None:
        if facts.settings.digest_channel_id is None:
            return say("No channel is chosen for the digest.")
        return say("No digest has been posted yet.")
    week = week_label(digest.due_on)
    match digest.state:
        case DeliveryState.SENT:
            return say("Last digest: {week}, posted {when}.", week=week, when=discord_time(digest.claimed_at))
        case DeliveryState.REFUSED:
            return say("The digest of {week} was not posted.", week=week)
        case DeliveryState.PENDING:
            return say("The digest of {week} is not posted yet.", week=week)
        case DeliveryState.NOTHING:
            return say("There was nothing to post for {week}.", week=week)
        case _:
            return say("The digest of {week} is on its way; Discord has not confirmed it yet.", week=week)


def _trouble(facts: StatusFacts, connection: ConnectionState) -> Iterator[str]:
    if connection.time_unsure:
        yield say(
            "I am not certain what time it is, because this machine's clock and Discord's answers disagree, or Discord "
            "does not answer. Until I am, nothing is sent and nothing expires."
        )
    if connection.unavailable:
        yield say(
            "Discord does not show me all of this server just now. Until it does, nothing is recorded or sent here; "
            "then I fetch what was missed."
        )
    for channels, names in lacking(connection.missing):
        yield say("In {channel} I am missing: {permissions}.", channel=channels, permissions=names)
    if connection.missing.keys() - {facts.settings.digest_channel_id}:  # it is read in the others
        yield on_purpose()
    if facts.gaps:
        yield say_count(
            "{count} stretch of messages is missing from the record, in {channels}. It is fetched once it can be read.",
            "{count} stretches of messages are missing from the record, in {channels}. They are fetched once they can "
            "be read.",
            count=sum(facts.gaps.values()),
            channels=channel_list(sorted(facts.gaps)),
        )
    yield from left_to_read(facts.left_out)
    if facts.stopped:
        yield say("Reading the history has stopped before its end. It goes on within a quarter of an hour.")
    if facts.unwritten:
        yield not_on_record_yet(facts.unwritten)
    yield from not_done(facts.undelivered, facts.failing)
    if facts.closed:
        yield say(
            "Direct messages do not reach {names}. They can allow them and use `/nudges on` again.",
            names=listing([safe_name(name) for name in facts.closed[:_SHOWN]]),
        )
