"""A headless Chromium looking at a sandbox's page, and noting everything it should not do."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.async_api import ConsoleMessage, Page, Request, expect

from tools.pictures import CHROMIUM, chromium

needs_chromium = pytest.mark.skipif(
    not any(map(shutil.which, CHROMIUM)), reason="Chromium is not installed: `apt-get install chromium`"
)
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass(slots=True)
class Visit:
    """An open page, with what its console said and where its requests went."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Nothing was complained about, and nothing but this machine was asked."""
        assert self.complaints == []
        assert self.strangers == []


@asynccontextmanager
async def visit(address: str, *, width: int = 1180, height: int = 860) -> AsyncIterator[Visit]:
    """Open an address in a new window."""
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        visited = Visit(page)

        def said(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                visited.complaints.append(message.text)

        def requested(request: Request) -> None:
            if urlsplit(request.url).hostname != "127.0.0.1":
                visited.strangers.append(request.url)

        page.on("console", said)
        page.on("pageerror", lambda error: visited.complaints.append(str(error)))
        page.on("request", requested)
        await page.goto(address)
        yield visited
        visited.check()
