"""Newcomers who stay (docs/rules.md#newcomers-who-stay), in words."""

from bot.domain.digest_draft import DigestDraft
from bot.domain.rules import Rules
from bot.domain.survival import Group, Staying
from bot.views.words.amounts import percent
from bot.views.words.sentence import number, say


def stayers_sentence(draft: DigestDraft) -> str | None:
    """How many newcomers stayed, in both groups; None if both are too small to say."""
    found, rules = draft.stayers, draft.rules
    if found is None or not found.can_say:
        return None
    comparable = bool(found.touched.staying and found.others.staying)
    return " ".join(
        (
            say(
                "Of {members} newcomers who heard from a manager within {days} days of their first message: {staying}.",
                members=number(found.touched.members),
                days=number(rules.stay_greeted.days),
                staying=_staying(found.touched, rules),
            ),
            say(
                "Of {members} who did not: {staying}.",
                members=number(found.others.members),
                staying=_staying(found.others, rules),
            ),
            say("Even where a hello and staying go together, one need not be the cause of the other.")
            if comparable
            else say("The two groups cannot be compared yet."),
        )
    )


def _staying(group: Group, rules: Rules) -> str:
    if not group.staying:
        return say("too few to say, as it takes {needed}", needed=number(rules.stay_needs_members))
    first, second = (_stay(staying) for staying in group.staying)
    return say("{first} and {second}", first=first, second=second)


def _stay(staying: Staying) -> str:
    if staying.low is None or staying.high is None:
        return say("{share} were there on day {day}", share=percent(staying.share), day=number(staying.day))
    return say(
        "{share} were there on day {day} (95% interval {low} to {high})",
        share=percent(staying.share),
        day=number(staying.day),
        low=percent(staying.low),
        high=percent(staying.high),
    )
