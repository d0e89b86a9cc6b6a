"""The list of who waits, as `/waiting` shows it."""

import re

from bot.services.members.waiting import WaitingMember, WaitingPage
from bot.views.kit.letter import Button, Card, Letter
from bot.views.kit.links import message_link
from bot.views.kit.palette import REACH, SPREAD, embed_colour
from bot.views.words.amounts import duration
from bot.views.words.names import name_of, safe_name
from bot.views.words.sentence import mark_count, number, say, say_count

PAGE_SIZE = 10
BUTTON_PATTERN = re.compile(r"spade:waiting:(?P<page>\d{1,4}):(?:previous|next|again)")
"""The custom ids of the list's buttons: the page to show next, and which button it is."""

_FOR_YOU = mark_count(
    "**{name}** has waited {elapsed} for you. [Open]({link})",
    "**{name}** has waited {elapsed} for you, with {count} messages. [Open]({link})",
)
_FOR_THE_TEAM = mark_count(
    "**{name}** has waited {elapsed} for the team. [Open]({link})",
    "**{name}** has waited {elapsed} for the team, with {count} messages. [Open]({link})",
)


def waiting_letter(page: WaitingPage) -> Letter:
    """One page of the list with its buttons; an empty list says so."""
    if not page.members:
        return Letter(
            cards=(
                Card(
                    title=say("Nobody waits"),
                    description=say("Every message to you or to the team has its answer, or is set aside."),
                    colour=embed_colour(REACH),
                ),
            ),
            rows=(_buttons(page),),
        )
    card = Card(
        title=say_count(
            "One person waits for you or the team", "{count} people wait for you or the team", count=page.total
        ),
        description="\n".join(_line(page, member) for member in page.members),
        footer=_footer(page),
        colour=embed_colour(SPREAD),
    )
    return Letter(cards=(card,), rows=(_buttons(page),))


def _line(page: WaitingPage, member: WaitingMember) -> str:
    entry = member.oldest
    one, many = _FOR_YOU if entry.addressed else _FOR_THE_TEAM
    return say_count(
        one,
        many,
        count=member.messages,
        name=safe_name(name_of(member.member_id, page.names)),
        elapsed=duration(page.now - entry.written_at),
        link=message_link(page.guild_id, entry.channel_id, entry.message_id),
    )


def _footer(page: WaitingPage) -> str:
    order = say("Longest first. A reply ends the waiting; so does your reaction to the message.")
    if page.pages == 1:
        return order
    return say("Page {number} of {pages}. {order}", number=number(page.number), pages=number(page.pages), order=order)


def _buttons(page: WaitingPage) -> tuple[Button, ...]:
    again = Button(say("Look again"), custom_id=f"spade:waiting:{page.number}:again")
    if page.pages == 1:
        return (again,)
    return (
        Button(
            say("Previous"),
            custom_id=f"spade:waiting:{max(page.number - 1, 1)}:previous",
            disabled=page.number == 1,
        ),
        Button(
            say("Next"),
            custom_id=f"spade:waiting:{page.number + 1}:next",
            disabled=page.number == page.pages,
        ),
        again,
    )
