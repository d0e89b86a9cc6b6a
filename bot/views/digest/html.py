"""The team's digest as one file to mail around: no script, nothing fetched, for light and dark screens."""

from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.views.digest.chart import alt_text, digest_picture
from bot.views.digest.facts import DigestFacts
from bot.views.digest.findings import findings, share_words
from bot.views.digest.headline import explanation, headline, quiet_title, quiet_week, thanks
from bot.views.digest.letter import counted
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


def digest_page(facts: DigestFacts, picture: bytes | None) -> str:
    """The page, in the language that is spoken. `picture` is the PNG of `digest_picture`."""
    lines = findings(facts)
    columns = {
        say("before"): [finding.before for finding in lines],
        say("usual"): [finding.usual for finding in lines],
        say("now"): [finding.corrected for finding in lines],
    }
    return _templates.get_template("digest.html").render(
        language=spoken().replace("_", "-"),
        guild=plain_guild(facts.guild_name),
        week=week_label(facts.monday),
        headline=quiet_title(facts) if facts.quiet else headline(facts),
        colour=VERDICT[facts.figures.verdict] if facts.show_verdict and not facts.quiet else MUTED,
        paragraphs=[quiet_week(facts)]
        if facts.quiet
        else [paragraph for paragraph in (explanation(facts), thanks(facts)) if paragraph],
        findings=lines if facts.has_findings else (),
        columns={title: values for title, values in columns.items() if any(values)},
        picture=None if picture is None else b64encode(picture).decode("ascii"),
        alt_text=alt_text(facts),
        weeks_title=say("Week by week"),
        weeks_heads=(say("Week of"), say("Reached"), say("Spread")),
        weeks=() if facts.quiet else _weeks(facts),
        stayers_title=say("Newcomers who stay"),
        stayers=None if facts.quiet else stayers_sentence(facts),
        notes_title=say("Good to know"),
        notes=notes(facts),
        counted=counted(),
    )


def _weeks(facts: DigestFacts) -> list[tuple[str, str, str, str]]:
    picture = digest_picture(facts)
    assert picture is not None  # not a quiet week
    rows = zip(picture.week_labels, picture.record, picture.reach.values, picture.spread.values, strict=True)
    return [
        (label, picture.no_record, picture.no_record, "")
        if record is RecordExtent.NONE
        else (label, share_words(reach), share_words(spread), picture.gap if record is RecordExtent.GAP else "")
        for label, record, reach, spread in rows
    ]
