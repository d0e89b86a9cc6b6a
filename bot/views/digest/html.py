"""The team's digest as one HTML file to mail: no script, nothing fetched, readable on light and dark screens."""

from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.domain.digest_draft import DigestDraft
from bot.views.digest.chart import alt_text, digest_picture
from bot.views.digest.fields import counted
from bot.views.digest.findings import findings, share_words
from bot.views.digest.headline import explanation, headline, quiet_title, quiet_week, thanks
from bot.views.digest.notes import notes
from bot.views.digest.picture import RecordExtent
from bot.views.digest.stayers import stayers_sentence
from bot.views.kit.palette import MUTED, VERDICT
from bot.views.words.dates import week_label
from bot.views.words.names import plain_guild
from bot.views.words.sentence import say, spoken

_templates = Environment(
    loader=PackageLoader("bot.views.digest", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def digest_page(draft: DigestDraft, picture: bytes | None) -> str:
    """The page, in the language that is spoken. `picture` is the PNG of `digest_picture`."""
    lines = findings(draft)
    columns = {
        say("before"): [finding.before for finding in lines],
        say("usual"): [finding.usual for finding in lines],
        say("now"): [finding.corrected for finding in lines],
    }
    return _templates.get_template("digest.html").render(
        language=spoken().replace("_", "-"),
        guild=plain_guild(draft.week.guild_name),
        week=week_label(draft.week.monday),
        headline=quiet_title(draft) if draft.quiet else headline(draft),
        colour=VERDICT[draft.figures.verdict] if draft.week.guild.show_verdict and not draft.quiet else MUTED,
        paragraphs=[quiet_week(draft)]
        if draft.quiet
        else [paragraph for paragraph in (explanation(draft), thanks(draft)) if paragraph],
        findings=lines if draft.has_findings else (),
        columns={title: values for title, values in columns.items() if any(values)},
        picture=None if picture is None else b64encode(picture).decode("ascii"),
        alt_text=alt_text(draft),
        weeks_title=say("Week by week"),
        weeks_heads=(say("Week of"), say("Reached"), say("Spread")),
        weeks=() if draft.quiet else _weeks(draft),
        stayers_title=say("Newcomers who stay"),
        stayers=None if draft.quiet else stayers_sentence(draft),
        notes_title=say("Good to know"),
        notes=notes(draft),
        counted=counted(),
    )


def _weeks(draft: DigestDraft) -> list[tuple[str, str, str, str]]:
    picture = digest_picture(draft)
    assert picture is not None  # not a quiet week
    rows = zip(picture.week_labels, picture.extents, picture.reach.values, picture.spread.values, strict=True)
    return [
        (label, picture.no_record, picture.no_record, "")
        if extent is RecordExtent.NONE
        else (label, share_words(reach), share_words(spread), picture.gap if extent is RecordExtent.GAP else "")
        for label, extent, reach, spread in rows
    ]
