"""The nudge: one message to a manager about a few people who are worth a word today (docs/rules.md#nudges)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import discord

from bot.domain.calendar import local_day
from bot.domain.nudge import PRESSES, Action, Nudge, Offer, Reason
from bot.domain.rules import NudgeRules
from bot.views.kit.letter import Button, Card, Choice, ChoiceOption, Field, Letter
from bot.views.kit.links import message_link
from bot.views.kit.palette import REACH, SPREAD, embed_colour
from bot.views.words.amounts import duration, minutes
from bot.views.words.dates import day_label, weekday_name
from bot.views.words.names import name_of, plain_guild, plain_name, safe_name
from bot.views.words.sentence import number, say, say_count

_DELIVERY = r"(?P<delivery_id>[0-9a-f]{1,32})"
BUTTON_PATTERN = re.compile(rf"spade:nudge:{_DELIVERY}:(?P<position>[1-5]):(?P<action>done|hand_over|snooze|never)")
"""The custom ids of a nudge's buttons; positions count from 1, as shown."""
COLLEAGUE_PATTERN = re.compile(rf"spade:nudge:{_DELIVERY}:(?P<position>[1-5]):colleague")
"""The custom id of the list of colleagues that *Hand over* answers with; its values are manager ids."""
_COLLEAGUES_SHOWN = 25
_NAME_ON_BUTTON = 16
"""Short enough that a phone shows a row of buttons on two lines."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done: to whom it was handed over, until which date it was snoozed."""

    action: Action
    colleague_name: str | None = None
    snoozed_until: date | None = None


@dataclass(frozen=True, slots=True)
class PersonalNudge:
    """A nudge with what it takes to put it into words.

    `usual_reply_minutes` is the manager's usual median; None when it is not known. `joined` tells when members came
    to the server, where that is known. `days_on_record` is how many whole days the record reaches back; None when
    that does not matter.
    """

    nudge: Nudge
    names: Mapping[int, str]
    guild_id: int
    guild_name: str
    zone: ZoneInfo
    now: datetime
    usual_reply_minutes: float | None = None
    joined: Mapping[int, datetime] = field(default_factory=dict)
    days_on_record: int | None = None
    rules: NudgeRules = field(default_factory=NudgeRules)


def nudge_letter(facts: PersonalNudge, *, delivery_id: str, outcomes: Mapping[int, Outcome] | None = None) -> Letter:
    """The DM, as it is sent or, with `outcomes` by position (from 1), as it looks after some presses."""
    if not re.fullmatch(_DELIVERY, delivery_id):
        raise ValueError(f"not an opaque delivery id: {delivery_id!r}")
    settled = outcomes or {}
    offers = list(enumerate(facts.nudge.offers, start=1))
    all_settled = all(position in settled for position, _ in offers)
    card = Card(
        title=nudge_title(facts),
        description=say("All settled. Thank you.") if all_settled else _throttle_sentence(facts),
        author=plain_guild(facts.guild_name),
        fields=tuple(_offer_field(facts, offer, position, settled.get(position)) for position, offer in offers),
        footer=_footer(facts),
        colour=embed_colour(REACH if all_settled else SPREAD),
    )
    rows = tuple(
        row
        for position, offer in offers
        if (row := _offer_row(facts, offer, position, delivery_id, settled.get(position)))
    )
    return Letter(cards=(card,), rows=rows)


def nudge_preview(facts: PersonalNudge) -> Letter:
    """The same without buttons, so that each line leads to its message itself."""
    letter = nudge_letter(facts, delivery_id="0")
    fields = []
    for plain, offer in zip(letter.cards[0].fields, facts.nudge.offers, strict=True):
        link = _link(facts, offer)
        value = say("{sentence} [Open the message]({link})", sentence=plain.value, link=link) if link else plain.value
        fields.append(replace(plain, value=value))
    footer = say("Only you see this, and nothing was sent.")
    return Letter(cards=(replace(letter.cards[0], fields=tuple(fields), footer=footer),))


def nudge_title(facts: PersonalNudge) -> str:
    """What the message is about, in a line."""
    return say_count(
        "One person worth a word from you",
        "{count} people worth a word from you",
        count=len(facts.nudge.offers),
    )


def offer_sentence(facts: PersonalNudge, offer: Offer) -> str:
    """Why this member, in one line of plain facts."""
    sentence = _reason_sentence(facts, offer)
    if not offer.handed:
        return sentence
    return say("{sentence} {colleague} handed them over to you.", sentence=sentence, colleague=_colleague(facts, offer))


def _reason_sentence(facts: PersonalNudge, offer: Offer) -> str:
    match offer.reason:
        case Reason.WAITING:
            return _waiting_sentence(facts, offer)
        case Reason.NEWCOMER:
            return _newcomer_sentence(facts, offer)
        case Reason.UNMET:
            if offer.active_days is None:
                return say("Active lately, and nobody on the team has met them yet.")
            if facts.days_on_record is not None and facts.days_on_record < facts.rules.unmet_window_days:
                return say_count(
                    "Active on {active} of the {count} day on record, and nobody on the team has written to them in "
                    "that time.",
                    "Active on {active} of the {count} days on record, and nobody on the team has written to them in "
                    "that time.",
                    count=facts.days_on_record,
                    active=number(offer.active_days),
                )
            return say(
                "Active on {active} of the last {window} days, and nobody on the team has met them yet.",
                active=number(offer.active_days),
                window=number(facts.rules.unmet_window_days),
            )
        case Reason.COOLING:
            return _cooling_sentence(facts, offer)


def _cooling_sentence(facts: PersonalNudge, offer: Offer) -> str:
    elapsed = duration(facts.now - offer.since)
    if offer.conversations is not None:
        return say_count(
            "You last talked {elapsed} ago, after one conversation; they still write here.",
            "You last talked {elapsed} ago, after {count} conversations; they still write here.",
            count=offer.conversations,
            elapsed=elapsed,
        )
    if offer.from_manager_id is not None:
        return say(
            "Last talked with {colleague} {elapsed} ago; they still write here.",
            colleague=_colleague(facts, offer),
            elapsed=elapsed,
        )
    return say("You last talked {elapsed} ago; they still write here.", elapsed=elapsed)


def _colleague(facts: PersonalNudge, offer: Offer) -> str:
    """The name of the colleague whose member this was."""
    found = facts.names.get(offer.from_manager_id or 0)
    return safe_name(found, unnamed=say("a colleague")) if found else say("a colleague")


def throttle_sentence(facts: PersonalNudge) -> str:
    """That Spade will write half as often, why, and what ends it."""
    return say_count(
        "My last message brought no reaction, so I will write half as often. Press any button, or write to one of "
        "these people, and the usual days are back.",
        "My last {count} messages brought no reaction, so I will write half as often. Press any button, or write "
        "to one of these people, and the usual days are back.",
        count=facts.rules.quiet_after_unanswered,
    )


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


def outcome_sentence(outcome: Outcome, rules: NudgeRules) -> str:  # noqa: PLR0911 - one sentence a case
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
            if outcome.snoozed_until is None:
                return say_count("Snoozed for a day.", "Snoozed for {count} days.", count=rules.snooze.days)
            return say("Snoozed until {day}.", day=day_label(outcome.snoozed_until))
        case Action.NEVER:
            return say("Noted: you will not be nudged about them. `/nudges again` in the server takes it back.")
        case Action.MOOT:
            return say("No longer needed.")


def _throttle_sentence(facts: PersonalNudge) -> str | None:
    return throttle_sentence(facts) if facts.nudge.half_as_often else None


def _waiting_sentence(facts: PersonalNudge, offer: Offer) -> str:
    elapsed = duration(facts.now - offer.since)
    usual = facts.usual_reply_minutes
    if offer.wrote_back:
        return say("Wrote back to you {elapsed} ago.", elapsed=elapsed)
    if offer.for_team:
        return say("Has waited {elapsed} for an answer from anybody on the team.", elapsed=elapsed)
    if offer.handed:
        return say("Has waited {elapsed} for an answer.", elapsed=elapsed)
    if offer.from_manager_id is not None:
        return say(
            "Has waited {elapsed} for an answer from {colleague}, who is away.",
            elapsed=elapsed,
            colleague=_colleague(facts, offer),
        )
    if usual is None or usual * 60 >= (facts.now - offer.since).total_seconds():
        return say("Has waited {elapsed} for an answer from you.", elapsed=elapsed)
    return say(
        "Has waited {elapsed} for an answer from you; you usually answer in {usual}.",
        elapsed=elapsed,
        usual=minutes(usual),
    )


def _newcomer_sentence(facts: PersonalNudge, offer: Offer) -> str:
    first_on = local_day(offer.since, facts.zone)
    today = local_day(facts.now, facts.zone)
    wrote = _first_wrote(first_on, today)
    joined_at = facts.joined.get(offer.member_id)
    if joined_at is None or local_day(joined_at, facts.zone) >= first_on:
        return say("First wrote {day}, and nobody on the team has said hello yet.", day=wrote)
    return say(
        "Joined {elapsed} ago, first wrote {day}, and nobody on the team has said hello yet.",
        elapsed=duration(facts.now - joined_at),
        day=wrote,
    )


def _first_wrote(first_on: date, today: date) -> str:
    days_ago = (today - first_on).days
    if days_ago <= 0:
        return say("today")
    if days_ago == 1:
        return say("yesterday")
    if days_ago < 7:
        return say("on {weekday}", weekday=weekday_name(first_on.weekday()))
    return say("{days} days ago", days=number(days_ago))


def _link(facts: PersonalNudge, offer: Offer) -> str | None:
    if offer.message_id is None or offer.channel_id is None:
        return None
    return message_link(facts.guild_id, offer.channel_id, offer.message_id)


def _footer(facts: PersonalNudge) -> str:
    settings = say("Only you see this. /nudges in the server sets days and hour, or turns these messages off.")
    if not _numbered(facts) or all(_link(facts, offer) is None for offer in facts.nudge.offers):
        return settings
    return say("{hint} {settings}", hint=say("A name below opens the message."), settings=settings)


def _numbered(facts: PersonalNudge) -> bool:
    return len(facts.nudge.offers) > 1


def _offer_field(facts: PersonalNudge, offer: Offer, position: int, outcome: Outcome | None) -> Field:
    name = safe_name(name_of(offer.member_id, facts.names))
    if outcome is not None:
        return Field(
            say("✓ {position} · ~~{name}~~", position=position, name=name)
            if _numbered(facts)
            else say("✓ ~~{name}~~", name=name),
            outcome_sentence(outcome, facts.rules),
        )
    return Field(
        say("{position} · {name}", position=position, name=name) if _numbered(facts) else name,
        offer_sentence(facts, offer),
    )


def _offer_row(
    facts: PersonalNudge, offer: Offer, position: int, delivery_id: str, outcome: Outcome | None
) -> tuple[Button, ...]:
    """The buttons for one member, of whom the first one says whose they are and opens the message.

    Once settled, the one that was pressed stays, to show it and to keep the rows.
    """
    link = _link(facts, offer)
    numbered = _numbered(facts)
    name = plain_name(name_of(offer.member_id, facts.names), _NAME_ON_BUTTON)
    buttons: list[Button] = []
    if link:
        label = say("{position} · {name}", position=position, name=name) if numbered else say("Open the message")
        buttons.append(Button(label, url=link))
    for action in PRESSES if outcome is None else (outcome.action,):
        if action is not Action.MOOT:
            label = _label(action, facts.rules) if outcome is None else _settled_label(action)
            if numbered and not buttons:
                label = say("{position} · {name}: {label}", position=position, name=name, label=label)
            buttons.append(
                Button(
                    label,
                    custom_id=f"spade:nudge:{delivery_id}:{position}:{action}",
                    style=discord.ButtonStyle.success if outcome is not None else discord.ButtonStyle.secondary,
                    disabled=outcome is not None,
                )
            )
    return tuple(buttons)


def _label(action: Action, rules: NudgeRules) -> str:
    match action:
        case Action.DONE:
            return say("Done")
        case Action.HAND_OVER:
            return say("Hand over")
        case Action.SNOOZE:
            return say_count("Snooze a day", "Snooze {count} days", count=rules.snooze.days)
        case Action.NEVER:
            return say("Not this person")
        case Action.MOOT:
            return say("No longer needed")


def _settled_label(action: Action) -> str:
    match action:
        case Action.DONE:
            return say("Done")
        case Action.HAND_OVER:
            return say("Handed over")
        case Action.SNOOZE:
            return say("Snoozed")
        case Action.NEVER:
            return say("Not this person")
        case Action.MOOT:
            return say("No longer needed")
