"""For stretches that bring all there is."""

from dataclasses import replace

from bot.domain.stretch import Stretch


class NoContext:
    """A context source for stretches that bring all there is."""

    async def earlier(self, stretch: Stretch) -> Stretch:
        """The stretch itself, said to reach back as far as anything can."""
        return replace(stretch, context_first_id=0)

    async def opened(self, stretch: Stretch) -> Stretch:
        """The stretch itself: whoever opened the thread cannot be found out."""
        return replace(stretch, place=replace(stretch.place, opener_known=True))
