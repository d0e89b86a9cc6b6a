"""Every threshold of the rules, with its default (docs/rules.md#thresholds)."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class NudgeRules:
    """Thresholds of nudges (docs/rules.md#nudges). Days are whole local dates of the guild."""

    members_per_nudge: int = 5
    wrote_back_per_nudge: int = 2
    waiting_after: timedelta = timedelta(hours=4)
    newcomer_after: timedelta = timedelta(hours=12)
    newcomer_until: timedelta = timedelta(days=14)
    unmet_active_days: int = 3
    unmet_window_days: int = 30
    cooling_conversations: int = 3
    cooling_after: timedelta = timedelta(days=21)
    cooling_gap_factor: float = 2.0
    cooling_active_days: int = 14
    offer_again_after: timedelta = timedelta(days=7)
    offer_waiting_again_after: timedelta = timedelta(days=2)
    snooze: timedelta = timedelta(days=7)
    worked_within: timedelta = timedelta(hours=72)
    quiet_after_unanswered: int = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds of touches, waiting, figures and newcomers; those of nudges are in `nudge`."""

    mention_limit: int = 2
    answer_within: timedelta = timedelta(minutes=2)
    answer_after_address: timedelta = timedelta(minutes=10)
    conversation_gap: timedelta = timedelta(minutes=60)
    waiting_expires: timedelta = timedelta(days=14)
    count_inferred: bool = False
    spread_needs_conversations: int = 5
    verdict_needs_conversations: int = 20
    verdict_weeks: int = 4
    social_from: float = 0.5
    influence_to: float = 0.25
    stay_from: timedelta = timedelta(days=60)
    stay_until: timedelta = timedelta(days=180)
    stay_greeted: timedelta = timedelta(days=7)
    stay_silent: timedelta = timedelta(days=30)
    stay_first_day: int = 30
    stay_second_day: int = 60
    stay_needs_members: int = 20
    nudge: NudgeRules = field(default_factory=NudgeRules)
