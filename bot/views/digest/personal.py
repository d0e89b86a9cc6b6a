"""A manager's own digest, by direct message: their week, who waits for them, and what they could do next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.suggestion import Suggestion
from bot.domain.waiting import WaitingEntry
from bot.views.digest.facts import DigestFacts
from bot.views.digest.headline import explanation, headline, quiet_title, quiet_week, thanks
from bot.views.digest.letter import about_row, counted, finding_fields, line_fields, met_field, notes_fields
from bot.views.kit.letter import Card, Letter
from bot.views.kit.links import message_link
from bot.views.kit.palette import MUTED, VERDICT, embed_colour
from bot.views.nudge.letter import PersonalNudge, offer_sentence
from bot.views.words.amounts import duration, percent
from bot.views.words.dates import week_label
from bot.views.words.names import name_of, plain_guild, safe_name
from bot.views.words.sentence import mark, number, say, say_count


@dataclass(frozen=True, slots=True)
class PersonalFacts:
    """A manager's week, `week`, with what is theirs alone.

    `nudge` holds no offers; it is what the suggestions' sentences are made with.
    """

    week: DigestFacts
    guild_id: int
    nudge: PersonalNudge
    names: Mapping[int, str]
    now: datetime
    waiting: Sequence[WaitingEntry] = ()
    waiting_in_all: int = 0
    suggestions: Sequence[Suggestion] = ()


def personal_letter(facts: PersonalFacts, *, delivery_id: str | None) -> Letter:
    """The DM. One that is only looked at is no delivery: without an id it has no button."""
    week = facts.week
    card = Card(
        title=quiet_title(week) if week.quiet else headline(week),
        description=quiet_week(week)
        if week.quiet
        else "\n\n".join(paragraph for paragraph in (explanation(week), thanks(week)) if paragraph),
        author=say("Your week · {guild} · {week}", guild=plain_guild(week.guild_name), week=week_label(week.monday)),
        fields=(
            *line_fields(say("Who waits longest"), waiting_lines(facts)),
            *line_fields(say("Next week"), suggestion_lines(facts)),
            *finding_fields(week),
            *met_field(week),
            *notes_fields(week),
        ),
        footer=counted(),
        colour=embed_colour(VERDICT[week.figures.verdict] if week.show_verdict and not week.quiet else MUTED),
    )
    return Letter(cards=(card.fitted(),), rows=about_row(delivery_id))


def waiting_lines(facts: PersonalFacts) -> Iterator[str]:
    """Who waits longest, a line each, with a link."""
    for entry in facts.waiting:
        sentence = (
            mark("**{name}** has waited {elapsed} for you. [Open the message]({link})")
            if entry.addressed
            else mark("**{name}** has waited {elapsed} for the team. [Open the message]({link})")
        )
        yield say(
            sentence,
            name=safe_name(name_of(entry.member_id, facts.names)),
            elapsed=duration(facts.now - entry.written_at),
            link=message_link(facts.guild_id, entry.channel_id, entry.message_id),
        )
    more = facts.waiting_in_all - len(facts.waiting)
    if more > 0:
        yield say_count(
            "One more waits; `/waiting` shows everybody.", "{count} more wait; `/waiting` shows everybody.", count=more
        )


def suggestion_lines(facts: PersonalFacts) -> Iterator[str]:
    """What to do next, numbered."""
    for position, suggestion in enumerate(facts.suggestions, start=1):
        yield say("{position}. {sentence}", position=number(position), sentence=_suggestion(facts, suggestion))


def _suggestion(facts: PersonalFacts, suggestion: Suggestion) -> str:
    offer = suggestion.offer
    if offer is None:
        return say(
            "Three people had {share} of your conversations: one with anybody else changes that.",
            share=percent(suggestion.top3_share or 0),
        )
    name = safe_name(name_of(offer.member_id, facts.names))
    sentence = offer_sentence(facts.nudge, offer)
    if offer.message_id is None or offer.channel_id is None:
        return say("Write to **{name}**. {sentence}", name=name, sentence=sentence)
    return say(
        "Write to **{name}**. {sentence} [Open the message]({link})",
        name=name,
        sentence=sentence,
        link=message_link(facts.guild_id, offer.channel_id, offer.message_id),
    )
