"""The steps of a program, and how Hypothesis draws and shrinks them.

A step names people, channels and messages by small numbers that are taken modulo what there is, so that every program
can be played, and stays one when steps are left out of it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from hypothesis import strategies as st


@dataclass(frozen=True)
class Step:
    """Something that happens. `rush`: the next step follows at once, before Spade wrote down what it heard."""

    rush: bool = False

    def __repr__(self) -> str:
        said = [f"{one.name}={value!r}" for one in fields(self) if (value := getattr(self, one.name)) != one.default]
        return f"{type(self).__name__}({', '.join(said)})"


@dataclass(frozen=True, repr=False)
class Say(Step):
    """`to` is how many messages back the one is that it replies to."""

    where: int = 0
    who: int = 0
    names: tuple[int, ...] = ()
    to: int | None = None
    kind: str = "said"
    after: int = 30


@dataclass(frozen=True, repr=False)
class Delete(Step):
    where: int = 0
    back: int = 0


@dataclass(frozen=True, repr=False)
class Open(Step):
    """A thread, on a message so many back, or on none; or a forum post."""

    where: int = 0
    who: int = 0
    on: int | None = None
    post: bool = False


@dataclass(frozen=True, repr=False)
class Archive(Step):
    where: int = 0


@dataclass(frozen=True, repr=False)
class Make(Step):
    """A new channel."""


@dataclass(frozen=True, repr=False)
class Remove(Step):
    """A channel or thread is deleted."""

    where: int = 0


@dataclass(frozen=True, repr=False)
class Permit(Step):
    """View Channel or Read Message History is denied where it is allowed, and allowed where it is denied."""

    where: int = 0
    view: bool = True


@dataclass(frozen=True, repr=False)
class Outage(Step):
    """An outage of the guild begins or ends."""


@dataclass(frozen=True, repr=False)
class Exclude(Step):
    """A channel is excluded, or included if it is excluded."""

    where: int = 0


@dataclass(frozen=True, repr=False)
class Privacy(Step):
    """Somebody opts out (or is erased); somebody who is out opts in."""

    who: int = 0
    erase: bool = False


@dataclass(frozen=True, repr=False)
class Manage(Step):
    """Somebody becomes a manager, or is one no longer."""

    who: int = 0


@dataclass(frozen=True, repr=False)
class Cut(Step):
    """The connection is lost, or there again."""


@dataclass(frozen=True, repr=False)
class Stop(Step):
    """The process ends on a signal, or is started if there is none."""


@dataclass(frozen=True, repr=False)
class Kill(Step):
    """The process dies right after so many commits more."""

    commits: int = 1


@dataclass(frozen=True, repr=False)
class Pass(Step):
    minutes: int = 20


@dataclass(frozen=True, repr=False)
class Backfill(Step):
    hours: int = 6


@dataclass(frozen=True, repr=False)
class Export(Step):
    """Channels are exported: all, or one; as they are now; from some hours ago on; by one author; in two parts."""

    where: int | None = None
    hours: int | None = None
    who: int | None = None
    halves: bool = False


@dataclass(frozen=True, repr=False)
class Import(Step):
    """Some of the files are imported: those whose number has a bit in `mask`. `dies` after so many commits."""

    mask: int = -1
    dies: int | None = None
    replace: bool = False


@dataclass(frozen=True, repr=False)
class Zone(Step):
    """The server's time zone changes. Only stories have it: activity is dated as it was at the recording."""

    name: str = "UTC"


@dataclass(frozen=True, repr=False)
class Keep(Step):
    """So many months of the record are kept from now on. Only stories have it."""

    months: int = 3


@dataclass(frozen=True, repr=False)
class Begin(Step):
    """Spade comes. What is before it in a program was said before; without it Spade is there from the first step on."""


Program = tuple[Step, ...]
_LISTS = 4

_small = st.integers(0, 5)
_rush = st.sampled_from([False, False, False, True])


def _maybe(values: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.none() | values


_where = st.sampled_from([0, 0, 0, 1, 2, 2, 3, 4, 5])
_say = st.builds(
    Say,
    rush=_rush,
    where=_where,
    who=st.sampled_from([0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6]),
    names=st.sampled_from([(), (), ()]) | st.lists(st.integers(0, 5), max_size=3, unique=True).map(tuple),
    to=_maybe(st.integers(0, 3)),
    kind=st.sampled_from(["said"] * 8 + ["forward", "joined", "alert", "crowd", "bot"]),
    after=st.sampled_from([30, 30, 100, 121, 400, 4000]),
)
_talk = st.lists(_say, min_size=1, max_size=4)

_files = st.one_of(
    st.builds(
        Export,
        where=_maybe(_small),
        hours=_maybe(st.sampled_from([1, 5])),
        who=st.none() | st.none() | _small,
        halves=st.booleans(),
    ),
    st.builds(Import, mask=st.integers(0, 255), dies=st.none() | st.none() | st.integers(1, 6)),
    st.builds(Import),
)

_once: list[st.SearchStrategy[Step]] = [
    st.builds(Delete, rush=_rush, where=_where, back=st.integers(0, 3)),
    st.builds(Open, rush=_rush, where=_small, who=_small, on=_maybe(st.integers(0, 3)), post=st.booleans()),
    st.builds(Make),
    st.builds(Remove, where=_small),
    st.builds(Manage, rush=_rush, who=st.sampled_from([1, 1, 1, 0, 2, 3])),
    st.builds(Manage, who=st.sampled_from([1, 1, 1, 0, 2, 3])),
    st.builds(Manage, who=st.sampled_from([1, 2])),
    st.builds(Manage, who=st.sampled_from([1, 2])),
    st.builds(Kill, commits=st.integers(1, 8)),
    st.builds(Kill, commits=st.integers(1, 3)),
    st.builds(Pass, minutes=st.sampled_from([20, 20, 300, 3000, 14000])),
    st.builds(Backfill, hours=st.sampled_from([1, 7, 100])),
    _files,
    _files,
]
_twice: list[st.SearchStrategy[Step]] = [
    st.builds(Archive, rush=_rush, where=_small),
    st.builds(Permit, rush=_rush, where=_where, view=st.booleans()),
    st.builds(Permit, where=_where, view=st.booleans()),
    st.builds(Outage),
    st.builds(Exclude, rush=_rush, where=_where),
    st.builds(Exclude, where=_where),
    st.builds(Privacy, who=_small, erase=st.booleans()),
    st.builds(Privacy, who=st.sampled_from([1, 2, 2, 3]), erase=st.booleans()),
    st.builds(Cut),
    st.builds(Stop),
    st.builds(Permit, view=st.booleans()),
]
"""Done once more, these are undone."""


def _alone(step: Step) -> list[Step]:
    return [step]


_plain = st.one_of(_talk, st.one_of(_once).map(_alone))


def _there_and_back(parts: tuple[Step, list[list[Step]]]) -> list[Step]:
    step, meanwhile = parts
    return [step, *(one for block in meanwhile for one in block), step]


_block = st.one_of(
    _plain,
    st.one_of(_twice).map(_alone),
    st.tuples(st.one_of(_twice), st.lists(_plain, max_size=4)).map(_there_and_back),
    st.tuples(st.one_of(_twice), st.lists(_plain, max_size=4)).map(_there_and_back),
)


def programs() -> st.SearchStrategy[Program]:
    """Programs of a few dozen steps: talk in between everything else; some of it, and imports, before Spade comes."""
    opening = st.builds(Open, where=_small, who=_small, on=_maybe(st.integers(0, 3)), post=st.booleans())
    before = st.lists(st.one_of(_talk, _talk, opening.map(_alone), _files.map(_alone)), max_size=8)
    # Several lists: one alone is short on average, and one that must be long cannot be shrunken.
    return st.tuples(before, *(st.lists(_block, max_size=14) for _ in range(_LISTS))).map(_joined)


def _joined(parts: tuple[list[list[Step]], ...]) -> Program:
    before, *after = ([step for block in blocks for step in block] for blocks in parts)
    return (*before, *([Begin()] if before else []), *(step for block in after for step in block))
