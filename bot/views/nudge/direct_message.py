"""The nudge as a direct message to its manager (docs/rules.md#nudges)."""

import re
from dataclasses import replace

import discord

from bot.domain.nudge import PRESSES, Action, NudgeDraft, Offer
from bot.domain.rules import NudgeRules
from bot.views.kit.letter import Button, Card, Field, Letter
from bot.views.kit.palette import REACH, SPREAD, embed_colour
from bot.views.nudge.offer import offer_link, offer_sentence
from bot.views.nudge.presses import Outcome, outcome_sentence, outcomes
from bot.views.nudge.title import nudge_title, throttle_sentence
from bot.views.words.names import name_of, plain_guild, plain_name, safe_name
from bot.views.words.sentence import say, say_count

_DELIVERY = r"(?P<delivery_id>[0-9a-f]{1,32})"
BUTTON_PATTERN = re.compile(rf"spade:nudge:{_DELIVERY}:(?P<position>[1-5]):(?P<action>done|hand_over|snooze|never)")
"""The custom ids of a nudge's buttons; positions count from 1, as shown."""
_NAME_ON_BUTTON = 16
"""Short enough that a phone shows a row of buttons on two lines."""


def nudge_letter(draft: NudgeDraft) -> Letter:
    """The DM, as it looks after the presses so far. ValueError if its delivery id is not opaque."""
    if not re.fullmatch(_DELIVERY, draft.delivery_id):
        raise ValueError(f"not an opaque delivery id: {draft.delivery_id!r}")
    settled = outcomes(draft)
    offers = list(enumerate(draft.nudge.offers, start=1))
    all_settled = all(position in settled for position, _ in offers)
    throttle = throttle_sentence(draft.context.rules) if draft.nudge.half_as_often else None
    card = Card(
        title=nudge_title(draft.nudge),
        description=say("All settled. Thank you.") if all_settled else throttle,
        author=plain_guild(draft.guild_name),
        fields=tuple(_offer_field(draft, offer, position, settled.get(position)) for position, offer in offers),
        footer=_footer(draft),
        colour=embed_colour(REACH if all_settled else SPREAD),
    )
    rows = tuple(
        row for position, offer in offers if (row := _offer_row(draft, offer, position, settled.get(position)))
    )
    return Letter(cards=(card,), rows=rows)


def nudge_preview(draft: NudgeDraft) -> Letter:
    """The same without buttons, so each line has a link to its message."""
    letter = nudge_letter(draft)
    fields = []
    for plain, offer in zip(letter.cards[0].fields, draft.nudge.offers, strict=True):
        link = offer_link(offer, draft.schedule.guild.guild_id)
        value = say("{sentence} [Open the message]({link})", sentence=plain.value, link=link) if link else plain.value
        fields.append(replace(plain, value=value))
    footer = say("Only you see this, and nothing was sent.")
    return Letter(cards=(replace(letter.cards[0], fields=tuple(fields), footer=footer),))


def _footer(draft: NudgeDraft) -> str:
    settings = say("Only you see this. /nudges in the server sets days and hour, or turns these messages off.")
    guild_id = draft.schedule.guild.guild_id
    if not _numbered(draft) or all(offer_link(offer, guild_id) is None for offer in draft.nudge.offers):
        return settings
    return say("{hint} {settings}", hint=say("A name below opens the message."), settings=settings)


def _numbered(draft: NudgeDraft) -> bool:
    return len(draft.nudge.offers) > 1


def _offer_field(draft: NudgeDraft, offer: Offer, position: int, outcome: Outcome | None) -> Field:
    name = safe_name(name_of(offer.member_id, draft.context.names))
    if outcome is not None:
        return Field(
            say("✓ {position} · ~~{name}~~", position=position, name=name)
            if _numbered(draft)
            else say("✓ ~~{name}~~", name=name),
            outcome_sentence(outcome),
        )
    return Field(
        say("{position} · {name}", position=position, name=name) if _numbered(draft) else name,
        offer_sentence(offer, draft.context),
    )


def _offer_row(draft: NudgeDraft, offer: Offer, position: int, outcome: Outcome | None) -> tuple[Button, ...]:
    """The buttons for one member. The first one names the member, and opens the message if there is one.

    Once the member is settled, only the button that was pressed is left, so that the rows keep their order.
    """
    link = offer_link(offer, draft.schedule.guild.guild_id)
    numbered, rules = _numbered(draft), draft.context.rules
    name = plain_name(name_of(offer.member_id, draft.context.names), _NAME_ON_BUTTON)
    buttons: list[Button] = []
    if link:
        label = say("{position} · {name}", position=position, name=name) if numbered else say("Open the message")
        buttons.append(Button(label, url=link))
    for action in PRESSES if outcome is None else (outcome.action,):
        if action is not Action.MOOT:
            label = _label(action, rules) if outcome is None else _settled_label(action)
            if numbered and not buttons:
                label = say("{position} · {name}: {label}", position=position, name=name, label=label)
            buttons.append(
                Button(
                    label,
                    custom_id=f"spade:nudge:{draft.delivery_id}:{position}:{action}",
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
