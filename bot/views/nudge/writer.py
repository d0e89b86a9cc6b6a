"""Composes everything a manager is told about their nudges."""

from bot.domain.delivery import DeliveryState
from bot.domain.nudge import NudgeDraft
from bot.domain.nudge_time import NudgeSchedule
from bot.services.nudge.enrolment import Enrolled
from bot.services.nudge.previews import NudgeExplanation, NudgeStatus
from bot.views.kit.letter import Letter
from bot.views.kit.parcel import Parcel
from bot.views.nudge.answers import (
    nothing_to_say,
    nudges_closed,
    nudges_on,
    nudges_refused,
    nudges_state,
    nudges_unsettled,
    schedule_changed,
    still_on,
    why_answer,
)
from bot.views.nudge.direct_message import nudge_letter, nudge_preview
from bot.views.nudge.presses import outcome_sentence, outcomes
from bot.views.nudge.welcome import welcome_letter
from bot.views.words.sentence import speaking


class NudgeWriter:
    """Composes DMs in the guild's language, and answers in the language being spoken."""

    def nudge(self, draft: NudgeDraft) -> Parcel:
        """The DM, with what was pressed so far."""
        with speaking(draft.schedule.guild.language):
            return Parcel(nudge_letter(draft))

    def welcome(self, schedule: NudgeSchedule, guild_name: str, *, delivery_id: str) -> Parcel:
        """The first DM after a manager enrolled, with the button that turns nudges off again."""
        with speaking(schedule.guild.language):
            return Parcel(welcome_letter(schedule, guild_name, delivery_id=delivery_id))

    def enrolled(self, enrolled: Enrolled) -> str:
        """The answer to `/nudges on`."""
        outcome = enrolled.outcome
        match outcome.state if outcome is not None else None:
            case None:
                return still_on(enrolled.schedule)
            case DeliveryState.SENT:
                return nudges_on(enrolled.schedule)
            case DeliveryState.PENDING:
                return nudges_refused(enrolled.schedule, outcome.problem if outcome is not None else None)
            case DeliveryState.REFUSED:
                return nudges_closed(enrolled.guild_name)
            case _:
                return nudges_unsettled()

    def status(self, status: NudgeStatus) -> str:
        """The answer to `/nudges status`."""
        return nudges_state(status)

    def why(self, found: NudgeExplanation) -> str:
        """The answer to "why not X?"."""
        return why_answer(found.why, found.name, found.context)

    def schedule(self, schedule: NudgeSchedule) -> str:
        """The answer to a change of hour, days or pause."""
        return schedule_changed(schedule)

    def preview(self, draft: NudgeDraft) -> Parcel:
        """What a nudge would say now, without its buttons."""
        if not draft.nudge.offers:
            return Parcel(Letter(content=nothing_to_say()))
        return Parcel(nudge_preview(draft))

    def handed_over(self, draft: NudgeDraft, position: int) -> str:
        """The answer to the choice of a colleague."""
        with speaking(draft.schedule.guild.language):
            return outcome_sentence(outcomes(draft)[position])
