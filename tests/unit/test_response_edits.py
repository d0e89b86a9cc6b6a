"""Responses that show how things are, when they can no longer be edited."""

import logging
from typing import Any
from unittest import mock

import discord
import pytest

from bot.discord_io.interactions.responses import edit, update
from bot.domain.history_job import HistoryJob, JobKind
from bot.services.record.job_progress import JobProgress
from cogs.backfills import Backfills
from tests.support.messages import GUILD, moment

JOB = HistoryJob(1, GUILD, JobKind.BACKFILL, moment(0), None, moment(0))


def refused(status: int, code: int = 0) -> discord.HTTPException:
    response = mock.Mock(status=status, reason="")
    kind = {404: discord.NotFound, 503: discord.DiscordServerError}.get(status, discord.HTTPException)
    return kind(response, {"code": code, "message": "no"})


def interaction(error: Exception | None = None) -> Any:
    return mock.Mock(guild_id=GUILD, edit_original_response=mock.AsyncMock(side_effect=error))


@pytest.mark.parametrize(
    "error", [refused(404, 10008), refused(401, 50027), refused(503), TimeoutError(), ConnectionResetError()]
)
async def test_a_response_that_cannot_be_edited_any_more_is_a_line_at_debug_level(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    assert not await edit(interaction(error), content="now")
    await update(interaction(error), "now")
    assert {line.levelname for line in caplog.records} == {"DEBUG"}
    assert await edit(interaction(), content="now")


async def test_a_response_that_discord_finds_fault_with_is_still_an_error() -> None:
    with pytest.raises(discord.HTTPException):
        await update(interaction(refused(400)), "now")


async def test_a_backfill_whose_response_was_deleted_goes_on_unseen(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No apology, no traceback, and no more requests."""
    monkeypatch.setattr("cogs.backfills._LOOK_EVERY_SECONDS", 0.001)
    progress = iter(JobProgress(JOB, 3, done, 0, running=True) for done in range(9))
    reader = mock.Mock(backfill_from=mock.AsyncMock(return_value=JOB), progress=lambda _guild_id: [next(progress)])
    cog, asked = Backfills(reader), interaction(refused(404, 10008))
    asked.response.defer = mock.AsyncMock()
    start: Any = cog.start
    await start.callback(cog, asked, "2026-03-02")
    for running in list(cog._tasks._running):
        await running
    assert asked.edit_original_response.await_count == 1
    assert caplog.records == []
