"""Gathers how far the team's attention reached in a period."""

from dataclasses import dataclass

from bot.domain.coverage import PeriodChoice, last_week_of, period_meant
from bot.domain.digest_draft import DigestDraft
from bot.domain.figures import Figures
from bot.services.delivery.messenger import Directory
from bot.services.digest.painter import Painter
from bot.services.digest.report import PeriodReport, Reporter
from bot.services.guild_reader import GuildReader


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    """The figures of a period, the manager's own beside them, and the weeks up to its end for the picture."""

    choice: PeriodChoice
    report: PeriodReport
    own: Figures | None
    draft: DigestDraft
    picture: bytes | None


class CoverageService:
    """Gathers what `/coverage` shows. Writes nothing."""

    def __init__(self, reader: GuildReader, directory: Directory, painter: Painter, reporter: Reporter) -> None:
        self._reader = reader
        self._directory = directory
        self._painter = painter
        self._reporter = reporter

    async def of(self, guild_id: int, manager_id: int, choice: PeriodChoice) -> CoverageFacts | None:
        """The figures of a period; None before Spade was set up."""
        async with self._reader.settled(guild_id) as guild:
            if guild is None:
                return None
        settings, now = guild.settings, guild.now
        period = period_meant(choice, settings.zone, now)
        report = await self._reporter.figures(settings, period)
        name = await self._directory.guild_name(guild_id)
        draft = await self._reporter.picture(settings, last_week_of(period), name, now)
        picture = await self._painter.paint(draft)
        return CoverageFacts(choice, report, report.managers.get(manager_id), draft, picture)
