"""Gathers how Spade is doing in one guild: what is recorded, what is missing, what comes next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.domain.delivery import Delivery, DeliveryKind
from bot.domain.due_work import FailedWork, Piece
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.history_job import LeftOut
from bot.domain.nudge_time import next_nudge_day
from bot.domain.rules import Rules
from bot.domain.snowflake import moment_of
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.messenger import Directory
from bot.services.guild_reader import GuildReader, Unwritten
from bot.services.nudge.facts import past_nudges
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.job_progress import JobProgress
from bot.store import deliveries, history_jobs, managers, spans, unread


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A delivery in trouble, the name of the manager it is for, and when it is tried again, if that is known."""

    delivery: Delivery
    name: str | None = None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """`behind` counts the channels that are catching up; `gaps` is how many known gaps a channel has.

    `closed` are the names of the managers who cannot be sent a DM. `next_nudge_on` is the asking manager's next day.
    `undelivered` is what was not sent, or may not have been; `failing` is other due work that does not succeed,
    with the name of the manager it is for. `unwritten` is what was received and cannot be written. `left_out` are the
    channels with history to read that could not be read, by why; `stopped` is how many jobs that read history have
    stopped before they tried it all.
    """

    settings: GuildSettings
    now: datetime
    recorded_until: datetime | None
    channels: int
    behind: int
    jobs: tuple[JobProgress, ...]
    gaps: Mapping[int, int]
    digest: Delivery | None
    manager: ManagerSettings | None
    next_nudge_on: date | None
    closed: tuple[str, ...]
    undelivered: tuple[Undelivered, ...] = ()
    failing: tuple[tuple[FailedWork, str | None], ...] = ()
    unwritten: Unwritten = field(default_factory=dict)
    stopped: int = 0
    left_out: Mapping[LeftOut, tuple[int, ...]] = field(default_factory=dict)


class StatusService:
    """Gathers what `/status` shows. Writes nothing."""

    def __init__(
        self,
        guild_reader: GuildReader,
        directory: Directory,
        follower: Follower,
        history_reader: HistoryReader,
        rules: Rules,
        attempts: Attempts,
    ) -> None:
        self._guild_reader = guild_reader
        self._directory = directory
        self._follower = follower
        self._history_reader = history_reader
        self._rules = rules
        self._attempts = attempts

    async def of(self, guild_id: int, person_id: int) -> StatusFacts | None:
        """How Spade is doing in a guild, for the person who asks; None before Spade was set up there."""
        unwritten = await self._guild_reader.unwritten(guild_id)
        async with self._guild_reader.snapshot(guild_id) as guild:
            if guild is None:
                return None
            connection, settings, now = guild.connection, guild.settings, guild.now
            recorded = await spans.extents(connection, guild_id)
            gaps = await spans.known_gaps(connection, guild_id, counted=True)
            tried = (await deliveries.last_tried(connection, guild_id)).values()
            unsettled = await deliveries.unsettled(connection, guild_id)
            untried = await history_jobs.untried(connection, guild_id)
            left_out = await unread.left_out(connection, guild_id)
            digest = await deliveries.newest(connection, guild_id, DeliveryKind.DIGEST, None)
            team = await managers.all_settings(connection, guild_id)
            own = next((one for one in team if one.manager_id == person_id), None)
            next_on = None
            if own is not None:
                past = await past_nudges(connection, settings, own, now, self._rules)
                next_on = next_nudge_day(own, settings.zone, now, past)
        jobs = self._history_reader.progress(guild_id)
        untried -= {one.job.job_id for one in jobs if one.running}
        closed = sorted(one.manager_id for one in team if one.refused_at is not None)
        undelivered = _undelivered((*tried, *unsettled), settings, team, now)
        failures = {failure.piece: failure for failure in self._attempts.failing(guild_id)}
        again = {piece: failure.again_at for piece, failure in failures.items()}
        covered = {_piece_of(delivery) for delivery in undelivered}
        failing = [failure for piece, failure in failures.items() if piece not in covered]
        wanted = {*closed, *(one.manager_id for one in undelivered), *(one.piece.manager_id for one in failing)}
        names = await self._directory.names(guild_id, sorted(person for person in wanted if person is not None))

        def name(person: int | None) -> str | None:
            return None if person is None else names.get(person) or str(person)

        return StatusFacts(
            settings=settings,
            now=now,
            recorded_until=moment_of(max(span.last_id for span in recorded.values())) if recorded else None,
            channels=len(recorded),
            behind=self._follower.behind(guild_id),
            jobs=jobs[:3],
            gaps={channel_id: len(found) for channel_id, found in gaps.items()},
            digest=digest,
            manager=own,
            next_nudge_on=next_on,
            closed=tuple(names.get(person) or str(person) for person in closed),
            undelivered=tuple(Undelivered(one, name(one.manager_id), again.get(_piece_of(one))) for one in undelivered),
            unwritten=unwritten,
            # They are started once the guild has caught up.
            stopped=len(untried) if self._follower.guild_caught_up(guild_id) else 0,
            left_out=left_out,
            failing=tuple((failure, name(failure.piece.manager_id)) for failure in failing),
        )


def _undelivered(
    found: Iterable[Delivery], settings: GuildSettings, team: Sequence[ManagerSettings], now: datetime
) -> list[Delivery]:
    """What is in trouble, each once, the channel's first; not what nobody wants any more, and not closed DMs."""
    wanting = {one.manager_id for one in team if one.enrolled_at is not None and one.refused_at is None}
    return [
        delivery
        for delivery in sorted(dict.fromkeys(found), key=lambda one: (one.manager_id or 0, one.claimed_at))
        if delivery.in_trouble(now)
        and (
            delivery.manager_id in wanting
            if delivery.manager_id is not None
            else settings.digest_channel_id is not None
        )
    ]


def _piece_of(delivery: Delivery) -> Piece:
    return Piece(delivery.kind, delivery.guild_id, delivery.manager_id)
