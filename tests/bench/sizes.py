"""How much is measured: all of it, quickly, or only whether it can be measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Amounts of every row. A goal that is bound to an amount is judged only where `full` is True."""

    full: bool
    parts: int
    """How many times smaller the largest record is than the issue's."""
    pairs: int
    seconds: float
    """After how many seconds no further pair is begun in a row."""
    statements: int
    guilds: int
    demo_days: int
    flood: int
    window: float
    """For how many seconds a rate is kept up for one pair."""
    exported: int
    recorded: int


FULL = Sizes(
    full=True,
    parts=1,
    pairs=5,
    seconds=25.0,
    statements=2_000,
    guilds=1_000,
    demo_days=28,
    flood=20_000,
    window=10.0,
    exported=1_000_000,
    recorded=200_000,
)
QUICK = Sizes(
    full=False,
    parts=20,
    pairs=2,
    seconds=4.0,
    statements=500,
    guilds=100,
    demo_days=1,
    flood=3_000,
    window=3.0,
    exported=30_000,
    recorded=20_000,
)
TINY = Sizes(
    full=False,
    parts=20_000,
    pairs=1,
    seconds=0.0,
    statements=3,
    guilds=2,
    demo_days=1,
    flood=10,
    window=0.1,
    exported=20,
    recorded=200,
)
