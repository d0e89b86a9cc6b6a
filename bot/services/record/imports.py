"""Importing an archive of export files: all of it in one transaction, as evidence for the messages in it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.evidence import ImportedChannel
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.snowflake import HIGHEST_ID
from bot.domain.span import Span
from bot.domain.touch import TouchKind
from bot.services.members.roster import appoint
from bot.services.record.evidence import Evidence
from bot.services.record.judgement import judge_again
from bot.store import guilds, history_jobs, spans, unread
from bot.store.database import Connection, Database
from bot.store.staged_piece import StagedPiece

_STILL_DUE = timedelta(days=8)
"""The longest that a day or week is due after it was dealt with, in any time zone."""


class StagedArchive(Protocol):
    """An archive of export files of one guild, as an import needs it."""

    def channels(self) -> Sequence[ImportedChannel]:
        """Every channel of which there is a file."""

    def pieces(self, channel_id: int) -> Iterable[StagedPiece]:
        """A channel's messages in pieces, oldest first, with who wrote what they reply to."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import: `new` messages, those that added nothing, and the touches on members it added.

    unplaced: the threads that were left out, since neither files nor the record tell whether their channel is excluded.
    excluded: how many channels and threads were left out because they are.
    """

    new: int = 0
    known: int = 0
    touches: Counter[TouchKind] = field(default_factory=Counter)
    unplaced: tuple[int, ...] = ()
    excluded: int = 0


class Importer:
    """Imports archives of one guild after another. Importing the same files again changes nothing.

    Any parts of a history, imported in any order by any number of imports, give the same record as one import of all.
    """

    def __init__(self, database: Database, rules: Rules, clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock

    async def run(
        self,
        archive: StagedArchive,
        guild_id: int,
        manager_ids: Collection[int] = (),
        zone: ZoneInfo | None = None,
        *,
        replace: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Imported:
        """Record what the archive has and the record lacks, in one transaction.

        `manager_ids` join the guild's managers; `zone` is its time zone from now on, if given. With `replace`, what is
        recorded of the guild is forgotten first; its settings stay, and what was sent is not sent again. `progress` is
        called with the number of messages in each piece. Of excluded channels and their threads nothing is imported.
        """
        async with self._database.writing() as connection:
            if replace:
                await guilds.forget(connection, guild_id, sent_since=self._clock.now() - _STILL_DUE)
                await history_jobs.list_anew(connection, guild_id)
            settings = await guilds.settings_of(connection, guild_id, zone=zone)
            await guilds.save(connection, settings or GuildSettings(guild_id, zone or ZoneInfo("UTC")))
            await appoint(connection, guild_id, manager_ids, self._clock.now())
            reading_again = await _reading_again(connection, guild_id, manager_ids)
            evidence = await Evidence.of(connection, guild_id)
            channels = archive.channels()
            counted = await evidence.add_channels(channels)
            for channel_id in counted:
                for piece in archive.pieces(channel_id):
                    await evidence.add(channel_id, piece)
                    if progress is not None:
                        progress(len(piece))
            await evidence.finish()
            if reading_again:
                evidence.doubt_everything()
            touches = await judge_again(connection, guild_id, evidence.doubtful, self._rules)
            for channel_id in await evidence.whole() if reading_again else ():
                told = await spans.of_channel(connection, channel_id)
                await unread.read(connection, reading_again, channel_id, Span(0, HIGHEST_ID), told)
            await history_jobs.finish(connection, reading_again, self._clock.now())
        excluded = len(channels) - len(counted) - len(evidence.unplaced)
        return Imported(evidence.new, evidence.known, touches, tuple(evidence.unplaced), excluded)


async def _reading_again(connection: Connection, guild_id: int, manager_ids: Collection[int]) -> frozenset[int]:
    """The jobs that read again for some managers, who were none when a part of the record was made.

    Files that hold all that files told of a channel before are as good as reading it again; where Discord told
    something, only Discord can tell it again.
    """
    unfinished = await history_jobs.unfinished(connection, guild_id)
    return frozenset(job.job_id for job in unfinished if job.manager_id in manager_ids)
