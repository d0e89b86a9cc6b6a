"""Each way at each moment once."""

from __future__ import annotations

from tests.faults_gateway.hostile import Moment, Way
from tests.faults_gateway.run import Outcome, play
from tests.faults_gateway.ways import EVERYTHING


def outages(only: str | None) -> list[tuple[Way, Moment]]:
    """Every way at every moment; with `only`, the ways with this in their name."""
    return [(way, moment) for way, moment in EVERYTHING if only is None or only in way.name]


def play_round(only: str | None, defect: str | None, seed: int) -> tuple[list[Outcome], list[str]]:
    """Play each once; also the tracebacks of none of them."""
    return play(outages(only), seed, defect=defect)
