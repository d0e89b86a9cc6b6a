"""How a digest is counted: the button on each digest, and the answer to it."""

import re

from bot.domain.rules import Rules
from bot.views.kit.letter import Button, Card, Field, Letter
from bot.views.kit.palette import MUTED, embed_colour
from bot.views.words.amounts import minutes, percent
from bot.views.words.sentence import number, say

BUTTON_PATTERN = re.compile(r"spade:digest:(?P<delivery_id>[0-9a-f]{1,32}):about")
"""The custom id of the button that explains how it is counted."""


def about_row(delivery_id: str | None) -> tuple[tuple[Button, ...], ...]:
    """A row with the button; none without a delivery id, so for a digest that is only looked at.

    A delivery is found again by the id in its button, so every digest that is sent has one.
    """
    if delivery_id is None:
        return ()
    if not re.fullmatch(r"[0-9a-f]{1,32}", delivery_id):
        raise ValueError(f"not an opaque delivery id: {delivery_id!r}")
    return ((Button(say("How this is counted"), custom_id=f"spade:digest:{delivery_id}:about"),),)


def about_letter(rules: Rules | None = None) -> Letter:
    """The answer to *How this is counted*."""
    rules = rules or Rules()
    card = Card(
        title=say("How this is counted"),
        fields=(
            Field(
                say("A conversation"),
                say(
                    "A manager's replies to one member, mentions of them and answers in their thread, each at most "
                    "{gap} after the one before. Contact that a manager logged by command counts too; its share is "
                    "shown.",
                    gap=minutes(rules.conversation_gap.total_seconds() / 60),
                ),
            ),
            Field(
                say("Reached"),
                say("The share of this week's active members who had a conversation. Active: wrote at least once."),
            ),
            Field(
                say("Spread"),
                say(
                    "How evenly the conversations were shared: the number of people that would give the same "
                    "evenness if all were addressed alike, over the most people they could have gone to. 100% is "
                    "perfectly even. It needs {needed} conversations.",
                    needed=number(rules.spread_needs_conversations),
                ),
            ),
            Field(
                say("The verdict"),
                say(
                    "Spread of at least {social}: social media. At most {influence}: influence media. With fewer "
                    "than {needed} conversations in the week, the last {weeks} weeks are judged together; if they "
                    "hold too few as well, it is too quiet to call.",
                    social=percent(rules.social_from),
                    influence=percent(rules.influence_to),
                    needed=number(rules.verdict_needs_conversations),
                    weeks=number(rules.verdict_weeks),
                ),
            ),
            Field(
                say("What is on record"),
                say(
                    "Who wrote when, and whom managers answered. Never what was said. Members are not scored, and "
                    "what they say to each other is not looked at. `/privacy` shows and erases what is stored "
                    "about you."
                ),
            ),
        ),
        colour=embed_colour(MUTED),
    )
    return Letter(cards=(card,))
