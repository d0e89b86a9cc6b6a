"""Everything a message or a command can consist of, used in a real browser with a stock discord.py client behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from playwright.async_api import expect

from bot.sandbox import MANAGER
from bot.sandbox.web import Viewer, WebPage
from tests.integration.test_sandbox_client import Town, connected, town
from tests.integration.test_sandbox_interactions import prepare
from tests.support.browser import Visit, chromium, needs_chromium, visit

pytestmark = needs_chromium
HOSTILE = "\"><img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


def open_page(t: Town) -> WebPage:
    async def forward(by: timedelta) -> None:
        t.clock.time += by

    return WebPage(
        t.sandbox,
        t.guild,
        viewers=[Viewer(t.ann.id, "manager"), Viewer(t.ben.id, "member")],
        zone=ZoneInfo("UTC"),
        forward=forward,
        about="A town.",
    )


@asynccontextmanager
async def square(**size: Any) -> AsyncIterator[tuple[Town, Visit]]:
    """A town with a client that knows commands of every shape, open at its square."""
    async with town() as t, connected(t.sandbox, prepare=prepare):
        t.world.roles.give(t.world.roles.add(t.guild, "crew"), t.ben)
        t.world.roles.give(t.world.roles.add(t.guild, "chiefs", permissions=int(MANAGER)), t.ann)
        address = f"{open_page(t).address}?channel={t.square.id}"
        async with visit(address, **size) as visited:
            yield t, visited


async def run(visited: Visit, text: str) -> None:
    """Type into the message and press Enter."""
    await visited.page.get_by_role("textbox", name="Message square").fill(text)
    await visited.page.keyboard.press("Enter")


async def test_a_command_with_options_then_buttons_selects_and_a_modal() -> None:
    async with square() as (t, visited):
        page = visited.page
        t.world.messages.post(t.square, t.ben, "first words")
        await expect(page.locator("article").last).to_contain_text("first words")

        # The options of /hello: somebody, a number within bounds, yes or no.
        await run(visited, "/hel")
        await page.get_by_role("combobox", name="who").select_option("ben")
        await page.get_by_label("times").fill("2")
        await page.get_by_label("loud").select_option("True")
        await page.get_by_role("button", name="Run").click()
        answer = page.locator("article.ephemeral").filter(has_text="used /hello")
        await expect(answer).to_contain_text("hello ben 2 True crew")

        # A modal holds the keyboard until it is sent off.
        await answer.get_by_role("button", name="Ask").click()
        dialog = page.get_by_role("dialog", name="A note")
        await expect(dialog.get_by_label("Subject")).to_be_focused()
        await dialog.get_by_label("Subject").fill("tea")
        await dialog.get_by_label("Kind").select_option("Call")
        await dialog.get_by_role("button", name="Submit").click()
        await expect(page.locator("article.ephemeral").last).to_contain_text("tea by call")
        await expect(dialog).to_have_count(0)
        await answer.get_by_role("button", name="Ask").click()
        await expect(dialog).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)

        # Lists: of people, more than one; of the message's own options.
        await answer.get_by_role("listbox").select_option(["ann", "ben"])
        await answer.get_by_role("button", name="Choose").first.click()
        await expect(page.locator("article:not(.ephemeral)").last).to_contain_text("ann and ben")
        await answer.get_by_role("combobox").select_option("Blue")
        await answer.get_by_role("button", name="Choose").last.click()
        await expect(page.locator("article.ephemeral").filter(has_text="b (edited)")).to_have_count(1)

        # What only they see can be put away.
        await page.locator("article.ephemeral").first.get_by_role("button", name="Dismiss").click()
        await expect(page.locator("article.ephemeral").filter(has_text="b (edited)")).to_have_count(0)


async def test_suggestions_menus_reactions_and_silence() -> None:
    async with square() as (t, visited):
        page = visited.page
        words = t.world.messages.post(t.square, t.ben, "words of ben")

        # Suggestions come while typing, by keyboard alone.
        await run(visited, "/find")
        await page.get_by_role("combobox", name="thing").press_sequentially("sp")
        await expect(page.get_by_role("option")).to_have_text(["spade", "spoon"])
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("combobox", name="thing")).to_have_value("spoon")
        await page.keyboard.press("Enter")
        await expect(page.locator("article").last).to_contain_text("found spoon")

        # What a message and its author offer.
        line = page.locator(f"#m-{words.id}")
        more = line.locator("summary")
        await more.focus()
        await page.keyboard.press("Enter")
        await line.get_by_role("button", name="Mark answered").click()
        await expect(page.locator("article.ephemeral").last).to_contain_text("marked words of ben")
        await more.click()
        await line.get_by_role("button", name="Relationship").click()
        await expect(page.locator("article.ephemeral").last).to_contain_text("you and ben")
        await more.click()
        await line.get_by_role("button", name="React with 👍").click()
        await line.get_by_role("button", name="👍 1").click()
        await expect(line.locator(".reactions")).to_have_count(0)
        assert words.reactions == {}

        # A bot that does not answer is said to.
        await run(visited, "/mute")
        await expect(page.get_by_role("status")).to_contain_text("did not respond")

        # What is typed stays while other things happen, and lists of commands close on Escape.
        await page.get_by_role("textbox", name="Message square").fill("half a sen")
        t.world.messages.post(t.square, t.ben, "meanwhile")
        await expect(page.locator("article").filter(has_text="meanwhile")).to_have_count(1)
        await expect(page.get_by_role("textbox", name="Message square")).to_have_value("half a sen")
        await page.get_by_role("textbox", name="Message square").fill("/nu")
        await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("link", name="/nudges on")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("textbox", name="Message square")).to_be_focused()

        # So does a command that is being filled in, after its suggestions.
        await run(visited, "/find")
        await expect(page.get_by_role("option").first).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("option")).to_have_count(0)
        await expect(page.get_by_role("combobox", name="thing")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("textbox", name="Message square")).to_be_focused()


async def test_a_forum_on_a_phone_as_a_member() -> None:
    async with square(width=390, height=844) as (t, visited):
        page = visited.page
        forum = t.world.channels.add(t.guild, "help", kind="forum")
        await page.get_by_role("navigation", name="Who you are").get_by_role("link", name="ben").click()
        await page.get_by_role("link", name="Channels", exact=False).first.click()
        await page.get_by_role("navigation", name="Channels").get_by_role("link", name="help").click()
        await page.get_by_text("Open a post").click()
        await page.get_by_label("Title").fill("Where is the **key**?")
        await page.get_by_label("First message").fill("I lost it.")
        await page.get_by_role("button", name="Post").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Where is the **key**?")
        await expect(page.locator("article")).to_contain_text("I lost it.")
        [post] = t.world.state.threads_of(forum)
        assert post.owner_id == t.ben.id
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        # The member is not offered what is for managers.
        assert "setup" not in await page.content()


async def test_hostile_names_and_contents_are_inert() -> None:
    async with square() as (t, visited):
        page = visited.page
        eve = t.world.users.add("eve", display_name=HOSTILE)
        t.world.members.add(t.guild, eve, nick="\u202e" + HOSTILE)
        role = t.world.roles.add(t.guild, HOSTILE)
        t.world.guilds.rename(t.guild, HOSTILE)
        t.world.channels.edit(t.square, topic=HOSTILE)
        thread = t.world.threads.start(t.square, HOSTILE, eve)
        embed = {
            "title": HOSTILE,
            "description": f"[x](javascript:alert(1)) {HOSTILE}",
            "url": "javascript:document.title='hacked'",
            "color": 0x1FFFFFFFF,
            "author": {"name": HOSTILE},
            "footer": {"text": HOSTILE},
            "fields": [{"name": HOSTILE, "value": HOSTILE, "inline": True}],
            "image": {"url": "https://elsewhere.example/pixel.png"},
        }
        words = t.world.messages.post(
            t.square, eve, f"{HOSTILE} <@{eve.id}> <@&{role.id}> <#{thread.id}>", embeds=[embed], reply_to=1
        )
        words.components = [
            {
                "type": 1,
                "components": [
                    {"type": 2, "style": 5, "label": HOSTILE, "url": "javascript:document.title='hacked'"},
                    {"type": 2, "style": 1, "label": HOSTILE, "custom_id": "<go>", "id": 2},
                ],
            },
            {
                "type": 1,
                "components": [
                    {
                        "type": 3,
                        "id": 4,
                        "custom_id": HOSTILE,
                        "placeholder": HOSTILE,
                        "options": [{"label": HOSTILE, "value": HOSTILE}],
                        "min_values": 1,
                        "max_values": 1,
                    }
                ],
            },
        ]
        words.attachments = [{"id": "1", "filename": HOSTILE, "size": 3, "url": HOSTILE, "content_type": "image/png"}]
        t.world.reactions.add(words, eve, HOSTILE[:30])
        t.world.messages.update(words)
        line = page.locator(f"#m-{words.id}")
        await expect(line.locator("select")).to_have_count(1)
        await page.goto(page.url)
        await expect(line).to_contain_text("onerror")
        assert await page.locator("img").count() == 0
        assert await page.locator("script:not([src='static/page.js'])").count() == 0
        assert await page.locator("[href^=javascript]").count() == 0
        await line.get_by_role("button", name="onerror").first.click()
        await expect(page.get_by_role("status")).to_contain_text("did not respond")
        assert "hacked" not in (await page.title()).split("#")[0] or HOSTILE in await page.title()


async def test_without_javascript_it_is_a_page_of_links_and_forms() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare), chromium() as browser:
        t.world.messages.post(t.square, t.ben, "first words")
        page = await browser.new_page(java_script_enabled=False)
        await page.goto(f"{open_page(t).address}?channel={t.square.id}")
        await page.get_by_role("textbox", name="Message square").fill("hello")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("article").last).to_contain_text("hello")
        await page.locator(".commands summary").click()
        await page.get_by_role("link", name="/find").click()
        await page.get_by_role("combobox", name="thing").fill("rake")
        await page.get_by_role("button", name="Run").click()
        await expect(page.locator("article").last).to_contain_text("found rake")
        await page.locator("article").first.hover()
        await page.locator("article").first.get_by_role("link", name="Reply").click()
        await page.get_by_role("textbox", name="Message square").fill("and you?")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("article").last.locator(".quoted")).to_contain_text("first words")
        assert t.square.messages[-1].reference is not None
        await page.get_by_role("button", name="A day").click()
        await expect(page.locator(".clock .long")).to_contain_text("3 March 2026")
