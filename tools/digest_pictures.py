"""Draws the picture of the digest for typical and extreme cases, into docs/pictures.

The weeks of a real community are read from a database into which its exports were imported:
`spade import FOLDER --manager … --database sqlite:///FILE`, then `tools/digest_pictures.py FILE`.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.domain.digest_draft import DigestDraft, DigestWeek
from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.guild import GuildSettings
from bot.domain.report import PastWeek, WeekReport
from bot.domain.rules import Rules
from bot.drawing import rasterised
from bot.services.digest.report import Reporter
from bot.store import guilds
from bot.store.database import open_database
from bot.views.digest.canvas import draw_digest
from bot.views.digest.chart import digest_picture

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
FORGE = 1338715593307199691
FIRST, WEEKS = date(2026, 1, 5), 16
MONDAY = date(2026, 3, 23)
WEEK = timedelta(weeks=1)


async def sample(database: Path) -> list[DigestDraft]:
    """The weeks of the imported record with enough conversations for a verdict of their own."""
    opened = await open_database(f"sqlite:///{database}", write=False)
    found = []
    try:
        async with opened.reading() as connection:
            settings = await guilds.settings_of(connection, FORGE)
        assert settings is not None
        for week in range(WEEKS):
            monday = FIRST + WEEK * week
            now = datetime(2026, 7, 1, tzinfo=UTC)
            draft = await Reporter(opened, Rules()).draft(settings, monday, "The Forge", now)
            found.append(draft)
    finally:
        await opened.close()
    return [draft for draft in found if draft.figures.verdict_weeks == 1]


def figures(active: int, counts: tuple[int, ...], effective: float, verdict: Verdict) -> Figures:
    """The figures of a made-up week."""
    total = sum(counts)
    return Figures(
        active_members=active,
        personal_replies=total * 2,
        logged_share=0.0,
        conversations=total,
        members_reached=len(counts),
        coverage=len(counts) / active,
        coverage_ever=0.5,
        first_time=len(counts) // 3,
        effective_members=effective,
        spread=effective / min(total, active) if total >= 5 else None,
        top3_share=sum(counts[:3]) / total if total >= 5 else None,
        verdict=verdict,
        verdict_weeks=1 if total >= 20 else None,
        reply_minutes=ReplyMinutes(42.0, 600.0),
        waiting=7,
    )


def digest(guild_name: str, found: Figures, history: Sequence[PastWeek], conversations: tuple[int, ...]) -> DigestDraft:
    """The digest of a made-up week."""
    zone = ZoneInfo("UTC")
    report = WeekReport(FORGE, MONDAY, zone, complete=True, team=found, managers=())
    week = DigestWeek(GuildSettings(FORGE, zone), guild_name, report, record_from_on=FIRST)
    return DigestDraft(week, found, tuple(history), conversations)


def named(draft: DigestDraft, guild_name: str) -> DigestDraft:
    """The same digest of a server of another name."""
    return replace(draft, week=replace(draft.week, guild_name=guild_name))


def made_up() -> dict[str, DigestDraft]:
    """Made-up cases, which no real record has."""
    usual = figures(120, (5, 4, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1), 11.2, Verdict.BETWEEN)
    course = [
        PastWeek(
            MONDAY - WEEK * back,
            replace(usual, coverage=0.06 + 0.01 * (back * 5 % 7), spread=0.35 + 0.03 * (back * 3 % 8)),
        )
        for back in range(1, 12)
    ]
    usual_draft = digest("The Forge", usual, course, (5, 4, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1))
    broken = [
        week if week.week_on not in {MONDAY - WEEK * 4, MONDAY - WEEK * 5} else PastWeek(week.week_on, None)
        for week in course
    ]
    broken = [replace(week, complete=week.week_on != MONDAY - WEEK * 8) for week in broken]
    crowd = tuple(max(1, 300 // rank) for rank in range(1, 5001))
    return {
        "quiet": digest(
            "A small server",
            figures(9, (3, 2, 1), 2.75, Verdict.QUIET),
            [PastWeek(MONDAY - WEEK, figures(7, (3, 2), 1.96, Verdict.QUIET))],
            (3, 2, 1),
        ),
        "five-thousand": digest("A very large server", figures(61000, crowd, 2900.0, Verdict.BETWEEN), course, crowd),
        "gap": replace(usual_draft, history=tuple(broken)),
        "right-to-left": named(usual_draft, "مجتمع المطورين العرب"),
        "long-name": named(usual_draft, "The Extraordinarily Long-Winded Society for the Promotion of " * 2),
    }


def main() -> int:
    """Run from the command line; the return value is the exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases = made_up()
    if len(sys.argv) > 1:
        weeks = asyncio.run(sample(Path(sys.argv[1])))
        cases |= {"week": next(named(draft, "Mesh Community") for draft in weeks if draft.week.monday == MONDAY)}
        weeks.sort(key=lambda draft: draft.figures.spread or 0)
        cases |= {"worst-week": weeks[0], "best-week": weeks[-1]}
    for name, draft in cases.items():
        picture = digest_picture(draft)
        assert picture is not None
        png = rasterised(draw_digest(picture))
        filename = "digest.png" if name == "week" else f"digest-{name}.png"
        (FOLDER / filename).write_bytes(png)
        print(f"{filename}: week of {draft.week.monday}, {draft.figures.verdict}, spread {draft.figures.spread}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
