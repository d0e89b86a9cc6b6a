"""What has to be said beside a digest's figures: how much of the week they hold, and how little that may be."""

from collections.abc import Iterator
from datetime import timedelta

from bot.views.digest.facts import DigestFacts
from bot.views.digest.findings import verdict_name
from bot.views.digest.stayers import stayers_sentence
from bot.views.words.amounts import percent
from bot.views.words.dates import full_day
from bot.views.words.sentence import say, say_count

_FEW_ACTIVE = 20


def notes(facts: DigestFacts) -> tuple[str, ...]:
    """What a reader has to know to take the figures for what they are."""
    return tuple(_notes(facts))


def _notes(facts: DigestFacts) -> Iterator[str]:
    if facts.late:
        yield say("This digest comes late: Spade was not running when it was due.")
    if facts.running:
        yield say("This week is not over yet; its figures still change.")
    yield from _since_it_went_out(facts)
    yield from _missing(facts)
    if facts.has_findings:
        yield from _small_samples(facts)
    if not facts.quiet and facts.record_from_on is not None and stayers_sentence(facts) and _was_young(facts):
        yield say(
            "The record begins on {day}: some of the newcomers may have been here before.",
            day=full_day(facts.record_from_on),
        )


def _since_it_went_out(facts: DigestFacts) -> Iterator[str]:
    """What has changed in the record since the digest went out."""
    if facts.corrected is not None:
        yield say(
            "Corrected: the record of this week has changed since its digest went out. You see what it said; where a "
            "figure is different now, that is said beside it."
        )
        if facts.show_verdict and facts.corrected.verdict is not facts.figures.verdict:
            yield say("On the record of now, the verdict is: {verdict}.", verdict=verdict_name(facts.corrected.verdict))
    if facts.filled:
        yield say("When its digest went out, part of this week's record was missing. It is complete now.")


def _missing(facts: DigestFacts) -> Iterator[str]:
    """What is not on record, of this week and of those before."""
    if not facts.complete and not facts.filled:
        yield say(
            "Part of this week's record is missing, so the counts may be too low and answers may be missing. "
            "`/status` shows where."
        )
    elif _shows_a_gap(facts):
        yield say("Of weeks marked as a gap, part of the record is missing.")
    if facts.first_week and not facts.before_record:
        yield say(
            "This is the first week on record, so there is nothing to compare it with yet, and a first contact is the "
            "first one on record."
        )
        if facts.record_from_on is not None and facts.record_from_on > facts.monday:
            yield say("The record begins on {day}; what was before is not counted.", day=full_day(facts.record_from_on))


def _shows_a_gap(facts: DigestFacts) -> bool:
    """Whether a week that is marked as a gap stands beside this one: there is a course of them, or the one before."""
    shown = [] if facts.quiet else [facts.before] if facts.own else facts.history
    return any(
        week is not None and week.figures and not week.complete and week.week_on < facts.monday for week in shown
    )


def _was_young(facts: DigestFacts) -> bool:
    """Whether some of the newcomers wrote first in the first weeks of the record, and may have been no newcomers."""
    assert facts.record_from_on is not None
    return facts.monday + timedelta(days=6) - facts.record_from_on < facts.rules.stay_until + facts.rules.stay_silent


def _small_samples(facts: DigestFacts) -> Iterator[str]:
    figures = facts.figures
    if 0 < figures.conversations < facts.rules.verdict_needs_conversations:
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
