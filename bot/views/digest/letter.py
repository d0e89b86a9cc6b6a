"""The weekly digest for the team's channel: did the attention spread, or did it go to a handful of people?

It is read by everybody in the channel: the team's figures only, nobody by name, no list of people who were left
out. A manager who asks for it is also told who was met for the first time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.domain.rules import Rules
from bot.views.digest.chart import alt_text
from bot.views.digest.facts import DigestFacts
from bot.views.digest.findings import findings
from bot.views.digest.headline import explanation, headline, quiet_title, quiet_week, thanks
from bot.views.digest.notes import notes
from bot.views.digest.stayers import stayers_sentence
from bot.views.kit.letter import FIELD_LIMIT, Attachment, Button, Card, Field, Letter
from bot.views.kit.palette import MUTED, VERDICT, embed_colour
from bot.views.words.amounts import minutes, percent
from bot.views.words.dates import week_label
from bot.views.words.names import plain_guild, safe_name
from bot.views.words.sentence import number, say, say_count
from bot.views.words.text import length

PICTURE_NAME = "digest.png"
BUTTON_PATTERN = re.compile(r"spade:digest:(?P<delivery_id>[0-9a-f]{1,32}):about")
"""The custom id of the button that explains how it is counted."""


def digest_letter(facts: DigestFacts, *, delivery_id: str | None) -> Letter:
    """The post for the team's channel. Its attachment, when there is one, is the picture of `digest_picture`.

    A digest that is only looked at is no delivery: without an id it has no button.
    """
    rows = about_row(delivery_id)
    author = say("{guild} · {week}", guild=plain_guild(facts.guild_name), week=week_label(facts.monday))
    if facts.quiet:
        card = Card(
            title=quiet_title(facts),
            description="\n".join((quiet_week(facts), *notes(facts))),
            author=author,
            fields=(*finding_fields(facts), *met_field(facts)),
            colour=embed_colour(MUTED),
        )
        return Letter(cards=(card.fitted(),), rows=rows)
    card = Card(
        title=headline(facts),
        description="\n\n".join(paragraph for paragraph in (explanation(facts), thanks(facts)) if paragraph),
        author=author,
        fields=(*finding_fields(facts), *met_field(facts), *_stayers_field(facts), *notes_fields(facts)),
        footer=counted(),
        colour=embed_colour(VERDICT[facts.figures.verdict] if facts.show_verdict else MUTED),
        picture=PICTURE_NAME,
    )
    return Letter(cards=(card.fitted(),), rows=rows, attachment=Attachment(PICTURE_NAME, alt_text(facts)))


def about_row(delivery_id: str | None) -> tuple[tuple[Button, ...], ...]:
    """The button that explains how it is counted; by it a delivery is found again, so it stands on every one."""
    if delivery_id is None:
        return ()
    if not re.fullmatch(r"[0-9a-f]{1,32}", delivery_id):
        raise ValueError(f"not an opaque delivery id: {delivery_id!r}")
    return ((Button(say("How this is counted"), custom_id=f"spade:digest:{delivery_id}:about"),),)


def counted() -> str:
    """What the figures are made of, in a line."""
    return say("Counted: personal replies, mentions and thread answers by managers. Never what anybody said.")


def finding_fields(facts: DigestFacts) -> Iterator[Field]:
    """The findings, side by side; none of a quiet week."""
    for finding in findings(facts) if facts.has_findings else ():
        figure = say("**{figure}**", figure=finding.figure)
        if finding.corrected is not None:
            figure = say("{figure}, now {corrected}", figure=figure, corrected=finding.corrected)
        if finding.before is not None and finding.usual is not None:
            figure = say(
                "{figure} (week before: {before}; usually {usual})",
                figure=figure,
                before=finding.before,
                usual=finding.usual,
            )
        elif finding.before is not None:
            figure = say("{figure} (week before: {before})", figure=figure, before=finding.before)
        elif finding.usual is not None:
            figure = say("{figure} (usually {usual})", figure=figure, usual=finding.usual)
        yield Field(finding.title, f"{figure}\n{finding.meaning}", inline=True)


def notes_fields(facts: DigestFacts) -> Iterator[Field]:
    """The notes, in as many fields as they need."""
    return line_fields(say("Good to know"), notes(facts))


def line_fields(name: str, lines: Iterable[str]) -> Iterator[Field]:
    """Whole lines, in as many fields of that name as they need: cut short, a line would lose its link."""
    paragraph = ""
    for line in lines:
        longer = f"{paragraph}\n{line}" if paragraph else line
        if paragraph and length(longer) > FIELD_LIMIT:
            yield Field(name, paragraph)
            longer = line
        paragraph = longer
    if paragraph:
        yield Field(name, paragraph)


def names_in_a_row(names: Sequence[str], in_all: int) -> str:
    """As many names as fit into a field, and how many more there are."""
    shown: list[str] = []
    room = FIELD_LIMIT - 100
    for name in names:
        safe = safe_name(name)
        room -= length(safe) + 2
        if room < 0:
            break
        shown.append(safe)
    if in_all > len(shown):
        return say_count(
            "{names} and one more", "{names} and {count} more", count=in_all - len(shown), names=", ".join(shown)
        )
    return ", ".join(shown)


def met_field(facts: DigestFacts) -> tuple[Field, ...]:
    """Who was met for the first time; only where names were given, which the channel's post has none of."""
    if not facts.first_contacts:
        return ()
    names = names_in_a_row(facts.first_contacts, facts.first_contacts_in_all)
    return (Field(say("Met for the first time"), names),)


def _stayers_field(facts: DigestFacts) -> tuple[Field, ...]:
    sentence = stayers_sentence(facts)
    return (Field(say("Newcomers who stay"), sentence),) if sentence else ()


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
