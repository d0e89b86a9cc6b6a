"""Growing delays before channels are tried again."""

import asyncio
from dataclasses import dataclass, field


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class GrowingDelays:
    """How long to wait before a channel is tried again, of which some messages cannot be read.

    Each delay is twice the one before it, in seconds. They are forgotten at a restart.
    """

    _delays: dict[int, tuple[float, float]] = field(default_factory=dict)

    def due(self, channel_id: int) -> bool:
        """Whether a channel has no delay, or it is over."""
        return _now() >= self._delays.get(channel_id, (0.0, 0.0))[1]

    def grow(self, channel_id: int, first: float, longest: float) -> None:
        """Begin the next delay of a channel: `first`, then twice the one before, at most `longest`."""
        before, _ = self._delays.get(channel_id, (first / 2, 0.0))
        delay = min(2 * before, longest)
        self._delays[channel_id] = delay, _now() + delay

    def end(self, channel_id: int) -> None:
        """All of a channel can be read: the next delay is the first one again."""
        self._delays.pop(channel_id, None)
