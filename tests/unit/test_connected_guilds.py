"""Which guilds are caught up with when a session has shown them all, and in which session."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from bot.background import BackgroundTasks
from bot.discord_io.record import connected_guilds
from bot.discord_io.record.connected_guilds import ConnectedGuilds
from tests.support.patience import PATIENCE


@pytest.fixture
def follower() -> Any:
    follower = MagicMock()
    follower.catch_up = AsyncMock()
    follower.session = 1
    return follower


@pytest.fixture
def guilds(follower: Any, monkeypatch: pytest.MonkeyPatch) -> ConnectedGuilds:
    monkeypatch.setattr(connected_guilds, "visible_snapshots", lambda _guild: [])
    monkeypatch.setattr(connected_guilds, "visible_channels", lambda _guild: [])
    search = MagicMock(changed=AsyncMock(return_value=([], True)))
    return ConnectedGuilds(
        follower, AsyncMock(), search, AsyncMock(), AsyncMock(), BackgroundTasks(), joined=lambda: {7, 8}
    )


async def test_a_guild_that_is_hidden_before_the_session_has_shown_all_is_not_waited_for(
    guilds: ConnectedGuilds, follower: Any
) -> None:
    guilds.connected()
    for guild_id in (7, 8):
        guilds.available(MagicMock(id=guild_id))
    guilds.unavailable(7)
    guilds.complete()
    assert list(follower.expect_guilds.call_args[0][0]) == [8]


async def test_a_guild_is_caught_up_with_in_the_session_that_showed_it(guilds: ConnectedGuilds, follower: Any) -> None:
    """If it is hidden before the work begins, the work is that of a session which is over."""
    guilds.connected()
    guilds.available(MagicMock(id=7))
    guilds.complete()
    follower.session = 2
    async with asyncio.timeout(PATIENCE):
        while not follower.guild_complete.called:
            await asyncio.sleep(0)
    follower.guild_complete.assert_called_once_with(7, 1)
