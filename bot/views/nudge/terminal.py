"""The nudge as its manager reads it on a terminal: at 80 columns, and without any colour."""

from rich.console import RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from bot.views.kit.links import message_link
from bot.views.kit.terminal import _framed, _indented
from bot.views.nudge.letter import PersonalNudge, nudge_title, offer_sentence, throttle_sentence
from bot.views.words.names import name_of, plain_guild, plain_name
from bot.views.words.sentence import say


def nudge_report(facts: PersonalNudge) -> RenderableType:
    """The nudge as its manager gets it; one line when there is nothing to send."""
    guild = plain_guild(facts.guild_name)
    if not facts.nudge.offers:
        return _framed(guild, [Text(say("Nothing useful to say today, so nothing is sent."))])
    parts: list[RenderableType] = [Text(nudge_title(facts), style="bold")]
    if facts.nudge.half_as_often:
        parts.append(Text(throttle_sentence(facts)))
    for position, offer in enumerate(facts.nudge.offers, start=1):
        name = plain_name(name_of(offer.member_id, facts.names))
        parts += [
            Text(),
            Text(say("{position} · {name}", position=position, name=name), style="bold"),
            _indented(offer_sentence(facts, offer)),
        ]
        if offer.message_id is not None and offer.channel_id is not None:
            link = message_link(facts.guild_id, offer.channel_id, offer.message_id)
            parts.append(Padding(Text(link, style=Style(dim=True, link=link), overflow="fold"), (0, 0, 0, 4)))
    return _framed(guild, parts)
