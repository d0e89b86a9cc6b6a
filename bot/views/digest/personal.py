"""A manager's own digest as a direct message: their week, who waits for them, and what to do next."""

from collections.abc import Iterator

from bot.domain.digest_draft import PersonalDraft
from bot.domain.suggestion import Suggestion
from bot.views.digest.about import about_row
from bot.views.digest.fields import counted, finding_fields, line_fields, met_field, notes_fields
from bot.views.digest.headline import explanation, headline, quiet_title, quiet_week, thanks
from bot.views.kit.letter import Card, Letter
from bot.views.kit.links import message_link
from bot.views.kit.palette import MUTED, VERDICT, embed_colour
from bot.views.nudge.offer import offer_link, offer_sentence
from bot.views.words.amounts import duration, percent
from bot.views.words.dates import week_label
from bot.views.words.names import name_of, plain_guild, safe_name
from bot.views.words.sentence import mark, number, say, say_count


def personal_letter(draft: PersonalDraft) -> Letter:
    """The DM."""
    digest, week = draft.digest, draft.digest.week
    card = Card(
        title=quiet_title(digest) if digest.quiet else headline(digest),
        description=quiet_week(digest)
        if digest.quiet
        else "\n\n".join(paragraph for paragraph in (explanation(digest), thanks(digest)) if paragraph),
        author=say("Your week · {guild} · {week}", guild=plain_guild(week.guild_name), week=week_label(week.monday)),
        fields=(
            *line_fields(say("Who waits longest"), waiting_lines(draft)),
            *line_fields(say("Next week"), suggestion_lines(draft)),
            *finding_fields(digest),
            *met_field(digest),
            *notes_fields(digest),
        ),
        footer=counted(),
        colour=embed_colour(VERDICT[digest.figures.verdict] if week.guild.show_verdict and not digest.quiet else MUTED),
    )
    return Letter(cards=(card.fitted(),), rows=about_row(digest.delivery_id))


def waiting_lines(draft: PersonalDraft) -> Iterator[str]:
    """Who waits longest, one line each, with a link."""
    for entry in draft.waiting:
        sentence = (
            mark("**{name}** has waited {elapsed} for you. [Open the message]({link})")
            if entry.addressed
            else mark("**{name}** has waited {elapsed} for the team. [Open the message]({link})")
        )
        yield say(
            sentence,
            name=safe_name(name_of(entry.member_id, draft.context.names)),
            elapsed=duration(draft.context.now - entry.written_at),
            link=message_link(draft.digest.week.guild.guild_id, entry.channel_id, entry.message_id),
        )
    more = draft.waiting_in_all - len(draft.waiting)
    if more > 0:
        yield say_count(
            "One more waits; `/waiting` shows everybody.", "{count} more wait; `/waiting` shows everybody.", count=more
        )


def suggestion_lines(draft: PersonalDraft) -> Iterator[str]:
    """What to do next, numbered."""
    for position, suggestion in enumerate(draft.suggestions, start=1):
        yield say("{position}. {sentence}", position=number(position), sentence=_suggestion(draft, suggestion))


def _suggestion(draft: PersonalDraft, suggestion: Suggestion) -> str:
    offer = suggestion.offer
    if offer is None:
        return say(
            "Three people had {share} of your conversations: one with anybody else changes that.",
            share=percent(suggestion.top3_share or 0),
        )
    name = safe_name(name_of(offer.member_id, draft.context.names))
    sentence = offer_sentence(offer, draft.context)
    link = offer_link(offer, draft.digest.week.guild.guild_id)
    if link is None:
        return say("Write to **{name}**. {sentence}", name=name, sentence=sentence)
    return say("Write to **{name}**. {sentence} [Open the message]({link})", name=name, sentence=sentence, link=link)
