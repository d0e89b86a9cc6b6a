"""What the digest's picture shows, in numbers and words, and the same as alternative text."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.domain.digest_draft import DigestDraft
from bot.domain.figures import Verdict
from bot.domain.report import PastWeek
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


def digest_picture(draft: DigestDraft) -> PictureFacts | None:
    """What `draw_digest` draws; None for a quiet week."""
    if draft.quiet:
        return None
    weeks = _weeks(draft)
    crowded = len(draft.conversations) > _BARS_APART
    figures = draft.figures
    return PictureFacts(
        guild_name=plain_guild(draft.week.guild_name),
        week=week_label(draft.week.monday)
        if draft.corrected is None
        else say("{week} · corrected since", week=week_label(draft.week.monday)),
        headline=headline(draft),
        subtitle=judged_on(draft) if draft.week.guild.show_verdict else thanks(draft),
        colour=MUTED if figures.verdict is Verdict.QUIET or not draft.week.guild.show_verdict else SPREAD,
        week_labels=tuple(short_day(week.week_on) for week in weeks),
        weeks=say_count("{count} week", "{count} weeks", count=len(weeks)),
        extents=tuple(_extent(week) for week in weeks),
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
            note=_spread_in_short(draft),
            values=tuple(week.figures.spread if week.figures else None for week in weeks),
        ),
        bands=(
            Band(say("social media"), draft.rules.social_from, 1),
            Band(say("influence media"), 0, draft.rules.influence_to),
        )
        if draft.week.guild.show_verdict
        else (),
        members_title=say("Conversations per member"),
        members_caption=say("how many members had how many conversations")
        if crowded
        else say("one bar per member reached, the most-addressed first"),
        members_note=top_note(figures) or "",
        conversations=tuple(draft.conversations),
        bins=tuple(_bins(draft.conversations)) if crowded else (),
    )


def alt_text(draft: DigestDraft) -> str:
    """The picture's alternative text."""
    figures = draft.figures
    if figures.spread is None:
        return say(
            "{headline}, week of {week}. Reached: {reach} of the active members; spread: too few conversations to "
            "say. Charts of both over up to twelve weeks, and of {conversations} conversations over {members} "
            "members.",
            headline=headline(draft),
            week=week_label(draft.week.monday),
            reach=share_words(figures.coverage),
            conversations=number(figures.conversations),
            members=number(figures.members_reached),
        )
    return say(
        "{headline}, week of {week}. Reached: {reach} of the active members; spread: {spread}, as if about {people} "
        "people had been addressed evenly. Charts of both over up to twelve weeks, and of {conversations} "
        "conversations over {members} members; the three most-addressed had {top} of them.",
        headline=headline(draft),
        week=week_label(draft.week.monday),
        reach=share_words(figures.coverage),
        spread=share_words(figures.spread),
        people=people(figures.effective_members),
        conversations=number(figures.conversations),
        members=number(figures.members_reached),
        top=share_words(figures.top3_share),
    )


def _spread_in_short(draft: DigestDraft) -> str:
    if draft.figures.spread is None:
        return too_few_for_spread(draft.rules)
    return say_count(
        "as if one had it all",
        "as if {count} shared it evenly",
        count=max(1, round(draft.figures.effective_members)),
    )


def _bins(conversations: Sequence[int]) -> Iterator[Bin]:
    """Bins of 1, 2, 3, 4 to 7, 8 to 15 conversations and so on; at most eight, the last one without a limit."""
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


def _extent(week: PastWeek) -> RecordExtent:
    if week.figures is None:
        return RecordExtent.NONE
    return RecordExtent.WHOLE if week.complete else RecordExtent.GAP


def _weeks(draft: DigestDraft) -> list[PastWeek]:
    """Up to twelve weeks in a row, oldest first, ending with this one; an unknown week has no figures."""
    known = {week.week_on: week for week in draft.history if week.week_on < draft.week.monday}
    known[draft.week.monday] = PastWeek(draft.week.monday, draft.figures, draft.week.complete)
    earliest = max(
        min(week.week_on for week in known.values() if week.figures is not None),
        draft.week.monday - timedelta(weeks=WEEKS_SHOWN - 1),
    )
    count = (draft.week.monday - earliest).days // 7 + 1
    mondays = [draft.week.monday - timedelta(weeks=back) for back in reversed(range(count))]
    return [known.get(monday, PastWeek(monday, None)) for monday in mondays]
