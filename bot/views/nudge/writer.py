"""From what services gathered to what the views put into words."""

from collections.abc import Mapping

from bot.domain.calendar import local_day
from bot.domain.delivery import DeliveryState
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Action, NudgeDraft
from bot.domain.rules import Rules
from bot.services.nudge.enrolment import Enrolled
from bot.services.nudge.previews import EFFECT_DAYS, NudgeExplanation, NudgeStatus
from bot.views.kit.letter import Letter
from bot.views.kit.parcel import Parcel
from bot.views.nudge.answers import (
    NudgesState,
    nothing_to_say,
    nudges_closed,
    nudges_on,
    nudges_state,
    nudges_unsettled,
    schedule_changed,
    still_on,
    why_answer,
)
from bot.views.nudge.letter import Outcome, PersonalNudge, nudge_letter, nudge_preview, outcome_sentence
from bot.views.nudge.welcome import Enrolment, welcome_letter
from bot.views.words.names import name_of
from bot.views.words.sentence import speaking


def personal_nudge(draft: NudgeDraft, rules: Rules) -> PersonalNudge:
    """A nudge's facts, for the views that show one."""
    zone = draft.guild.zone
    today = local_day(draft.now, zone)
    return PersonalNudge(
        nudge=draft.nudge,
        names=draft.names,
        guild_id=draft.guild.guild_id,
        guild_name=draft.guild_name,
        zone=draft.manager.zone or draft.guild.zone,
        now=draft.now,
        usual_reply_minutes=draft.usual_reply_minutes,
        joined=draft.joined,
        days_on_record=None if draft.record_from is None else (today - local_day(draft.record_from, zone)).days,
        rules=rules.nudge,
    )


def enrolment(guild: GuildSettings, manager: ManagerSettings, guild_name: str) -> Enrolment:
    """When a manager's nudges come."""
    return Enrolment(
        guild_name=guild_name,
        weekdays=manager.nudge_weekdays,
        hour=manager.nudge_hour,
        zone_name=(manager.zone or guild.zone).key,
    )


class Writer:
    """Puts nudges and welcomes into parcels ready to send."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def nudge(self, draft: NudgeDraft) -> Parcel:
        """The DM, with what was pressed so far."""
        facts = personal_nudge(draft, self._rules)
        with speaking(draft.guild.language):
            return Parcel(nudge_letter(facts, delivery_id=draft.delivery_id, outcomes=_outcomes(draft, self._rules)))

    def welcome(
        self, settings: GuildSettings, manager: ManagerSettings, guild_name: str, *, delivery_id: str
    ) -> Parcel:
        """The first DM after a manager enrolled, with the button that turns nudges off again."""
        with speaking(settings.language):
            return Parcel(welcome_letter(enrolment(settings, manager, guild_name), delivery_id=delivery_id))

    def enrolled(self, enrolled: Enrolled) -> str:
        """The answer to `/nudges on`."""
        facts = enrolment(enrolled.guild, enrolled.manager, enrolled.guild_name)
        match enrolled.state:
            case None:
                return still_on(facts)
            case DeliveryState.SENT:
                return nudges_on(facts)
            case DeliveryState.REFUSED:
                return nudges_closed(enrolled.guild_name)
            case _:
                return nudges_unsettled()

    def status(self, status: NudgeStatus) -> str:
        """The answer to `/nudges status`."""
        manager = status.manager
        return nudges_state(
            NudgesState(
                enrolment=enrolment(status.guild, manager, ""),
                on=manager.enrolled_at is not None,
                closed=manager.refused_at is not None,
                paused_until_on=manager.paused_until_on,
                next_on=status.next_on,
                throttled=status.throttled,
                effects=status.effects,
                effect_days=EFFECT_DAYS,
                rules=status.rules.nudge,
            )
        )

    def why(self, found: NudgeExplanation) -> str:
        """The answer to "why not X?"."""
        return why_answer(found.why, found.name, personal_nudge(found.draft, self._rules))

    def schedule(self, manager: ManagerSettings, guild: GuildSettings) -> str:
        """The answer to a change of hour, days or pause."""
        return schedule_changed(enrolment(guild, manager, ""), manager.paused_until_on)

    def preview(self, draft: NudgeDraft) -> Parcel:
        """What a nudge would say now, without its buttons."""
        facts = personal_nudge(draft, self._rules)
        if not draft.nudge.offers:
            return Parcel(Letter(content=nothing_to_say()))
        return Parcel(nudge_preview(facts))

    def handed_over(self, draft: NudgeDraft, position: int) -> str:
        """The answer to the choice of a colleague."""
        with speaking(draft.guild.language):
            return outcome_sentence(_outcomes(draft, self._rules)[position], self._rules.nudge)


def _outcomes(draft: NudgeDraft, rules: Rules) -> Mapping[int, Outcome]:
    zone = draft.manager.zone or draft.guild.zone
    return {
        press.position: Outcome(
            action=press.action,
            colleague_name=None if press.colleague_id is None else name_of(press.colleague_id, draft.names),
            snoozed_until=(
                local_day(press.pressed_at + rules.nudge.snooze, zone) if press.action is Action.SNOOZE else None
            ),
        )
        for press in draft.presses
    }
