"""The team's weekly digest as a post in its channel.

Everybody in the channel reads it, so it has the team's figures only and names nobody. If a manager asks for it, the
draft has names, and it also says who was met for the first time.
"""

from bot.domain.digest_draft import DigestDraft
from bot.views.digest.about import about_row
from bot.views.digest.chart import alt_text
from bot.views.digest.fields import counted, finding_fields, met_field, notes_fields
from bot.views.digest.headline import explanation, headline, quiet_title, quiet_week, thanks
from bot.views.digest.notes import notes
from bot.views.digest.stayers import stayers_sentence
from bot.views.kit.letter import Attachment, Card, Field, Letter
from bot.views.kit.palette import MUTED, VERDICT, embed_colour
from bot.views.words.dates import week_label
from bot.views.words.names import plain_guild
from bot.views.words.sentence import say

PICTURE_NAME = "digest.png"


def digest_letter(draft: DigestDraft) -> Letter:
    """The post for the team's channel. Its attachment is the picture of `digest_picture`; a quiet week has none."""
    rows = about_row(draft.delivery_id)
    author = say("{guild} · {week}", guild=plain_guild(draft.week.guild_name), week=week_label(draft.week.monday))
    if draft.quiet:
        card = Card(
            title=quiet_title(draft),
            description="\n".join((quiet_week(draft), *notes(draft))),
            author=author,
            fields=(*finding_fields(draft), *met_field(draft)),
            colour=embed_colour(MUTED),
        )
        return Letter(cards=(card.fitted(),), rows=rows)
    card = Card(
        title=headline(draft),
        description="\n\n".join(paragraph for paragraph in (explanation(draft), thanks(draft)) if paragraph),
        author=author,
        fields=(*finding_fields(draft), *met_field(draft), *_stayers_field(draft), *notes_fields(draft)),
        footer=counted(),
        colour=embed_colour(VERDICT[draft.figures.verdict] if draft.week.guild.show_verdict else MUTED),
        picture=PICTURE_NAME,
    )
    return Letter(cards=(card.fitted(),), rows=rows, attachment=Attachment(PICTURE_NAME, alt_text(draft)))


def _stayers_field(draft: DigestDraft) -> tuple[Field, ...]:
    sentence = stayers_sentence(draft)
    return (Field(say("Newcomers who stay"), sentence),) if sentence else ()
