"""Somebody uses the demo's page: the real bot, the bundled record, a real browser."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import discord
import pytest
from discord.gateway import DiscordWebSocket
from playwright.async_api import expect

from bot.cli.demo import open_page
from bot.cli.playback import Playback
from bot.cli.stage import ENDS_AT, MANAGER_IDS, stage
from bot.sandbox.record import bundled_record
from tests.support.browser import needs_chromium, visit

WEEK_BEFORE = datetime(2026, 3, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
def restore_discord(monkeypatch: pytest.MonkeyPatch) -> None:
    """What discord.py is pointed at is put back afterwards."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


@needs_chromium
async def test_a_manager_reads_snoozes_answers_and_lets_a_week_pass(tmp_path: Path) -> None:
    async with stage(bundled_record(), tmp_path / "demo.db", WEEK_BEFORE) as on:
        playback = Playback(on)
        await playback.play_until(ENDS_AT)
        opened = open_page(on, playback)
        walking = asyncio.create_task(playback.walk())
        async with visit(opened.address) as visited:
            page = visited.page

            # The nudge is what they see first.
            nudge = page.locator(f"#m-{on.nudges[-1].id}")
            await expect(nudge).to_contain_text("worth a word from you")
            await expect(nudge.get_by_role("button", name="Snooze")).not_to_have_count(0)

            # Snooze takes effect, in the message and in the bot.
            first = nudge.locator(".field").first
            name = (await first.locator("h4").inner_text()).partition(" · ")[2]
            await nudge.get_by_role("button", name="Snooze 7 days").first.click()
            await expect(first.locator("h4 s")).to_have_text(name)
            await expect(first).to_contain_text("Snoozed until")
            await expect(nudge.get_by_role("button", name="Snoozed")).to_be_disabled()

            # /waiting lists who waits, to them alone.
            await page.get_by_role("link", name="team").click()
            await page.get_by_role("textbox", name="Message team").fill("/waiting")
            await page.keyboard.press("Enter")
            listed = page.locator("article.ephemeral").last
            await expect(listed).to_contain_text("wait for you or the team")
            await expect(listed).to_contain_text("Only you can see this")
            waiting = listed.locator(".text p").first
            lines = (await waiting.inner_text()).splitlines()
            single = next(line for line in lines if "messages." not in line)
            member = single.partition(" has waited")[0]

            # They open the message, and answer it.
            link = waiting.get_by_role("link").nth(lines.index(single))
            await link.click()
            asked = page.locator("article.marked")
            await expect(asked).to_be_in_viewport()
            await expect(asked).to_contain_text(member)
            await asked.hover()
            await asked.get_by_role("link", name="Reply").click()
            await expect(page.locator(".replying")).to_contain_text(member)
            await expect(page.locator("#content")).to_be_focused()
            await page.keyboard.type("Good question; **let me look**.")
            await page.keyboard.press("Enter")
            answered = page.locator("article").last
            await expect(answered.locator("strong")).to_have_text("let me look")
            await expect(answered.locator(".quoted")).to_contain_text(member)

            # The list does not hold them any more.
            await page.get_by_role("link", name="team").click()
            again = page.locator("article.ephemeral").last
            await again.get_by_role("button", name="Look again").click()
            await expect(again).not_to_contain_text(member)
            await expect(again).to_contain_text("wait for you or the team")

            # A week later there is a digest, with its picture.
            before = len(on.digests)
            then = on.clock.now()
            await page.get_by_role("button", name="A week").click()
            await expect(page.get_by_role("progressbar")).to_be_visible()
            await expect(page.get_by_role("button", name="A week")).to_be_enabled(timeout=180_000)
            assert timedelta(days=7) <= on.clock.now() - then < timedelta(days=7, minutes=5)
            assert len(on.digests) == before + 1
            picture = page.locator(f"#m-{on.digests[-1].id} img")
            await expect(picture).to_be_visible()
            assert await picture.evaluate("image => image.complete && image.naturalWidth > 400")
            assert "Reached" in str(await picture.get_attribute("alt"))

            # The member they can be sees the answer, and nothing of the manager's.
            await page.get_by_role("navigation", name="Who you are").get_by_role("link", name="member").click()
            await expect(page.get_by_role("textbox", name="Message team")).to_be_visible()
            await expect(page.locator("article.ephemeral")).to_have_count(0)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        assert on.sandbox.failures == []
        assert all(on.sandbox.dms(manager_id) for manager_id in MANAGER_IDS)
