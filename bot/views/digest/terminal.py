"""The digest on a terminal: readable at 80 columns, and without colour.

Bars and numbers carry the meaning. Names are inserted as text, never as markup.
"""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.domain.digest_draft import DigestDraft
from bot.domain.figures import Figures
from bot.domain.rules import Rules
from bot.views.digest.chart import digest_picture
from bot.views.digest.findings import findings, share_words
from bot.views.digest.headline import explanation, headline, quiet_week, thanks
from bot.views.digest.notes import notes
from bot.views.digest.picture import PictureFacts, RecordExtent
from bot.views.digest.stayers import stayers_sentence
from bot.views.kit.palette import REACH, SPREAD
from bot.views.kit.terminal import bar, framed
from bot.views.words.amounts import percent
from bot.views.words.dates import week_label
from bot.views.words.names import plain_guild
from bot.views.words.sentence import number, say, say_count

_TREND_BAR = 15
_MEMBER_BAR = 30
_MEMBERS_SHOWN = 8


def digest_report(draft: DigestDraft) -> RenderableType:
    """The week's digest."""
    parts: list[RenderableType] = []
    if draft.quiet:
        parts.append(Text(quiet_week(draft)))
    else:
        parts.append(Text(headline(draft), style="bold"))
        parts += [Text(paragraph) for paragraph in (explanation(draft), thanks(draft)) if paragraph]
    if draft.has_findings:
        parts += [Text(), _findings(draft)]
    picture = digest_picture(draft)
    if picture is not None:
        parts += [Text(), _trends(picture), Text(), *_members(picture)]
    staying = None if draft.quiet else stayers_sentence(draft)
    if staying:
        parts += [Text(), Text(say("Newcomers who stay"), style="bold"), Text(staying)]
    remarks = notes(draft)
    if remarks:
        parts.append(Text())
        parts += [Text(say("• {note}", note=note)) for note in remarks]
    return framed(
        say("{guild} · {week}", guild=plain_guild(draft.week.guild_name), week=week_label(draft.week.monday)), parts
    )


def managers_report(managers: Sequence[tuple[int, Figures]], rules: Rules) -> RenderableType:
    """Each manager's figures, by id: names are not stored."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    heads = (say("Manager"), say("Conversations"), say("Members"), say("First contacts"), say("Spread"), say("Waiting"))
    for position, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if position else "left", no_wrap=True)
    for manager_id, figures in managers:
        spread = share_words(figures.spread, unknown=f"< {number(rules.spread_needs_conversations)}")
        counts = (figures.conversations, figures.members_reached, figures.first_time)
        cells = (str(manager_id), *map(number, counts), spread, number(figures.waiting))
        table.add_row(*(Text(cell) for cell in cells))
    return Padding(table, (1, 0))


def _findings(draft: DigestDraft) -> Table:
    lines = findings(draft)
    columns = {
        say("before"): [finding.before for finding in lines],
        say("usual"): [finding.usual for finding in lines],
        say("now"): [finding.corrected for finding in lines],
    }
    shown = {title: values for title, values in columns.items() if any(values)}
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="", show_header=bool(shown))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for title in shown:
        table.add_column(Text(title), justify="right", no_wrap=True, style="dim")
    table.add_column()
    for position, finding in enumerate(lines):
        beside = [Text(values[position] or "") for values in shown.values()]
        table.add_row(Text(finding.title), Text(finding.figure, style="bold"), *beside, Text(finding.meaning))
    return table


def _trends(picture: PictureFacts) -> Table:
    """Reach and spread week by week, on a scale from 0 to 100%."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    table.add_column(Text(say("Week of")), justify="right", no_wrap=True)
    table.add_column(Text(say("Reached")), no_wrap=True)
    table.add_column(Text(say("Spread")), no_wrap=True)
    table.add_column(no_wrap=True)
    weeks = zip(picture.week_labels, picture.extents, picture.reach.values, picture.spread.values, strict=True)
    for label, extent, reach, spread in weeks:
        if extent is RecordExtent.NONE:
            table.add_row(Text(label), Text(picture.no_record), Text(picture.no_record))
        else:
            gap = Text(picture.gap if extent is RecordExtent.GAP else "")
            table.add_row(Text(label), _share(reach, REACH), _share(spread, SPREAD), gap)
    return table


def _share(share: float | None, colour: str) -> Text:
    if share is None:
        return Text(say("too few to say"))
    text = Text(f"{percent(share):>5} ")
    text.append(bar(share, _TREND_BAR), style=colour)
    return text


def _members(picture: PictureFacts) -> Iterator[RenderableType]:
    """How many members had how many conversations."""
    title = Text(picture.members_title, style="bold")
    if picture.members_note:
        title.append(say(": {note}", note=picture.members_note), style="not bold")
    yield title
    rows = list(_member_rows(picture.conversations))
    most = max((members for _, members in rows), default=1)
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for label, members in rows:
        line = Text(bar(members / most, _MEMBER_BAR).rstrip(), style=REACH)
        line.append(say(" {members}", members=number(members)), style="default")
        table.add_row(Text(label), line)
    yield table


def _member_rows(conversations: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """A row for each number of conversations; large numbers are grouped in growing steps."""
    highest = max(conversations, default=0)
    low, step = 1, 1
    while low <= highest:
        high = low + step - 1
        members = sum(low <= count <= high for count in conversations)
        if members or step == 1:
            label = (
                say_count("{count} conversation", "{count} conversations", count=low)
                if step == 1
                else say("{low} to {high}", low=number(low), high=number(high))
            )
            yield label, members
        low = high + 1
        if low >= _MEMBERS_SHOWN:
            step = low
