"""The parts that the channel's post and a manager's own digest have in common."""

from collections.abc import Iterable, Iterator, Sequence

from bot.domain.digest_draft import DigestDraft
from bot.views.digest.findings import findings
from bot.views.digest.notes import notes
from bot.views.kit.letter import FIELD_LIMIT, Field
from bot.views.words.names import safe_name
from bot.views.words.sentence import say, say_count
from bot.views.words.text import length


def finding_fields(draft: DigestDraft) -> Iterator[Field]:
    """The findings, side by side; none if the draft shows none."""
    for finding in findings(draft) if draft.has_findings else ():
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


def notes_fields(draft: DigestDraft) -> Iterator[Field]:
    """The notes, in as many fields as they need."""
    return line_fields(say("Good to know"), notes(draft))


def line_fields(name: str, lines: Iterable[str]) -> Iterator[Field]:
    """Whole lines, in as many fields of that name as they need. A line is never cut: it would lose its link."""
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


def met_field(draft: DigestDraft) -> tuple[Field, ...]:
    """Who was met for the first time. None if the draft has no names for them, as in the channel's post."""
    names = [draft.names[member_id] for member_id in draft.first_contacts if member_id in draft.names]
    if not names:
        return ()
    return (Field(say("Met for the first time"), names_in_a_row(names, len(draft.first_contacts))),)


def counted() -> str:
    """Which messages are counted."""
    return say("Counted: personal replies, mentions and thread answers by managers. Never what anybody said.")
