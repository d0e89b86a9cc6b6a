"""The list of active members nobody has met, as `/unmet` shows it."""

import re

from bot.domain.snowflake import moment_of
from bot.services.members.unmet import UnmetPage
from bot.store.activity import Trace
from bot.views.kit.letter import Card, Letter
from bot.views.kit.links import message_link
from bot.views.kit.list_buttons import page_buttons, page_footer
from bot.views.kit.palette import REACH, SPREAD, embed_colour
from bot.views.words.dates import discord_time
from bot.views.words.names import name_of, safe_name
from bot.views.words.sentence import number, say, say_count

PAGE_SIZE = 10
BUTTON_PATTERN = re.compile(r"spade:unmet:(?P<page>\d{1,4}):(?:previous|next|again)")
_PREFIX = "spade:unmet"


def unmet_letter(page: UnmetPage) -> Letter:
    """One page of the list with its buttons; an empty list says why it is empty."""
    rows = (page_buttons(_PREFIX, page.number, page.pages),)
    if not page.members:
        description = (
            say_count(
                "In the last {days} days {count} member was active, and the team has talked to them.",
                "In the last {days} days {count} members were active, and the team has talked to every one of them.",
                count=page.active,
                days=number(page.days),
            )
            if page.active
            else say(
                "Nobody was active in the last {days} days, as far as Spade has seen. If there should be somebody, "
                "`/backfill` reads older messages, and `/status` says what cannot be read.",
                days=number(page.days),
            )
        )
        card = Card(title=say("Nobody is unmet"), description=description, colour=embed_colour(REACH))
        return Letter(cards=(card,), rows=rows)
    card = Card(
        title=say_count(
            "One active member has never been met", "{count} active members have never been met", count=page.total
        ),
        description="\n".join(_line(page, member_id, trace) for member_id, trace in page.members),
        footer=page_footer(page.number, page.pages, _order(page)),
        colour=embed_colour(SPREAD),
    )
    return Letter(cards=(card,), rows=rows)


def _line(page: UnmetPage, member_id: int, trace: Trace) -> str:
    return say(
        "**{name}**, here since {since}. [Their last message]({link}), {ago}",
        name=safe_name(name_of(member_id, page.names)),
        since=discord_time(moment_of(trace.first_message_id), "d"),
        ago=discord_time(moment_of(trace.last_message_id)),
        link=message_link(page.guild_id, trace.last_channel_id, trace.last_message_id),
    )


def _order(page: UnmetPage) -> str:
    return say_count(
        "Active in the last {days} days: {count} member. Whoever came first stands first.",
        "Active in the last {days} days: {count} members. Whoever came first stands first.",
        count=page.active,
        days=number(page.days),
    )
