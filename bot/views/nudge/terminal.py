"""The nudge on a terminal: readable at 80 columns, and without colour."""

from rich.console import RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from bot.domain.nudge import NudgeDraft
from bot.views.kit.terminal import framed, indented
from bot.views.nudge.offer import offer_link, offer_sentence
from bot.views.nudge.title import nudge_title, throttle_sentence
from bot.views.words.names import name_of, plain_guild, plain_name
from bot.views.words.sentence import say


def nudge_report(draft: NudgeDraft) -> RenderableType:
    """The nudge as its manager gets it; one line if there is nothing to send."""
    guild = plain_guild(draft.guild_name)
    if not draft.nudge.offers:
        return framed(guild, [Text(say("Nothing useful to say today, so nothing is sent."))])
    context = draft.context
    parts: list[RenderableType] = [Text(nudge_title(draft.nudge), style="bold")]
    if draft.nudge.half_as_often:
        parts.append(Text(throttle_sentence(context.rules)))
    for position, offer in enumerate(draft.nudge.offers, start=1):
        name = plain_name(name_of(offer.member_id, context.names))
        parts += [
            Text(),
            Text(say("{position} · {name}", position=position, name=name), style="bold"),
            indented(offer_sentence(offer, context)),
        ]
        link = offer_link(offer, draft.schedule.guild.guild_id)
        if link is not None:
            parts.append(Padding(Text(link, style=Style(dim=True, link=link), overflow="fold"), (0, 0, 0, 4)))
    return framed(guild, parts)
