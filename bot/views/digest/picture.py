"""The digest's picture: what it is made of. Importing this loads no charting library; `bot.views.digest.canvas` does.

The facts are plain and can be pickled, so that the drawing happens in a short-lived worker process and the bot
never holds the library's memory.
"""

from dataclasses import dataclass
from enum import Enum, auto

WEEKS_SHOWN = 12


class RecordExtent(Enum):
    """How much of a week is on record: all of it, not all of it, nothing."""

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
    """A stretch of the spread's scale with a name."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Members who had about as many conversations: how many conversations, how many members, and that in words."""

    label: str
    members: int
    figure: str


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """Everything that is drawn, words included.

    `week_labels` and `extents` go with the trends' values, oldest first, at most twelve, ending with the week
    itself; `weeks` says how many they are. `conversations` has one number for each member reached; where they are too
    many for a bar each, `bins` are drawn. `colour` is the headline's.
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
