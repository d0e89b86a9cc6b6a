"""What a manager could do next week, made from facts."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.figures import Figures
from bot.domain.nudge import Offer, Reason
from bot.domain.nudge_decision import Obstacle
from bot.domain.rules import Rules

_EACH = 2
_ALLOWED = frozenset({None, Obstacle.OFFERED_LATELY, Obstacle.NO_ROOM})
_ORDER = (Reason.NEWCOMER, Reason.UNMET, Reason.COOLING, Reason.WAITING)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A member worth a word, or, without one, to look beyond the three who had `top3_share` of the conversations."""

    offer: Offer | None = None
    top3_share: float | None = None


def suggestions(
    candidates: Iterable[tuple[Offer, Obstacle | None]], figures: Figures, rules: Rules
) -> tuple[Suggestion, ...]:
    """What to suggest, the first thing first: new people, a narrow week, who cools, who waits.

    `candidates` are the members with a reason for this manager, longest first within one. Whoever was offered lately
    may be suggested once more; whoever was set aside, or is another manager's, may not.
    """
    offers = [offer for offer, obstacle in candidates if obstacle in _ALLOWED]
    by_reason = {reason: [offer for offer in offers if offer.reason is reason] for reason in Reason}
    rounds = [[own[turn] for reason in _ORDER if len(own := by_reason[reason]) > turn] for turn in range(_EACH)]
    found = [Suggestion(offer) for turn in rounds for offer in turn]
    if _narrow(figures, rules):
        found.insert(min(1, len(found)), Suggestion(top3_share=figures.top3_share))
    return tuple(found)


def _narrow(figures: Figures, rules: Rules) -> bool:
    """Whether three people had most of a week that could have reached more."""
    return (
        figures.top3_share is not None
        and figures.top3_share >= 0.5
        and figures.members_reached > 3
        and figures.spread is not None
        and figures.spread < rules.social_from
    )
