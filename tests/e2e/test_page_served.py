"""`spade demo --serve`: the page's address is printed, it answers, and Ctrl-C ends it."""

import asyncio
import io
import os
import re
import signal
from datetime import timedelta

import aiohttp
import pytest
from rich.console import Console

from bot.cli import demo
from bot.cli.stage import ENDS_AT
from tests.e2e.test_page_story import restore_discord
from tests.support.patience import PATIENCE

__all__ = ["restore_discord"]


async def test_the_page_is_served_until_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SERVED_FROM", ENDS_AT - timedelta(hours=3))
    said = io.StringIO()
    serving = asyncio.create_task(demo._serve(Console(file=said, width=200), 0))
    async with asyncio.timeout(PATIENCE):
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/[\w-]{32,}/", said.getvalue())):
            assert not serving.done(), serving.result()
            await asyncio.sleep(0.1)
        async with aiohttp.ClientSession() as session, session.get(found[0]) as response:
            assert response.status == 200
            assert "Lale Birch" in await response.text()
        os.kill(os.getpid(), signal.SIGINT)
        await serving
    assert "Ended. Nothing of it stays." in said.getvalue()
