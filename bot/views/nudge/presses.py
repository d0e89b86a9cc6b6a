"""What presses on a nudge did, and the answers to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bot.domain.calendar import local_day
from bot.domain.nudge import Action, NudgeDraft
from bot.views.kit.letter import Choice, ChoiceOption, Letter
from bot.views.words.dates import day_label
from bot.views.words.names import name_of, plain_name, safe_name
from bot.views.words.sentence import say

COLLEAGUE_PATTERN = re.compile(r"spade:nudge:(?P<delivery_id>[0-9a-f]{1,32}):(?P<position>[1-5]):colleague")
"""The custom id of the list of colleagues that *Hand over* answers with; its values are manager ids."""
_COLLEAGUES_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a press did, as words need it: the colleague's name, and the manager's local date on which a snooze ends."""

    action: Action
    colleague_name: str | None = None
    snoozed_until: date | None = None


def outcomes(draft: NudgeDraft) -> Mapping[int, Outcome]:
    """What was done about each member so far, by position."""
    rules, names = draft.context.rules, draft.context.names
    return {
        press.position: Outcome(
            action=press.action,
            colleague_name=None if press.colleague_id is None else name_of(press.colleague_id, names),
            snoozed_until=(
                local_day(press.pressed_at + rules.snooze, draft.schedule.zone)
                if press.action is Action.SNOOZE
                else None
            ),
        )
        for press in draft.presses
    }


def outcome_sentence(outcome: Outcome) -> str:
    """What was done, in words."""
    match outcome.action:
        case Action.DONE:
            return say("Done.")
        case Action.HAND_OVER:
            if outcome.colleague_name is None:
                return say("Handed over to a colleague, who will find them in their next nudge.")
            return say(
                "Handed over to {colleague}, who will find them in their next nudge.",
                colleague=safe_name(outcome.colleague_name),
            )
        case Action.SNOOZE:
            assert outcome.snoozed_until is not None  # every snooze ends on a day
            return say("Snoozed until {day}.", day=day_label(outcome.snoozed_until))
        case Action.NEVER:
            return say("Noted: you will not be nudged about them. `/nudges again` in the server takes it back.")
        case Action.MOOT:
            return say("No longer needed.")


def hand_over_letter(colleagues: Mapping[int, str], *, delivery_id: str, position: int, member_name: str) -> Letter:
    """The answer to *Hand over*: the colleagues to choose from, by id and name."""
    if not colleagues:
        return Letter(
            content=say(
                "No other manager of this server gets nudges about them right now, so nobody would find them there. A "
                "colleague can turn theirs on with `/nudges on`."
            )
        )
    return Letter(
        content=say(
            "Who should look after {member}? They will find them in their next nudge.",
            member=safe_name(member_name),
        ),
        rows=(
            Choice(
                custom_id=f"spade:nudge:{delivery_id}:{position}:colleague",
                placeholder=say("Choose a colleague"),
                options=tuple(
                    ChoiceOption(label=plain_name(name), value=str(manager_id))
                    for manager_id, name in list(colleagues.items())[:_COLLEAGUES_SHOWN]
                ),
            ),
        ),
    )


def not_your_nudge() -> str:
    """The answer to a press by somebody else."""
    return say("This message belongs to somebody else.")


def not_a_manager_any_more() -> str:
    """The answer to a press by somebody who was taken off the manager list."""
    return say("You are not on that server's manager list any more, so nothing was done.")


def colleague_not_there() -> str:
    """The answer to choosing a colleague who, by now, would not find the member in a nudge."""
    return say("They get no nudges about this person at the moment. Nothing was done; choose somebody else.")


def already_settled() -> str:
    """The answer to a press that comes after another one."""
    return say("That one is settled already; nothing more was done.")
