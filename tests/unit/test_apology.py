"""What a person is told when something fails."""

import logging
from types import SimpleNamespace

import pytest
from discord import app_commands

from bot.clock import UnsureTimeError
from bot.discord_io.interactions.apology import apologise


@pytest.mark.parametrize("wrapped", [False, True])
async def test_that_the_time_is_not_certain_is_no_fault(wrapped: bool, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    async def send_message(text: str, *, ephemeral: bool) -> None:
        assert ephemeral
        told.append(text)

    interaction = SimpleNamespace(response=SimpleNamespace(is_done=lambda: False, send_message=send_message))
    error: Exception = UnsureTimeError()
    if wrapped:  # as discord.py does with what a command raises
        error = app_commands.CommandInvokeError(SimpleNamespace(name="now"), error)
    with caplog.at_level(logging.DEBUG):
        await apologise(interaction, error, "the command nudges now")
    assert len(told) == 1
    assert "not certain what time it is" in told[0]
    assert not caplog.records
