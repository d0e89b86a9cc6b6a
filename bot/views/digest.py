"""The weekly digest for the team's channel: did the attention spread, or did it go to a handful of people?

It is read by everybody in the channel: the team's figures only, nobody by name, no list of people who were left
out. The same findings are shown on Discord, in the picture and on the terminal.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.domain.figures import Figures, Verdict
from bot.domain.rules import Rules
from bot.views.amounts import minutes, people, percent
from bot.views.dates import short_day, week_label
from bot.views.letter import Attachment, Button, Card, Field, Letter
from bot.views.names import plain_guild
from bot.views.palette import MUTED, SPREAD, VERDICT, embed_colour
from bot.views.picture import WEEKS_SHOWN, Band, PictureFacts, Trend
from bot.views.sentence import number, say, say_count

PICTURE_NAME = "digest.png"
BUTTON_PATTERN = r"spade:digest:(?P<delivery_id>[0-9a-f]{1,32}):about"
"""The custom id of the button that explains how it is counted."""
_FEW_ACTIVE = 20


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """A week's digest before it is put into words.

    `history` holds the team's figures of the weeks before, by their Mondays, in any order, with or without this
    one; None is a week without a record. `conversations` has one number for each member reached, in any order.
    `complete` is false when a known gap overlaps the week, `late` when it could not be posted on time, `running`
    when the week is not over, `first_week` when nothing before it is on record. `show_verdict` off hides the
    verdict, not the figures.
    """

    guild_name: str
    monday: date
    figures: Figures
    history: Sequence[tuple[date, Figures | None]] = ()
    conversations: Sequence[int] = ()
    complete: bool = True
    late: bool = False
    running: bool = False
    first_week: bool = False
    show_verdict: bool = True
    rules: Rules = field(default_factory=Rules)

    @property
    def empty(self) -> bool:
        """A week without any conversation."""
        return self.figures.conversations == 0

    @property
    def before(self) -> Figures | None:
        """The figures of the week before, where they are on record."""
        return dict(self.history).get(self.monday - timedelta(weeks=1))


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the digest: its name, the number to see first, what it means, and how it was a week before."""

    title: str
    figure: str
    meaning: str
    before: str | None = None


def digest_letter(facts: DigestFacts, *, delivery_id: str | None) -> Letter:
    """The post for the team's channel. Its attachment, when there is one, is the picture of `digest_picture`.

    A digest that is only looked at is no delivery: without an id it has no button.
    """
    if delivery_id is not None and not re.fullmatch(r"[0-9a-f]{1,32}", delivery_id):
        raise ValueError(f"not an opaque delivery id: {delivery_id!r}")
    about = Button(say("How this is counted"), custom_id=f"spade:digest:{delivery_id}:about")
    rows = ((about,),) if delivery_id is not None else ()
    author = say("{guild} · {week}", guild=plain_guild(facts.guild_name), week=week_label(facts.monday))
    if facts.empty:
        card = Card(
            title=say("A quiet week"),
            description="\n".join((empty_week(facts), *notes(facts))),
            author=author,
            colour=embed_colour(MUTED),
        )
        return Letter(cards=(card,), rows=rows)
    card = Card(
        title=headline(facts),
        description="\n\n".join(paragraph for paragraph in (explanation(facts), thanks(facts)) if paragraph),
        author=author,
        fields=(*_fields(facts), *_notes_field(facts)),
        footer=say("Counted: personal replies, mentions and thread answers by managers. Never what anybody said."),
        colour=embed_colour(VERDICT[facts.figures.verdict] if facts.show_verdict else MUTED),
        picture=PICTURE_NAME,
    )
    return Letter(cards=(card,), rows=rows, attachment=Attachment(PICTURE_NAME, alt_text(facts)))


def headline(facts: DigestFacts) -> str:
    """The verdict in large letters."""
    if not facts.show_verdict:
        return say("This week's attention")
    match facts.figures.verdict:
        case Verdict.SOCIAL:
            return say("Social media")
        case Verdict.BETWEEN:
            return say("In between")
        case Verdict.INFLUENCE:
            return say("Influence media")
        case Verdict.QUIET:
            return say("Too quiet to call")


def judged_on(facts: DigestFacts) -> str:
    """Which weeks the verdict looked at."""
    weeks = facts.figures.verdict_weeks
    if weeks is None:
        return say_count(
            "Not judged: fewer than {needed} conversations in a week.",
            "Not judged: fewer than {needed} conversations in {count} weeks.",
            count=facts.rules.verdict_weeks,
            needed=number(facts.rules.verdict_needs_conversations),
        )
    return say_count(
        "Judged on this week.",
        "Judged on the last {count} weeks, because this week alone held fewer than {needed} conversations.",
        count=weeks,
        needed=number(facts.rules.verdict_needs_conversations),
    )


def explanation(facts: DigestFacts) -> str:
    """What the verdict means, in a plain sentence, and which weeks it was judged on."""
    if not facts.show_verdict:
        return ""
    match facts.figures.verdict:
        case Verdict.SOCIAL:
            meaning = say("The team's attention spread over the community, rather than staying with a few people.")
        case Verdict.BETWEEN:
            meaning = say("Some of the team's attention spread over the community, some stayed with the same people.")
        case Verdict.INFLUENCE:
            meaning = say(
                "Most of the team's attention went to a handful of people. A few words to somebody new begin to "
                "change that."
            )
        case Verdict.QUIET:
            meaning = say("There were too few conversations to say whether attention spread. That is all it means.")
    return say("{meaning} {judged}", meaning=meaning, judged=judged_on(facts))


def thanks(facts: DigestFacts) -> str:
    """What the week was good for, whatever the verdict."""
    return say_count(
        "One person heard from the team personally. Thank you.",
        "{count} people heard from the team personally. Thank you.",
        count=facts.figures.members_reached,
    )


def empty_week(facts: DigestFacts) -> str:
    """The one line of a week without conversations."""
    figures = facts.figures
    if figures.waiting:
        return say_count(
            "No conversations this week, and one message is waiting: answering it is a good first one.",
            "No conversations this week, and {count} messages are waiting: any of them is a good first one.",
            count=figures.waiting,
        )
    if figures.active_members:
        return say_count(
            "No conversations this week. One person wrote something; a hello to them is a good start.",
            "No conversations this week. {count} people wrote something; a hello to one of them is a good start.",
            count=figures.active_members,
        )
    return say("Nobody wrote anything this week, and that is fine too. See you next Monday.")


def findings(facts: DigestFacts) -> tuple[Finding, ...]:
    """The figures of the week, each with its meaning."""
    return tuple(_findings(facts))


def notes(facts: DigestFacts) -> tuple[str, ...]:
    """What a reader has to know to take the figures for what they are."""
    return tuple(_notes(facts))


def digest_picture(facts: DigestFacts) -> PictureFacts | None:
    """What `draw_digest` draws; None for a week without conversations, which needs no picture."""
    if facts.empty:
        return None
    weeks = _weeks(facts)
    figures = facts.figures
    return PictureFacts(
        guild_name=facts.guild_name,
        week=week_label(facts.monday),
        headline=headline(facts),
        subtitle=_subtitle(facts),
        colour=MUTED if figures.verdict is Verdict.QUIET or not facts.show_verdict else SPREAD,
        week_labels=tuple(short_day(monday) for monday, _ in weeks),
        recorded=tuple(recorded is not None for _, recorded in weeks),
        no_record=say("no record"),
        reach=Trend(
            title=say("reached"),
            figure=_share(figures.coverage, unknown="–"),  # noqa: RUF001 - set as a figure
            note=_reach_note(figures),
            values=tuple(week.coverage if week else None for _, week in weeks),
        ),
        spread=Trend(
            title=say("spread"),
            figure=_share(figures.spread, unknown="–"),  # noqa: RUF001
            note=_spread_in_short(facts),
            values=tuple(week.spread if week else None for _, week in weeks),
        ),
        bands=(
            Band(say("social media"), facts.rules.social_from, 1),
            Band(say("influence media"), 0, facts.rules.influence_to),
        )
        if facts.show_verdict
        else (),
        members_title=say("Conversations per member"),
        members_caption=say("one bar per member reached, the most-addressed first"),
        members_note=_top_note(figures) or "",
        conversations=tuple(facts.conversations),
    )


def alt_text(facts: DigestFacts) -> str:
    """The picture in words, for people who do not see it."""
    figures = facts.figures
    if figures.spread is None:
        return say(
            "{headline}, week of {week}. Reached: {reach} of the active members; spread: too few conversations to "
            "say. Charts of both over up to twelve weeks, and of {conversations} conversations over {members} "
            "members.",
            headline=headline(facts),
            week=week_label(facts.monday),
            reach=_share(figures.coverage),
            conversations=number(figures.conversations),
            members=number(figures.members_reached),
        )
    return say(
        "{headline}, week of {week}. Reached: {reach} of the active members; spread: {spread}, as if about {people} "
        "people had been addressed evenly. Charts of both over up to twelve weeks, and of {conversations} "
        "conversations over {members} members; the three most-addressed had {top} of them.",
        headline=headline(facts),
        week=week_label(facts.monday),
        reach=_share(figures.coverage),
        spread=_share(figures.spread),
        people=people(figures.effective_members),
        conversations=number(figures.conversations),
        members=number(figures.members_reached),
        top=_share(figures.top3_share),
    )


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


def _findings(facts: DigestFacts) -> Iterator[Finding]:
    figures, before = facts.figures, facts.before
    yield Finding(
        say("Reached"),
        _share(figures.coverage),
        _reach_note(figures),
        _share(before.coverage) if before else None,
    )
    yield Finding(
        say("Spread"),
        _share(figures.spread),
        _spread_note(facts),
        _share(before.spread) if before else None,
    )
    yield Finding(
        say("Conversations"),
        number(figures.conversations),
        _top_note(figures) or say_count("with one member", "with {count} members", count=figures.members_reached),
        number(before.conversations) if before else None,
    )
    yield Finding(
        say("First contacts"),
        number(figures.first_time),
        say_count(
            "person met personally for the first time",
            "people met personally for the first time",
            count=figures.first_time,
        ),
        number(before.first_time) if before else None,
    )
    reply, reply_before = figures.reply_minutes, before.reply_minutes if before else None
    if reply.median is not None:
        yield Finding(
            say("Replies"),
            minutes(reply.median),
            say("half of the replies came sooner")
            if reply.p90 is None
            else say("half of the replies came sooner, nine in ten within {p90}", p90=minutes(reply.p90)),
            minutes(reply_before.median) if reply_before and reply_before.median is not None else None,
        )
    yield Finding(
        say("Waiting"),
        number(figures.waiting),
        say_count(
            "message without an answer at the week's end",
            "messages without an answer at the week's end",
            count=figures.waiting,
        ),
        number(before.waiting) if before else None,
    )
    if figures.coverage_ever is not None and not facts.first_week:
        yield Finding(
            say("Met at some time"),
            _share(figures.coverage_ever),
            say("of this week's active members"),
            _share(before.coverage_ever) if before else None,
        )


def _notes(facts: DigestFacts) -> Iterator[str]:
    figures, rules = facts.figures, facts.rules
    if facts.late:
        yield say("This digest comes late: Spade was not running when it was due.")
    if facts.running:
        yield say("This week is not over yet; its figures still change.")
    if not facts.complete:
        yield say(
            "Part of this week's record is missing, so the counts may be too low and answers may be missing. "
            "`/status` shows where."
        )
    if facts.first_week:
        yield say(
            "This is the first week on record, so there is nothing to compare it with yet, and a first contact is the "
            "first one on record."
        )
    if 0 < figures.conversations < rules.verdict_needs_conversations:
        yield say_count(
            "One conversation is a small sample: a single hello more would change the shares a lot.",
            "{count} conversations are a small sample: a few more or fewer would change the shares a lot.",
            count=figures.conversations,
        )
    if 0 < figures.active_members < _FEW_ACTIVE:
        yield say_count(
            "Only one member was active.",
            "Only {count} members were active: each of them is {share} of the reach.",
            count=figures.active_members,
            share=percent(1 / figures.active_members),
        )
    if figures.logged_share:
        yield say(
            "{share} of the personal contacts were logged by managers; Discord cannot confirm those.",
            share=percent(figures.logged_share),
        )


def _fields(facts: DigestFacts) -> Iterator[Field]:
    for finding in findings(facts):
        first_line = (
            say("**{figure}**", figure=finding.figure)
            if finding.before is None
            else say("**{figure}** (week before: {before})", figure=finding.figure, before=finding.before)
        )
        yield Field(finding.title, f"{first_line}\n{finding.meaning}", inline=True)


def _notes_field(facts: DigestFacts) -> tuple[Field, ...]:
    lines = notes(facts)
    return (Field(say("Good to know"), "\n".join(lines)),) if lines else ()


def _subtitle(facts: DigestFacts) -> str:
    return judged_on(facts) if facts.show_verdict else thanks(facts)


def _share(share: float | None, *, unknown: str | None = None) -> str:
    if share is None:
        return say("unknown") if unknown is None else unknown
    return percent(share)


def _reach_note(figures: Figures) -> str:
    """How many active members were reached; those reached without being active are named beside."""
    if figures.coverage is None:
        return say("as no member was active")
    active_reached = round(figures.coverage * figures.active_members)
    return say_count(
        "{reached} of one active member",
        "{reached} of {count} active members",
        count=figures.active_members,
        reached=number(active_reached),
    )


def _spread_note(facts: DigestFacts) -> str:
    figures = facts.figures
    if figures.spread is None:
        return say("fewer than {needed} conversations", needed=number(facts.rules.spread_needs_conversations))
    return say_count(
        "as if one person had everything",
        "as if {count} people were addressed evenly",
        count=max(1, round(figures.effective_members)),
    )


def _spread_in_short(facts: DigestFacts) -> str:
    figures = facts.figures
    if figures.spread is None:
        return _spread_note(facts)
    return say_count(
        "as if one had it all", "as if {count} shared it evenly", count=max(1, round(figures.effective_members))
    )


def _top_note(figures: Figures) -> str | None:
    """Only where there are more than three, since three people always hold all among three."""
    if figures.top3_share is None or figures.members_reached <= 3:
        return None
    return say("the three most-addressed had {share}", share=percent(figures.top3_share))


def _weeks(facts: DigestFacts) -> list[tuple[date, Figures | None]]:
    """Up to twelve weeks in a row, oldest first, ending with this one; a week nobody knows of is None."""
    known = {monday: figures for monday, figures in facts.history if monday < facts.monday}
    known[facts.monday] = facts.figures
    earliest = max(
        min(monday for monday, figures in known.items() if figures is not None),
        facts.monday - timedelta(weeks=WEEKS_SHOWN - 1),
    )
    count = (facts.monday - earliest).days // 7 + 1
    mondays = [facts.monday - timedelta(weeks=back) for back in reversed(range(count))]
    return [(monday, known.get(monday)) for monday in mondays]
