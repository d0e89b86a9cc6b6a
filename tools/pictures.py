"""Takes screenshots of the demo's page and of messages on it, with a headless Chromium.

Without an address, plays the demo and writes the pictures of the README to docs/pictures. With the address of a page
that `spade demo --serve` printed, or of a message on it ("Link to this message"), takes that one screenshot.
"""

import argparse
import asyncio
import io
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright
from rich.console import Console

from bot.cli.demo import SERVED_FROM, open_page, play
from bot.cli.playback import Playback
from bot.cli.stage import MANAGER_IDS, PATIENCE_SECONDS, Stage, stage
from bot.sandbox import PostedMessage
from bot.sandbox.sample.record import bundled_record

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
SIZES = {"desktop": (1180, 860), "phone": (390, 844)}
SCHEMES = ("light", "dark")
COLOURS = 256
MESSAGE_WIDTH = 700


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium, as installed on the system; exits if there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        sys.exit("Chromium is not installed: `apt-get install chromium`, or see your system's packages.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


def save(picture: bytes, path: Path) -> None:
    """Write a PNG with a palette of 256 colours, which is about a third of the size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path)


async def open_at(browser: Browser, address: str, size: str, scheme: str) -> Page:
    """Open an address in a window of the given size and colour scheme."""
    width, height = SIZES[size]
    page = await browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2 if size == "phone" else 1.5,
        has_touch=size == "phone",
    )
    await page.goto(address)
    await page.evaluate("document.fonts.ready")
    return page


async def shoot(
    browser: Browser, address: str, size: str, scheme: str, path: Path, *, beginning_at: PostedMessage | None = None
) -> None:
    """Save a screenshot of the page, scrolled to a message if one is given, or of the message in the address."""
    page = await open_at(browser, address, size, scheme)
    if beginning_at is not None:
        await page.locator(f"#m-{beginning_at.id}").evaluate("node => node.scrollIntoView()")
    anchor = urlsplit(address).fragment
    if anchor.startswith("m-"):
        # Only the message: without the hover tools, and without the mark of a linked message.
        await page.locator(f"#{anchor}").evaluate(
            "(node, width) => { node.classList.remove('marked'); node.style.maxWidth = `${width}px`;"
            " node.style.paddingBlock = '12px'; node.style.margin = 0;"
            " for (const extra of node.querySelectorAll('.tools, .day')) extra.remove(); }",
            MESSAGE_WIDTH,
        )
        width, _ = SIZES[size]
        await page.set_viewport_size({"width": width, "height": 2400})
        save(await page.locator(f"#{anchor}").screenshot(), path)
    else:
        save(await page.screenshot(), path)
    await page.close()


def message_address(base: str, viewer_id: int, message: PostedMessage) -> str:
    """The address of a message on the page."""
    asked = {"as": viewer_id, "channel": message.channel_id, "message": message.id}
    return f"{base}?{urlencode(asked)}#m-{message.id}"


async def run_waiting(on: Stage) -> PostedMessage:
    """Run /waiting as the manager and return the answer."""
    team = on.digests[-1].channel_id
    answer = await on.sandbox.people.run_command(MANAGER_IDS[0], team, "waiting")
    return await answer.message()


async def make_all() -> None:
    """Play the demo and write the README's pictures."""
    with tempfile.TemporaryDirectory() as place:
        async with stage(bundled_record(), Path(place) / "demo.db", SERVED_FROM) as on, chromium() as browser:
            playback = Playback(on)
            await play(playback, Console(stderr=True))
            base = open_page(on, playback).address
            manager_id = MANAGER_IDS[0]
            nudge, digest, waiting = on.nudges[-1], on.digests[-1], await run_waiting(on)
            team = f"{base}?{urlencode({'as': manager_id, 'channel': digest.channel_id})}"
            shown = {
                "page-nudge": (base, nudge),
                "page-digest": (team, digest),
                "page-waiting": (team, waiting),
                "message-nudge": (message_address(base, manager_id, nudge), None),
                "message-digest": (message_address(base, manager_id, digest), None),
                "message-waiting": (message_address(base, manager_id, waiting), None),
            }
            for name, (address, beginning_at) in shown.items():
                for size in SIZES:
                    for scheme in SCHEMES:
                        path = FOLDER / f"{name}-{size}-{scheme}.png"
                        await shoot(browser, address, size, scheme, path, beginning_at=beginning_at)
            await picture_answers(on, browser, base)
            await picture_presses(on, browser, base)


async def picture_answers(on: Stage, browser: Browser, base: str) -> None:
    """Take screenshots of the answers to a manager's commands."""
    manager_id, team = MANAGER_IDS[0], on.digests[-1].channel_id
    record, people = on.player.record, on.sandbox.people
    managers = {number for number, (person_id, _) in enumerate(record.people) if person_id in MANAGER_IDS}
    authors = {line.message_id: line.author for line in record.lines}
    answered = Counter(
        authors.get(line.reply_to_id)
        for line in record.lines
        if line.author in managers and line.kind == 1 and authors.get(line.reply_to_id) not in {None, *managers}
    )
    ((number, _),) = answered.most_common(1)
    somebody = on.sandbox.world.state.user(record.people[number or 0][0])
    commands: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
        "member": ({"user": somebody}, ()),
        "unmet": ({}, ()),
        "coverage": ({}, ()),
        "status": ({}, ()),
        "privacy": ({}, ("show",)),
        "setup": ({}, ()),
    }
    for name, (options, subcommands) in commands.items():
        answer = await people.run_command(manager_id, team, name, options, subcommands)
        address = message_address(base, manager_id, await answer.message(PATIENCE_SECONDS))
        await shoot(browser, address, "desktop", "light", FOLDER / f"answer-{name}.png")
    guide = await answer.message()
    for page, words in (("when", "2 of 3"), ("history", "3 of 3")):
        await people.press(manager_id, guide, f"spade:setup:go:{page}")
        await on.sandbox.until(partial(_says, guide, words), PATIENCE_SECONDS)
    end = await (await people.press(manager_id, guide, "Finish")).message(PATIENCE_SECONDS)
    address = message_address(base, manager_id, end)
    await shoot(browser, address, "desktop", "light", FOLDER / "answer-setup-end.png")


def _says(message: PostedMessage, words: str) -> bool:
    return words in str(message.embeds)


def _edited(message: PostedMessage, before: tuple[object, str]) -> bool:
    return (message.edited_at, str(message.embeds)) != before


async def picture_presses(on: Stage, browser: Browser, base: str) -> None:
    """Press the buttons of the last nudge one after the other, with a screenshot after each."""
    manager_id, nudge, people = MANAGER_IDS[0], on.nudges[-1], on.sandbox.people
    team = on.digests[-1].channel_id
    await (await people.run_command(MANAGER_IDS[1], team, "nudges", subcommands=("on",))).wait(PATIENCE_SECONDS)
    rows = [row["components"] for row in nudge.components]
    for row, action in zip(rows, ("done", "snooze", "never", "hand_over"), strict=False):
        pressed = next(item["custom_id"] for item in row if str(item.get("custom_id", "")).endswith(f":{action}"))
        edited = partial(_edited, nudge, (nudge.edited_at, str(nudge.embeds)))
        answer = await people.press(manager_id, nudge, pressed)
        if action == "hand_over":
            await (await answer.select([str(MANAGER_IDS[1])])).wait(PATIENCE_SECONDS)
        await on.sandbox.until(edited, PATIENCE_SECONDS)
        address = message_address(base, manager_id, nudge)
        await shoot(browser, address, "desktop", "light", FOLDER / f"message-nudge-after-{action}.png")


async def make_one(address: str, path: Path, size: str, scheme: str) -> None:
    """Take a screenshot of one address."""
    async with chromium() as browser:
        await shoot(browser, address, size, scheme, path)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", help="a page's or a message's address on a served demo")
    parser.add_argument("--to", type=Path, default=Path("picture.png"), help="the file to write (picture.png)")
    parser.add_argument("--size", choices=SIZES, default="desktop")
    parser.add_argument("--scheme", choices=SCHEMES, default="light")
    options = parser.parse_args()
    if options.address:
        asyncio.run(make_one(options.address, options.to, options.size, options.scheme))
    else:
        asyncio.run(make_all())


if __name__ == "__main__":
    main()
