"""Notes beside a digest's figures: what is missing, what changed, and how small the sample is."""

from collections.abc import Iterator
from datetime import timedelta

from bot.domain.digest_draft import DigestDraft
from bot.views.digest.findings import verdict_name
from bot.views.digest.stayers import stayers_sentence
from bot.views.words.amounts import percent
from bot.views.words.dates import full_day
from bot.views.words.sentence import say, say_count

_FEW_ACTIVE = 20


def notes(draft: DigestDraft) -> tuple[str, ...]:
    """The notes, most important first; empty if there is nothing to note."""
    return tuple(_notes(draft))


def _notes(draft: DigestDraft) -> Iterator[str]:
    if draft.late:
        yield say("This digest comes late: Spade was not running when it was due.")
    if draft.week.running:
        yield say("This week is not over yet; its figures still change.")
    yield from _since_it_went_out(draft)
    yield from _missing(draft)
    if draft.has_findings:
        yield from _small_samples(draft)
    if not draft.quiet and draft.week.record_from_on is not None and stayers_sentence(draft) and _was_young(draft):
        yield say(
            "The record begins on {day}: some of the newcomers may have been here before.",
            day=full_day(draft.week.record_from_on),
        )


def _since_it_went_out(draft: DigestDraft) -> Iterator[str]:
    """What has changed in the record since the digest went out."""
    if draft.corrected is not None:
        yield say(
            "Corrected: the record of this week has changed since its digest went out. You see what it said; where a "
            "figure is different now, that is said beside it."
        )
        if draft.week.guild.show_verdict and draft.corrected.verdict is not draft.figures.verdict:
            yield say("On the record of now, the verdict is: {verdict}.", verdict=verdict_name(draft.corrected.verdict))
    if draft.week.filled:
        yield say("When its digest went out, part of this week's record was missing. It is complete now.")


def _missing(draft: DigestDraft) -> Iterator[str]:
    """What is not on record, of this week and of earlier ones."""
    if not draft.week.complete and not draft.week.filled:
        yield say(
            "Part of this week's record is missing, so the counts may be too low and answers may be missing. "
            "`/status` shows where."
        )
    elif _shows_a_gap(draft):
        yield say("Of weeks marked as a gap, part of the record is missing.")
    if draft.week.first_week and not draft.week.before_record:
        yield say(
            "This is the first week on record, so there is nothing to compare it with yet, and a first contact is the "
            "first one on record."
        )
        if draft.week.record_from_on is not None and draft.week.record_from_on > draft.week.monday:
            yield say(
                "The record begins on {day}; what was before is not counted.", day=full_day(draft.week.record_from_on)
            )


def _shows_a_gap(draft: DigestDraft) -> bool:
    """Whether the digest shows an earlier week that has a gap. A manager's own shows only the week before."""
    shown = [] if draft.quiet else [draft.before] if draft.personal else draft.history
    return any(
        week is not None and week.figures and not week.complete and week.week_on < draft.week.monday for week in shown
    )


def _was_young(draft: DigestDraft) -> bool:
    """Whether some newcomers first wrote soon after the record began, so that they may have been there before."""
    assert draft.week.record_from_on is not None
    return (
        draft.week.monday + timedelta(days=6) - draft.week.record_from_on
        < draft.rules.stay_until + draft.rules.stay_silent
    )


def _small_samples(draft: DigestDraft) -> Iterator[str]:
    figures = draft.figures
    if 0 < figures.conversations < draft.rules.verdict_needs_conversations:
        yield say_count(
            "One conversation is a small sample: a single hello more would change the shares a lot.",
            "{count} conversations are a small sample: a few more or fewer would change the shares a lot.",
            count=figures.conversations,
        )
    if 0 < figures.active_members < _FEW_ACTIVE:
        yield say_count(
            "Only one member was active.",
            "Only {count} members were active: each of them is {share} of the reach.",
            count=figures.active_members,
            share=percent(1 / figures.active_members),
        )
    if figures.logged_share:
        yield say(
            "{share} of the personal contacts were logged by managers; Discord cannot confirm those.",
            share=percent(figures.logged_share),
        )
