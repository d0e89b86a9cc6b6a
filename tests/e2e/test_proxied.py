"""Somebody who writes through a proxy bot, through the sandbox: recognised, named nowhere, shown, and erased."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from bot.sandbox import Channel, PostedMessage, User
from bot.store import people
from tests.support.patience import PATIENCE
from tests.support.town import BEGAN, Town, card, town

LATER = timedelta(days=2)


def proxied(here: Town, hook: User, channel: Channel, who: User) -> PostedMessage:
    """Somebody writes, and the proxy bot posts it anew and deletes the original."""
    messages = here.on.sandbox.world.messages
    original = messages.post(channel, who, "so:hello")
    anew = messages.post(channel, hook, "hello")
    messages.delete(original)
    return anew


async def stored(here: Town) -> frozenset[int]:
    async with here.on.app.database.reading() as connection:
        return await people.proxied(connection, here.guild.id)


async def why_not(here: Town, who: User) -> str:
    return (await here.ask(here.mia, "nudges", "preview", why_not=who)).text


async def test_whoever_writes_through_a_proxy_is_left_out_of_nudges_sees_it_and_can_erase_it(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world, sandbox = here.on.sandbox.world, here.on.sandbox
        sol, feed = world.users.add_webhook("Sol"), world.users.add_webhook("News")
        thread = world.threads.start(here.general, "Seeds", here.noor)
        for channel in (here.general, thread, here.general):
            assert await stored(here) == frozenset()
            world.messages.post(here.general, feed, "News")
            anew = proxied(here, sol, channel, here.rafa)
            await here.on.heard(anew.id)
        async with asyncio.timeout(PATIENCE):
            while await stored(here) != {here.rafa.id}:
                await asyncio.sleep(0.01)
        last = world.messages.post(here.general, here.rafa, "Anybody here?", mentions=[here.mia])
        await here.on.heard(last.id)
        here.on.clock.set(BEGAN + LATER)
        assert (await here.ask(here.mia, "nudges", "preview")).text.startswith("Nobody needs a word from you")
        assert "writes through a bot that posts their messages anew" in await why_not(here, here.rafa)
        assert "They write through a bot" in card(await here.ask(here.mia, "member", user=here.rafa))
        assert "One person waits" in card(await here.ask(here.mia, "waiting")), "what waits is listed all the same"
        shown = await here.ask(here.rafa, "privacy", "show")
        assert "That you write through a bot that posts your messages anew" in card(shown)
        export = await here.ask(here.rafa, "privacy", "export")
        document = json.loads(sandbox.file(export.original.attachments[0]))
        assert [row["proxied"] for row in document["facts"]["member"]] == [True]
        assert str(sol.id) not in json.dumps(document)
        assert str(anew.id) not in json.dumps(document)
        asked = await here.ask(here.rafa, "privacy", "erase")
        await (await asked.press("Erase everything about me")).wait()
        assert await stored(here) == frozenset()


async def test_what_moderators_and_feeds_do_and_what_is_excluded_makes_nobody_one(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        messages = here.on.sandbox.world.messages
        feed = here.on.sandbox.world.users.add_webhook("News")
        spam = [messages.post(here.general, here.rafa, "Buy") for _ in range(5)]
        messages.post(here.general, feed, "Removed")
        messages.delete_many(spam)
        for _ in range(5):
            messages.post(here.general, feed, "News")
            slip = messages.post(here.general, here.rafa, "Helo")
            messages.post(here.general, feed, "News")
            messages.delete(slip)
        await here.on.heard(messages.post(here.general, here.rafa, "Hello", mentions=[here.mia]).id)
        await here.ask(here.owner, "settings", "exclude", channel=here.general)
        await here.on.heard(messages.post(here.general, here.rafa, "Not counted").id)
        hook = here.on.sandbox.world.users.add_webhook("Sol")
        for _ in range(5):
            await here.on.heard(proxied(here, hook, here.general, here.rafa).id)
        await here.ask(here.owner, "settings", "include", channel=here.general)
        assert await stored(here) == frozenset()
        here.on.clock.set(BEGAN + timedelta(hours=5))
        assert "is in the nudge that would come now" in await why_not(here, here.rafa)
