"""How far the team's attention reached in a period, as `/coverage` shows it."""

from collections.abc import Iterator

from bot.domain.coverage import PeriodChoice, last_week_of
from bot.domain.figures import Figures
from bot.services.digest.coverage import CoverageFacts
from bot.views.digest.chart import alt_text
from bot.views.digest.fields import counted
from bot.views.digest.post import PICTURE_NAME
from bot.views.kit.letter import Attachment, Card, Field, Letter
from bot.views.kit.palette import REACH, embed_colour
from bot.views.kit.parcel import Parcel
from bot.views.words.amounts import minutes, percent
from bot.views.words.dates import short_day, week_label
from bot.views.words.names import plain_guild
from bot.views.words.sentence import mark, say, say_count

PERIODS = {
    PeriodChoice.LAST_WEEK: mark("the last whole week"),
    PeriodChoice.THIS_WEEK: mark("this week so far"),
    PeriodChoice.FOUR_WEEKS: mark("the last four weeks"),
    PeriodChoice.TWELVE_WEEKS: mark("the last twelve weeks"),
}


def coverage_parcel(facts: CoverageFacts) -> Parcel:
    """The figures in words, with the picture of the weeks up to the period's end."""
    period, team = facts.report.period, facts.report.team
    author = say(
        "{guild} · {stretch}", guild=plain_guild(facts.draft.week.guild_name), stretch=say(PERIODS[facts.choice])
    )
    title = short_day(period.first_on)
    if period.last_on != period.first_on:
        title = say("{first} to {last}", first=title, last=short_day(period.last_on))
    if not team.active_members and not team.personal_replies:
        card = Card(
            title=title,
            author=author,
            description="\n".join((say("Nobody wrote in these days, as far as Spade has seen."), *_notes(facts))),
            colour=embed_colour(REACH),
        )
        return Parcel(Letter(cards=(card,)))
    fields = [Field(say("The team"), "\n".join(_lines(team)))]
    if facts.own is not None:
        fields.append(Field(say("You"), "\n".join(_lines(facts.own))))
    picture = facts.picture
    card = Card(
        title=title,
        author=author,
        description="\n".join((_reach(team), *_notes(facts), *_picture_note(facts))),
        fields=tuple(fields),
        footer=counted(),
        colour=embed_colour(REACH),
        picture=PICTURE_NAME if picture is not None else None,
    )
    attachment = Attachment(PICTURE_NAME, alt_text(facts.draft)) if picture is not None else None
    return Parcel(Letter(cards=(card.fitted(),), attachment=attachment), picture)


def _reach(team: Figures) -> str:
    if team.coverage is None:
        return say("Nobody was active, so there was nobody to reach.")
    return say_count(
        "**{share}** of {count} active member was reached personally.",
        "**{share}** of {count} active members were reached personally.",
        count=team.active_members,
        share=percent(team.coverage),
    )


def _lines(figures: Figures) -> Iterator[str]:
    yield say_count(
        "{conversations} with {count} member",
        "{conversations} with {count} members",
        count=figures.members_reached,
        conversations=say_count("{count} conversation", "{count} conversations", count=figures.conversations),
    )
    yield say_count(
        "{count} of them for the first time", "{count} of them for the first time", count=figures.first_time
    )
    yield say_count("{count} personal reply", "{count} personal replies", count=figures.personal_replies)
    if figures.logged_share:
        yield say("{share} of them logged by hand", share=percent(figures.logged_share))
    if figures.top3_share is not None:
        yield say("{share} of the conversations went to three people", share=percent(figures.top3_share))
    if figures.reply_minutes.median is not None and figures.reply_minutes.p90 is not None:
        yield say(
            "Half the replies came within {median}, nine in ten within {p90}",
            median=minutes(figures.reply_minutes.median),
            p90=minutes(figures.reply_minutes.p90),
        )
    yield say_count("{count} message waited at the end", "{count} messages waited at the end", count=figures.waiting)


def _notes(facts: CoverageFacts) -> Iterator[str]:
    report = facts.report
    if not report.complete:
        yield say("Some messages of these days could not be read, so the figures are too low. `/status` says where.")
    if report.record_from_on is None or report.record_from_on > report.period.first_on:
        begins = report.record_from_on
        yield (
            say("Nothing is on record yet; `/backfill` reads older messages.")
            if begins is None
            else say("The record begins on {day}; `/backfill` reads older messages.", day=short_day(begins))
        )


def _picture_note(facts: CoverageFacts) -> Iterator[str]:
    if facts.picture is not None:
        yield say("The picture shows the weeks up to {week}.", week=week_label(last_week_of(facts.report.period)))
