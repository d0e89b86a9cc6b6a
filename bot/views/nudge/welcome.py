"""The first message to a manager who turned nudges on: what will come, and how to stop it."""

import re

from bot.domain.nudge_time import NudgeSchedule
from bot.views.kit.letter import Button, Card, Field, Letter
from bot.views.kit.palette import REACH, embed_colour
from bot.views.words.dates import weekdays_label
from bot.views.words.names import plain_guild, plain_name, safe_guild
from bot.views.words.sentence import say

STOP_PATTERN = re.compile(r"spade:welcome:(?P<delivery_id>[0-9a-f]{1,32}):stop")
"""The custom id of the button that turns nudges off again."""


def welcome_letter(schedule: NudgeSchedule, guild_name: str, *, delivery_id: str | None = None) -> Letter:
    """The first DM. With a delivery id it carries a button that turns nudges off."""
    if delivery_id is not None and not re.fullmatch(r"[0-9a-f]{1,32}", delivery_id):
        raise ValueError(f"not an opaque delivery id: {delivery_id!r}")
    stop = Button(say("Turn nudges off"), custom_id=f"spade:welcome:{delivery_id}:stop")
    card = Card(
        title=say("Hello, this is Spade"),
        author=plain_guild(guild_name),
        description=say(
            "You turned nudges on for {guild}. This message shows that they can reach you.",
            guild=safe_guild(guild_name),
        ),
        fields=(
            Field(say("What will come"), schedule_sentence(schedule)),
            Field(
                say("What it is made of"),
                say(
                    "Who wrote, who was answered, and when. I never read what anybody says, and nobody else sees "
                    "your nudges."
                ),
            ),
            Field(
                say("How to change or stop it"),
                say(
                    "In the server: `/nudges hour` and `/nudges days` to change the time, `/nudges pause` for a "
                    "holiday, `/nudges off` to stop."
                ),
            ),
        ),
        colour=embed_colour(REACH),
    )
    return Letter(cards=(card,), rows=((stop,),) if delivery_id is not None else ())


def schedule_sentence(schedule: NudgeSchedule) -> str:
    """When a nudge can come, and that none comes without a reason."""
    return say(
        "At {hour} ({zone}), {weekdays}: at most one message a day with at most five people who were left waiting, "
        "are new, or have not been met. Nothing useful to say means no message.",
        hour=f"{schedule.manager.nudge_hour:02}:00",
        zone=plain_name(schedule.zone.key),
        weekdays=weekdays_label(schedule.manager.nudge_weekdays),
    )
