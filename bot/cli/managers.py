"""The demo's managers, who press the buttons of their nudges."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import islice

from bot.cli.stage import MANAGER_IDS, PATIENCE_SECONDS, Stage
from bot.sandbox import PostedMessage, Response

_GETS_TO_IT_AFTER = timedelta(hours=8)
_LINES = 2
_PRESS_AGAIN_AFTER_SECONDS = 0.5
"""Weeks pass in seconds here, so that Spade may say that a press comes too fast."""


class Managers:
    """Presses *Done* on the first two lines of a nudge, some hours after it came.

    They write nothing, so that all messages and figures are those of the record. A manager whose id is in `away`
    presses nothing, because the reader of the page acts for them.
    """

    def __init__(self, on: Stage) -> None:
        self.away: set[int] = set()
        self._on = on

    async def look(self) -> None:
        """Press the buttons of each manager's last nudge, if it is old enough."""
        for manager_id in MANAGER_IDS:
            if manager_id in self.away:
                continue
            nudge = self._on.last_nudge_of(manager_id)
            if nudge is not None and nudge.created_at + _GETS_TO_IT_AFTER <= self._on.clock.now():
                await self._settle(manager_id, nudge)

    async def _settle(self, manager_id: int, nudge: PostedMessage) -> None:
        for custom_id in list(islice(_buttons(nudge), _LINES)):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not _is_pressed(nudge, custom_id):
                    answer = await self._on.sandbox.people.press(manager_id, nudge, custom_id)
                    await self._on.sandbox.until(partial(_is_answered, answer, nudge, custom_id), PATIENCE_SECONDS)
                    if not _is_pressed(nudge, custom_id):
                        await asyncio.sleep(_PRESS_AGAIN_AFTER_SECONDS)


def _buttons(nudge: PostedMessage) -> Iterator[str]:
    ids = (str(control.get("custom_id", "")) for control in nudge.controls())
    return (custom_id for custom_id in ids if custom_id.endswith(":done"))


def _is_answered(answer: Response, nudge: PostedMessage, custom_id: str) -> bool:
    return bool(answer.messages) or _is_pressed(nudge, custom_id)


def _is_pressed(nudge: PostedMessage, custom_id: str) -> bool:
    return bool(nudge.button(custom_id).get("disabled"))
