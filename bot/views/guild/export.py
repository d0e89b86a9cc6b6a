"""CSV tables for spreadsheets. Their columns are fixed, and no cell can be taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.figures import Figures
from bot.domain.relationship import Relationship
from bot.domain.report import WeekReport
from bot.services.guild.export import ExportFacts
from bot.views.words.names import plain_name

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_RELATIONSHIP = (
    "member_id",
    "name",
    "conversations",
    "first_contact",
    "last_contact",
    "logged_contacts",
    "managers_who_know_them",
    "messages_waiting",
)
_FIGURES = (
    "active_members",
    "personal_replies",
    "logged_share",
    "conversations",
    "members_reached",
    "coverage",
    "coverage_ever",
    "first_time",
    "effective_members",
    "spread",
    "top3_share",
    "verdict",
    "verdict_weeks",
)
_WEEK = ("week", "manager_id", "complete", *_FIGURES, "reply_minutes_median", "reply_minutes_p90", "waiting")


def relationships_csv(facts: ExportFacts) -> str:
    """One line for each member the team has talked to."""
    return _table(
        _RELATIONSHIP,
        (
            _relationship(member_id, facts.names.get(member_id), known, facts.waiting.get(member_id, 0))
            for member_id, known in facts.relationships
        ),
    )


def weeks_csv(weeks: Iterable[WeekReport]) -> str:
    """For each week, one line for the team, without a manager's id, and one for each manager."""
    return _table(_WEEK, (row for week in weeks for row in _week(week)))


def safe_cell(value: object) -> object:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _relationship(member_id: int, name: str | None, known: Relationship, waiting: int) -> Sequence[object]:
    assert known.first is not None
    assert known.last is not None
    return (
        str(member_id),
        plain_name(name, 100) if name else "",
        known.conversations,
        _moment(known.first.touched_at),
        _moment(known.last.touched_at),
        known.logged,
        len(known.acquaintances),
        waiting,
    )


def _week(week: WeekReport) -> Iterable[Sequence[object]]:
    yield _figures(week, "", week.team)
    for manager_id, figures in week.managers:
        yield _figures(week, str(manager_id), figures)


def _figures(week: WeekReport, manager_id: str, figures: Figures) -> Sequence[object]:
    values = [getattr(figures, name) for name in _FIGURES]
    minutes = figures.reply_minutes
    return (
        week.week_on.isoformat(),
        manager_id,
        int(week.complete),
        *("" if value is None else value for value in values),
        "" if minutes.median is None else minutes.median,
        "" if minutes.p90 is None else minutes.p90,
        figures.waiting,
    )


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
