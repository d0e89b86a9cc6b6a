"""Somebody uses the demo's page: the real bot, the bundled record, a real browser."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import discord
import pytest
from discord.gateway import DiscordWebSocket
from playwright.async_api import Page, expect

from bot.cli.demo import open_page
from bot.cli.playback import Playback
from bot.cli.stage import ENDS_AT, MANAGER_IDS, stage
from bot.sandbox.sample.record import bundled_record
from tests.support.browser import needs_chromium, visit

WEEK_BEFORE = datetime(2026, 3, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
def restore_discord(monkeypatch: pytest.MonkeyPatch) -> None:
    """What discord.py is pointed at is put back afterwards."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


async def set_up(page: Page) -> None:
    """A manager who may manage the server walks through `/setup`: every list, the form, to the preview."""
    await page.get_by_role("link", name="team", exact=True).click()
    await page.get_by_role("textbox", name="Message team").fill("/setup")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Run").click()
    guide = page.locator("article.ephemeral").filter(has_text="Setting Spade up")

    async def choose(label: str, *options: str) -> None:
        form = guide.locator("form.select").filter(has=page.get_by_label(label))
        await form.get_by_label(label).select_option(label=list(options))
        async with page.expect_response(lambda response: "/choose" in response.url):  # once the bot has answered
            await form.get_by_role("button", name="Choose").click()

    # Who and where: each list says what it is for, and shows what is chosen already.
    await expect(guide).to_contain_text("1 of 3")
    managers = guide.get_by_label("Managers: people or roles")
    named = await managers.locator("option[selected]").all_inner_texts()
    assert len(named) == len(MANAGER_IDS)
    await expect(guide.get_by_label("Channel for the weekly digest").locator("option[selected]")).to_have_text("#team")
    await choose("Managers: people or roles", *named, "@Managers")
    await expect(managers.locator("option[selected]")).to_have_text([*named, "@Managers"])
    other = await guide.get_by_label("Channels that do not count").locator("option").first.inner_text()
    await choose("Channels that do not count", other)
    await expect(guide.get_by_label("Channels that do not count").locator("option[selected]")).to_have_text([other])
    await choose("Channels that do not count")
    await expect(guide.get_by_label("Channels that do not count").locator("option[selected]")).to_have_count(0)
    await guide.get_by_role("button", name="Next").click()

    # When, in which zone, in which language.
    await expect(guide).to_contain_text("2 of 3")
    await choose("Day of the digest", "Tuesday")
    await expect(guide).to_contain_text("Tuesday from 09:00")
    await choose("Hour of the digest", "17:00")
    await expect(guide).to_contain_text("Tuesday from 17:00")
    await guide.get_by_role("button", name="Change the time zone").click()
    await page.get_by_role("dialog").get_by_label("Time zone").fill("lisbon")
    await page.get_by_role("dialog").get_by_role("button", name="Submit").click()
    await expect(guide).to_contain_text("Europe/Lisbon")
    await choose("Language", "English")
    await guide.get_by_role("button", name="Next").click()

    # What was before, and a look at last week.
    await expect(guide).to_contain_text("3 of 3")
    await choose("How far back to read", "Nothing from before today")
    await expect(guide).to_contain_text("Nothing older will be read")
    await guide.get_by_role("button", name="Finish").click()
    end = page.locator("article.ephemeral").last
    await expect(end).to_contain_text("Spade is set up")
    await expect(end).to_contain_text("Tuesday from 17:00")
    await expect(end).to_contain_text("last week would have looked like this")
    await expect(end.locator("img")).to_be_visible()


@needs_chromium
async def test_a_manager_reads_snoozes_answers_lets_a_week_pass_and_sets_up(tmp_path: Path) -> None:
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

            # The guide, to its end.
            await set_up(page)

            # The member they can be sees the answer, and nothing of the manager's.
            await page.get_by_role("navigation", name="Who you are").get_by_role("link", name="member").click()
            await expect(page.get_by_role("textbox", name="Message team")).to_be_visible()
            await expect(page.locator("article.ephemeral")).to_have_count(0)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        assert on.sandbox.failures == []
        assert all(on.sandbox.dms(manager_id) for manager_id in MANAGER_IDS)
