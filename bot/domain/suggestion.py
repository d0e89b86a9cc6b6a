"""Suggestions for a manager's next week, in the personal digest."""

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
    """A member to write to; if `offer` is None, the advice to look beyond the three who had `top3_share`."""

    offer: Offer | None = None
    top3_share: float | None = None


def suggestions(
    candidates: Iterable[tuple[Offer, Obstacle | None]], figures: Figures, rules: Rules
) -> tuple[Suggestion, ...]:
    """What to suggest, most important first: newcomers, unmet, cooling and waiting members in turn, and a narrow week.

    `candidates` are the members with a reason for this manager, longest first within a reason. Members who were offered
    lately may be suggested again; snoozed and dismissed members and those of another manager may not.
    """
    offers = [offer for offer, obstacle in candidates if obstacle in _ALLOWED]
    by_reason = {reason: [offer for offer in offers if offer.reason is reason] for reason in Reason}
    rounds = [[own[turn] for reason in _ORDER if len(own := by_reason[reason]) > turn] for turn in range(_EACH)]
    found = [Suggestion(offer) for turn in rounds for offer in turn]
    if _narrow(figures, rules):
        found.insert(min(1, len(found)), Suggestion(top3_share=figures.top3_share))
    return tuple(found)


def _narrow(figures: Figures, rules: Rules) -> bool:
    """Whether three members had at least half of a week that reached more than three and was not social media."""
    return (
        figures.top3_share is not None
        and figures.top3_share >= 0.5
        and figures.members_reached > 3
        and figures.spread is not None
        and figures.spread < rules.social_from
    )
