"""The colours of embeds and pictures. They can be told apart by colour-blind people; none is an alarm red."""

from bot.domain.figures import Verdict

CARD = "#20252F"
INK = "#F5F1E8"
MUTED = "#AEB6C4"
FAINT = "#3A4250"
REACH = "#6FD0C0"
SPREAD = "#F3BA6B"
BETWEEN = "#8DB4EA"

VERDICT = {
    Verdict.SOCIAL: REACH,
    Verdict.BETWEEN: BETWEEN,
    Verdict.INFLUENCE: SPREAD,
    Verdict.QUIET: MUTED,
}


def embed_colour(colour: str) -> int:
    """A colour as Discord's embeds take it."""
    return int(colour.removeprefix("#"), 16)
