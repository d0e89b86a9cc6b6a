"""The real bot on a simulation of Discord that others made (simcord): every command, page button and the guide.

What the sandbox may misunderstand about Discord, this one may understand differently. Its `history(after=)` is wrong
beyond 100 messages, so reading history is left to the sandbox.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord

from bot.app import App, open_app
from bot.client import SpadeBot
from bot.config import Settings
from bot.discord_io.connection.gateway_events import GatewayEvents
from bot.discord_io.payload.events import USED

MANAGER = discord.Permissions(
    manage_messages=True, manage_guild=True, view_channel=True, send_messages=True, read_message_history=True
)


class SimulatedClock:
    """Simcord's own time, which its messages carry."""

    env: simcord.Env | None = None
    sure = True
    unsure_for = timedelta()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) if self.env is None else self.env.now()

    def sure_now(self) -> datetime:
        return self.now()

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        """Simcord's answers carry no time."""

    def hear_id(self, made_at: datetime) -> None:
        """Its ids do not, either."""

    def doubt(self) -> None:
        """There is no machine that could stand still."""


def take_events_as_from_a_connection(bot: SpadeBot) -> None:
    """Simcord gives its events to discord.py's parsers; Spade's websocket has them checked before."""
    parsers: dict[str, Any] = bot._connection.parsers
    theirs = dict(parsers)

    async def parse(name: str, data: Any) -> None:
        theirs[name](data)

    events = GatewayEvents(bot, parse, bot.feed)

    def taking(name: str) -> Callable[[Any], None]:
        def take(data: Any) -> None:
            event = events.received(name, data)
            with suppress(StopIteration):
                while True:  # it waits for no more than its next turn
                    event.send(None)

        return take

    parsers.update({name: taking(name) for name in USED})


@asynccontextmanager
async def simulated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[simcord.Env, App]]:
    settings = Settings(database=f"sqlite:///{folder / 'spade.db'}")
    clock = SimulatedClock()
    # Simcord waits for every sleep to end, and the follower sleeps for as long as it lives: it writes when asked to.
    monkeypatch.setattr("bot.services.record.follower.Follower.run", lambda _: asyncio.sleep(0))
    monkeypatch.setattr("bot.services.backlog.Backlog.work", lambda *_: asyncio.sleep(0))  # it waits for as long
    monkeypatch.setattr("bot.client.UNANSWERED_SECONDS", 0.5)
    async with open_app(settings, clock, hold_seconds=0, tick_seconds=3600) as app:
        take_events_as_from_a_connection(app.bot)
        async with simcord.run(app.bot, settle_timeout=20) as env:
            clock.env = env
            yield env, app


def said(result: simcord.InteractionResult) -> str:
    messages = [message for message in (result.response, *result.followups) if message is not None]
    return " ".join(f"{message.content} {[embed.to_dict() for embed in message.embeds]}" for message in messages)


async def test_every_command_and_button_on_simcord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with simulated(tmp_path, monkeypatch) as (env, app):
        guild = env.create_guild()
        channel, digest = guild.create_text_channel("general"), guild.create_text_channel("digest")
        role = guild.create_role("Team", permissions=MANAGER)
        mia = guild.add_member(env.create_user("mia"), roles=[role])
        noor = guild.add_member(env.create_user("noor"), roles=[role])
        crowd = [guild.add_member(env.create_user(f"person{number:02}")) for number in range(12)]
        rafa = crowd[0]

        # The guide, to its end.
        guide = await mia.slash(channel, "setup")
        assert "1 of 3" in said(guide)

        async def page(words: str) -> None:
            assert words in str([embed.to_dict() for embed in guide.response.embeds]), words

        await mia.select(guide.response, [mia, noor], custom_id="spade:setup:set:managers")
        await mia.select(guide.response, [digest], custom_id="spade:setup:set:digest")
        await mia.click(guide.response, label="Next")
        await page("2 of 3")
        await mia.select(guide.response, ["1"], custom_id="spade:setup:set:weekday")
        await mia.select(guide.response, ["17"], custom_id="spade:setup:set:hour")
        await page("Tuesday from 17:00")
        form = await mia.click(guide.response, label="Change the time zone")
        await mia.submit_modal(form, {"zone": "europe/berlin"})
        await page("Europe/Berlin")
        await mia.select(guide.response, ["en"], custom_id="spade:setup:set:language")
        await mia.click(guide.response, label="Next")
        await page("3 of 3")
        await mia.select(guide.response, ["0"], custom_id="spade:setup:set:history")
        await mia.click(guide.response, label="Back")
        await mia.click(guide.response, label="Next")
        end = await mia.click(guide.response, label="Finish")
        assert "Nothing of last week is on record yet" in said(end)

        # Messages, and what the managers ask about them.
        question = await rafa.send(channel, f"Hello {mia.mention}")
        for member in crowd[1:]:
            await member.send(channel, "Hello")
        await app.follower.settle()
        assert "One person waits" in said(await mia.slash(channel, "waiting"))
        unmet = await mia.slash(channel, "unmet")
        assert "12 active members" in said(unmet)
        for label in ("Next", "Previous", "Look again"):
            await mia.click(unmet.response, label=label)
        waiting = await mia.slash(channel, "waiting")
        await mia.click(waiting.response, label="Look again")
        assert "They last wrote" in said(await mia.slash(channel, "member", user=rafa))
        assert "They last wrote" in said(await mia.context_menu(channel, "Relationship", target=rafa))
        assert "Marked as answered" in said(await mia.context_menu(channel, "Mark answered", target=question))
        logged = await mia.context_menu(channel, "Log 1:1", target=rafa)
        assert "Noted" in said(logged)
        assert "Taken back" in said(await mia.click(logged.response, label="Take it back"))
        assert "Noted" in said(await mia.slash(channel, "log", user=rafa))
        for path, options, words in (
            ("coverage", {"period": "this_week"}, "12 active members"),
            ("digest", {}, ""),
            ("status", {}, "Recorded up to"),
            ("export", {}, "relationships.csv"),
            ("settings show", {}, "Europe/Berlin"),
            ("settings digest", {"hour": 9}, "from 09:00"),
            ("settings time-zone", {"zone": "UTC"}, "UTC"),
            ("settings language", {"language": "en"}, "English"),
            ("settings exclude", {"channel": digest}, "does not count"),
            ("settings include", {"channel": digest}, "counts again"),
            ("settings ignore", {"person": crowd[1]}, "Ignored: person01"),
            ("settings unignore", {"person": crowd[1]}, "Ignored: nobody"),
            ("settings keep", {"months": 12}, "12 months"),
            ("backfill start", {"since": "2026-01-01"}, ""),
            ("backfill cancel", {}, ""),
            ("nudges on", {}, "Nudges are on"),
            ("nudges hour", {"hour": 8}, "08:00"),
            ("nudges days", {"days": "workdays"}, "Monday to Friday"),
            ("nudges zone", {"zone": "UTC"}, "UTC"),
            ("nudges preview", {}, ""),
            ("nudges now", {}, ""),
            ("nudges status", {}, "Monday to Friday"),
            ("nudges off", {}, "off"),
        ):
            result = await mia.slash(channel, path, **options)
            assert result.ephemeral, path
            assert words in said(result), (path, said(result))
            assert "Something went wrong" not in said(result), path
        suggested = await mia.autocomplete(channel, "settings time-zone", "zone", "berl")
        assert suggested

        # Everybody's own.
        shown = await rafa.slash(channel, "privacy show")
        assert "waited for an answer" in said(shown)
        for label in ("Take it along", "Do not record me"):
            await rafa.click(shown.response, label=label)
        for path in ("opt-in", "opt-out", "export"):
            assert said(await rafa.slash(channel, f"privacy {path}"))
        asked = await rafa.slash(channel, "privacy erase")
        erased = await rafa.click(asked.response, label="Erase everything about me")
        assert "Erased" in said(erased)
        assert "not to be recorded" in said(await mia.slash(channel, "member", user=rafa))
