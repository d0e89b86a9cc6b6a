"""What the digest's picture is made of. `bot.views.digest.canvas` lays it out."""

from dataclasses import dataclass
from enum import Enum, auto

WEEKS_SHOWN = 12


class RecordExtent(Enum):
    """How much of a week is on record: all, a part (a known gap overlaps it), nothing."""

    WHOLE = auto()
    GAP = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Trend:
    """One share over the weeks, oldest first; None is unknown. `figure` and `note` say the newest in words."""

    title: str
    figure: str
    note: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A named part of the spread's scale."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar: the range of conversations as its label, how many members are in it, and that number in words."""

    label: str
    members: int
    figure: str


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """Everything that is drawn, with all its words.

    `week_labels` and `extents` belong to the trends' values: at most twelve, oldest first, the last one this week's.
    `weeks` says how many there are. `conversations` has one number for each member reached; if there are too many for a
    bar each, `bins` are drawn. `colour` is the headline's.
    """

    guild_name: str
    week: str
    headline: str
    subtitle: str
    colour: str
    week_labels: tuple[str, ...]
    weeks: str
    extents: tuple[RecordExtent, ...]
    no_record: str
    gap: str
    reach: Trend
    spread: Trend
    bands: tuple[Band, ...]
    members_title: str
    members_note: str
    members_caption: str
    conversations: tuple[int, ...]
    bins: tuple[Bin, ...] = ()
