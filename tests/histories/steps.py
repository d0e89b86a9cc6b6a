"""The steps of a program, and how Hypothesis draws and shrinks them.

A step names people, channels and messages by small numbers that are taken modulo what there is, so that every program
can be played, and stays one when steps are left out of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from random import Random

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
_LEAST = 4
"""Blocks of a program, empty ones too; on average it has twice as many."""

_WHERE = (0, 0, 0, 1, 2, 2, 3, 4, 5)
_KINDS = (*["said"] * 12, "forward", "joined", "alert", "crowd", "bot")

_Maker = Callable[[Random], Step]


def _rush(random: Random) -> bool:
    return random.random() < 0.2


def _maybe(random: Random, *values: int) -> int | None:
    return random.choice([None, *values])


def _few(random: Random, most: int) -> range:
    return range(random.randint(0, most))


def _say(random: Random) -> Say:
    return Say(
        rush=_rush(random),
        where=random.choice(_WHERE),
        who=random.choice((0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6)),
        names=tuple(random.sample(range(6), random.choice((0, 0, 0, 0, 1, 2, 3)))),
        to=_maybe(random, 0, 0, 1, 2, 3),
        kind=random.choice(_KINDS),
        after=random.choice((30, 30, 100, 121, 400, 4000)),
    )


def _open(random: Random) -> Open:
    on = _maybe(random, 0, 1, 2, 3)
    return Open(_rush(random), random.randrange(6), random.randrange(6), on, random.random() < 0.5)


def _export(random: Random) -> Export:
    return Export(
        where=_maybe(random, *range(6)),
        hours=random.choice((None, 1, 5)),
        who=random.choice((None, None, None, *range(6))),
        halves=random.random() < 0.5,
    )


def _import(random: Random) -> Import:
    mask = random.choice((-1, random.randrange(256)))
    return Import(mask=mask, dies=random.choice((None, None, None, *range(1, 7))))


def _manage(random: Random) -> Manage:
    return Manage(_rush(random), random.choice((1, 1, 1, 1, 1, 2, 2, 0, 3)))


_ONCE: tuple[_Maker, ...] = (
    lambda random: Delete(_rush(random), random.choice(_WHERE), random.randrange(4)),
    _open,
    _open,
    lambda _: Make(),
    lambda random: Remove(_rush(random), random.randrange(6)),
    _manage,
    _manage,
    lambda random: Kill(commits=random.randint(1, 8)),
    lambda random: Kill(commits=random.randint(1, 3)),
    lambda random: Pass(minutes=random.choice((20, 20, 300, 3000, 14000))),
    lambda random: Backfill(hours=random.choice((1, 7, 100))),
    _export,
    _import,
)
_TWICE: tuple[_Maker, ...] = (
    lambda random: Archive(_rush(random), random.randrange(6)),
    *[lambda random: Permit(_rush(random), random.choice(_WHERE), random.random() < 0.5)] * 3,
    lambda _: Outage(),
    *[lambda random: Exclude(_rush(random), random.choice(_WHERE))] * 2,
    *[lambda random: Privacy(who=random.choice((0, 1, 1, 2, 2, 3, 4, 5)), erase=random.random() < 0.5)] * 2,
    lambda _: Cut(),
    lambda _: Stop(),
    _manage,
)
"""Done once more, these are undone."""


def _turn(random: Random) -> list[Step]:
    return [random.choice(_TWICE)(random)]


def _plain(random: Random) -> list[Step]:
    if random.random() < 0.5:
        return [_say(random) for _ in range(random.randint(1, 4))]
    return [random.choice(_ONCE)(random)]


def _exchange(random: Random, who: int, where: int) -> list[Step]:
    """Somebody says something, and somebody replies."""
    pair = [who, random.choice((0, 0, 0, 1, 2, 3))]
    random.shuffle(pair)
    after = random.choice((30, 30, 30, 400))
    return [Say(_rush(random), where, pair[0]), Say(_rush(random), where, pair[1], to=0, after=after)]


def _scene(random: Random) -> list[Step]:
    """A step is done, and undone later, while whom or what it concerns goes on talking."""
    step = random.choice(_TWICE)(random)
    who, where = getattr(step, "who", 2), getattr(step, "where", 0)

    def talk(most: int = 2) -> list[Step]:
        return [one for _ in _few(random, most) for one in _exchange(random, who, where)]

    meanwhile = [one for _ in _few(random, 2) for one in random.choice((_plain, _turn))(random)]
    return [*talk(1), step, *talk(), *meanwhile, step, *talk()]


def _before(number: int) -> list[Step]:
    """What is said, and imported, before Spade comes; nothing for number 0."""
    random = Random(number)
    return [_say(random), random.choice((_say, _say, _open, _export, _import))(random)] if number else []


def _block(number: int) -> list[Step]:
    """Some steps; none for number 0, so that every block of a program can be left out."""
    random = Random(number)
    if not number:
        return []
    turn = random.random()
    return (_scene if turn < 0.45 else _turn if turn < 0.55 else _plain)(random)


def programs() -> st.SearchStrategy[Program]:
    """Programs of some dozen steps: talk in between everything else; some of it, and imports, before Spade comes.

    A block is made up from one number, because Hypothesis draws programs of many choices seldom.
    """
    number = st.integers(0, 2**24 - 1)
    nothing: list[list[Step]] = []
    before = st.just(nothing) | st.lists(number.map(_before), min_size=2, max_size=8)
    return st.tuples(before, st.lists(number.map(_block), min_size=_LEAST, max_size=30)).map(_joined)


def _joined(parts: tuple[list[list[Step]], ...]) -> Program:
    before, after = ([step for block in blocks for step in block] for blocks in parts)
    return (*before, *([Begin()] if before else []), *after)
