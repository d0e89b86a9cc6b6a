"""Stories that are told once to count their transactions, and then once for each of them with a kill right after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.histories.play import play
from tests.histories.runs import workplace
from tests.histories.steps import (
    Archive,
    Backfill,
    Begin,
    Cut,
    Delete,
    Exclude,
    Export,
    Import,
    Keep,
    Manage,
    Open,
    Outage,
    Pass,
    Permit,
    Privacy,
    Program,
    Remove,
    Say,
    Stop,
    Zone,
)

_ANNA, _BEN, _MIA, _NOAH = range(4)
_PAST = (
    Say(who=_MIA),
    Say(who=_ANNA, to=0),
    Open(who=_NOAH, on=1),
    Say(where=2, who=_MIA),
    Say(where=2, who=_ANNA),
    Say(who=_NOAH, names=(_ANNA, _BEN)),
    Say(who=_BEN, names=(_NOAH,)),
)
_TALK = (
    Say(who=_MIA),
    Say(who=_ANNA, to=0),
    Say(who=_NOAH, names=(_ANNA,)),
    Say(who=_BEN, to=0),
    Say(who=_BEN, to=3),
)

STORIES: Mapping[str, Program] = {
    "exclude-include": (Begin(), *_TALK, Exclude(), *_TALK, Exclude(), *_TALK),
    "exclude-with-threads": (
        *(Begin(), Say(who=_MIA), Open(who=_MIA, on=0), Say(where=2, who=_ANNA), Exclude()),
        *(Say(where=2, who=_MIA), Say(where=2, who=_ANNA), Archive(), Exclude(), Say(who=_NOAH)),
    ),
    "erase-opt-in-appoint": (
        Begin(),
        *_TALK,
        Privacy(who=_MIA, erase=True),
        Privacy(who=_MIA),
        Manage(who=_BEN),
        *_TALK,
    ),
    "opt-out-hidden-opt-in": (
        *(Begin(), Say(who=_MIA), Permit(), Privacy(who=_MIA), *_TALK, Privacy(who=_MIA), Permit(), *_TALK),
    ),
    "appoint-unreadable": (Begin(), *_TALK, Permit(view=False), Manage(who=_BEN), *_TALK, Permit(view=False), *_TALK),
    "appoint-hidden": (Begin(), *_TALK, Permit(), Manage(who=_BEN), *_TALK, Permit(), *_TALK),
    "appoint-outage": (Begin(), *_TALK, Manage(who=_BEN, rush=True), Outage(), Say(who=_MIA), Outage(), *_TALK),
    "import-in-two-commands": (
        *(*_PAST, Export(halves=True), Import(mask=0b01010101), Import(mask=0b10101010), Begin(), *_TALK),
    ),
    "import-later-half-first": (
        *(*_PAST, Export(halves=True), Begin(), Import(mask=0b10101010), *_TALK, Import(mask=0b01010101)),
    ),
    "import-from-a-date-on": (
        *_PAST,
        Pass(minutes=90),
        *_PAST,
        Export(hours=1),
        Export(),
        Import(mask=0b111),
        Begin(),
        Import(),
    ),
    "import-replace": (Begin(), *_TALK, Export(), *_TALK, Import(replace=True), *_TALK),
    "channel-deleted-while-away": (
        *(Begin(), Say(where=1, who=_MIA), Permit(where=1, view=False), Cut(), Say(where=1, who=_ANNA, to=0), Cut()),
        *(Stop(), Remove(where=1), Stop(), *_TALK),
    ),
    "channel-with-open-work-deleted": (
        *(Begin(), Say(where=1, who=_MIA), Say(where=1, who=_BEN, to=0), Permit(where=1), Manage(who=_BEN)),
        *(Cut(), Remove(where=1), Cut(), *_TALK),
    ),
    "zone-in-mid-week": (
        Begin(),
        *_TALK,
        Pass(minutes=900),
        *_TALK,
        Zone(name="Pacific/Auckland"),
        *_TALK,
        Pass(minutes=600),
        *_TALK,
    ),
    "retention-and-import": (
        *(Begin(), *_TALK, Pass(minutes=60 * 24 * 100), *_TALK, Export(), Keep(), Pass(), Import(), *_TALK, Pass()),
    ),
    "manager-removed-during-catch-up": (
        *(Begin(), Manage(who=_BEN), *_TALK, Cut(), *_TALK, *_TALK, Cut(rush=True), Manage(who=_BEN), *_TALK),
    ),
    "backfill": (*_PAST, Begin(), *_TALK, Backfill(hours=100), *_TALK),
    "deletes": (Begin(), *_TALK, Delete(back=1, rush=True), Delete(back=2), *_TALK, Manage(who=_BEN)),
}


@dataclass
class Told:
    """A story with every kill: those after which the record differs, with the differences."""

    name: str
    kills: int = 0
    differing: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def report(self) -> list[str]:
        """Lines about the kills that were not survived; number 0 is the story without one."""
        return [
            f"story {self.name} differs "
            + (f"when it is killed after commit {number}" if number else "without a kill")
            + "".join(f"\n  {line}" for line in lines)
            for number, lines in self.differing.items()
        ]


def tell(name: str, empty: Path) -> Told:
    """Tell a story without a kill, and once for each commit with a kill right after it."""
    told = Told(name)
    plain = play(STORIES[name], empty)
    if plain.lines:
        told.differing[0] = plain.lines
    for number in range(1, plain.commits + 1):
        outcome = play(STORIES[name], empty, dies_after=number)
        told.kills += outcome.kills
        if outcome.lines:
            told.differing[number] = outcome.lines
    return told


def tell_alone(name: str) -> Told:
    """The same in a process that does nothing else."""
    with workplace() as empty:
        return tell(name, empty)
