"""The digest's picture before it is drawn: what stands where, in words, and the same in words alone."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.domain.figures import Verdict
from bot.domain.report import PastWeek
from bot.views.digest.facts import DigestFacts
from bot.views.digest.findings import reach_note, share_words, too_few_for_spread, top_note
from bot.views.digest.headline import headline, judged_on, thanks
from bot.views.digest.picture import WEEKS_SHOWN, Band, Bin, PictureFacts, RecordExtent, Trend
from bot.views.kit.palette import MUTED, SPREAD
from bot.views.words.amounts import people
from bot.views.words.dates import short_day, week_label
from bot.views.words.names import plain_guild
from bot.views.words.sentence import number, say, say_count

_BARS_APART = 120
_MOST_BINS = 8


def digest_picture(facts: DigestFacts) -> PictureFacts | None:
    """What `draw_digest` draws; None for a quiet week, which needs no picture."""
    if facts.quiet:
        return None
    weeks = _weeks(facts)
    crowded = len(facts.conversations) > _BARS_APART
    figures = facts.figures
    return PictureFacts(
        guild_name=plain_guild(facts.guild_name),
        week=week_label(facts.monday)
        if facts.corrected is None
        else say("{week} · corrected since", week=week_label(facts.monday)),
        headline=headline(facts),
        subtitle=judged_on(facts) if facts.show_verdict else thanks(facts),
        colour=MUTED if figures.verdict is Verdict.QUIET or not facts.show_verdict else SPREAD,
        week_labels=tuple(short_day(week.week_on) for week in weeks),
        weeks=say_count("{count} week", "{count} weeks", count=len(weeks)),
        record=tuple(_record(week) for week in weeks),
        no_record=say("no record"),
        gap=say("gap"),
        reach=Trend(
            title=say("reached"),
            figure=share_words(figures.coverage, unknown="–"),  # noqa: RUF001 - set as a figure
            note=reach_note(figures),
            values=tuple(week.figures.coverage if week.figures else None for week in weeks),
        ),
        spread=Trend(
            title=say("spread"),
            figure=share_words(figures.spread, unknown="–"),  # noqa: RUF001
            note=_spread_in_short(facts),
            values=tuple(week.figures.spread if week.figures else None for week in weeks),
        ),
        bands=(
            Band(say("social media"), facts.rules.social_from, 1),
            Band(say("influence media"), 0, facts.rules.influence_to),
        )
        if facts.show_verdict
        else (),
        members_title=say("Conversations per member"),
        members_caption=say("how many members had how many conversations")
        if crowded
        else say("one bar per member reached, the most-addressed first"),
        members_note=top_note(figures) or "",
        conversations=tuple(facts.conversations),
        bins=tuple(_bins(facts.conversations)) if crowded else (),
    )


def alt_text(facts: DigestFacts) -> str:
    """The picture in words, for people who do not see it."""
    figures = facts.figures
    if figures.spread is None:
        return say(
            "{headline}, week of {week}. Reached: {reach} of the active members; spread: too few conversations to "
            "say. Charts of both over up to twelve weeks, and of {conversations} conversations over {members} "
            "members.",
            headline=headline(facts),
            week=week_label(facts.monday),
            reach=share_words(figures.coverage),
            conversations=number(figures.conversations),
            members=number(figures.members_reached),
        )
    return say(
        "{headline}, week of {week}. Reached: {reach} of the active members; spread: {spread}, as if about {people} "
        "people had been addressed evenly. Charts of both over up to twelve weeks, and of {conversations} "
        "conversations over {members} members; the three most-addressed had {top} of them.",
        headline=headline(facts),
        week=week_label(facts.monday),
        reach=share_words(figures.coverage),
        spread=share_words(figures.spread),
        people=people(figures.effective_members),
        conversations=number(figures.conversations),
        members=number(figures.members_reached),
        top=share_words(figures.top3_share),
    )


def _spread_in_short(facts: DigestFacts) -> str:
    if facts.figures.spread is None:
        return too_few_for_spread(facts.rules)
    return say_count(
        "as if one had it all",
        "as if {count} shared it evenly",
        count=max(1, round(facts.figures.effective_members)),
    )


def _bins(conversations: Sequence[int]) -> Iterator[Bin]:
    """1, 2, 3, 4 to 7, 8 to 15 and so on, up to the most that anybody had; at most nine, the last one open."""
    highest = max(conversations)
    low, step = 1, 1
    for place in range(1, _MOST_BINS + 1):
        high = highest if place == _MOST_BINS else low + step - 1
        if low > highest:
            return
        members = sum(low <= count <= high for count in conversations)
        alone = low in (high, highest)
        label = number(low) if alone else f"{number(low)}–{number(min(high, highest))}"  # noqa: RUF001 - a range
        yield Bin(label, members, number(members))
        low = high + 1
        step = low if low > 3 else 1


def _record(week: PastWeek) -> RecordExtent:
    if week.figures is None:
        return RecordExtent.NONE
    return RecordExtent.WHOLE if week.complete else RecordExtent.GAP


def _weeks(facts: DigestFacts) -> list[PastWeek]:
    """Up to twelve weeks in a row, oldest first, ending with this one; a week nobody knows of has no figures."""
    known = {week.week_on: week for week in facts.history if week.week_on < facts.monday}
    known[facts.monday] = PastWeek(facts.monday, facts.figures, facts.complete)
    earliest = max(
        min(week.week_on for week in known.values() if week.figures is not None),
        facts.monday - timedelta(weeks=WEEKS_SHOWN - 1),
    )
    count = (facts.monday - earliest).days // 7 + 1
    mondays = [facts.monday - timedelta(weeks=back) for back in reversed(range(count))]
    return [known.get(monday, PastWeek(monday, None)) for monday in mondays]
