"""What stands above the offers of a nudge, in a direct message and on a terminal."""

from bot.domain.nudge import Nudge
from bot.domain.rules import NudgeRules
from bot.views.words.sentence import say_count


def nudge_title(nudge: Nudge) -> str:
    """How many people the message is about."""
    return say_count(
        "One person worth a word from you",
        "{count} people worth a word from you",
        count=len(nudge.offers),
    )


def throttle_sentence(rules: NudgeRules) -> str:
    """That nudges will come half as often, why, and what ends it."""
    return say_count(
        "My last message brought no reaction, so I will write half as often. Press any button, or write to one of "
        "these people, and the usual days are back.",
        "My last {count} messages brought no reaction, so I will write half as often. Press any button, or write "
        "to one of these people, and the usual days are back.",
        count=rules.quiet_after_unanswered,
    )
