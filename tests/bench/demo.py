"""The bot's part of `spade demo`: the whole of it, less the same messages on a sandbox that nobody listens to.

Reading history and pressing buttons make the sandbox work, too; that is counted as the bot's.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
import discord

from bot.cli.playback import TICK, Playback
from bot.cli.stage import ENDS_AT, PATIENCE_SECONDS, stage
from bot.clock import DrivenClock
from bot.discord_io.connection.address import point_at
from bot.sandbox import Sandbox
from bot.sandbox.sample.player import Player
from bot.sandbox.sample.record import bundled_record
from tests.bench.counting import Counts, counting
from tests.bench.measure import apart, cpu
from tests.bench.row import Row, alone, at_most, beside
from tests.bench.sizes import Sizes

NAME = "demo"
_INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)


@dataclass(frozen=True, slots=True)
class Played:
    """What playing the record took: CPU seconds, messages, ticks and, with the bot, what SQLite was asked."""

    seconds: float
    messages: int
    ticks: int
    counts: Counts | None = None


def demo(sizes: Sizes, folder: Path) -> Row:
    """CPU, statements and commits. The goal is for the whole of the demo."""
    days = timedelta(days=sizes.demo_days)
    whole = apart(partial(_run, with_bot, folder / "demo.db", days))
    alone_, bare = (apart(partial(_run, without, listener, days)) for listener in (_nobody, _bare_client))
    return row(whole, alone_, bare, sizes)


def row(whole: Played, alone_: Played, bare: Played, sizes: Sizes) -> Row:
    """The row of what three ways of playing the record took: with the bot, with nobody, with a bare client."""
    assert whole.counts is not None
    ours, theirs = whole.seconds - alone_.seconds, max(bare.seconds - alone_.seconds, 0.001)
    return Row(
        f"{NAME}, {whole.messages:,} messages, {whole.ticks} ticks",
        (
            beside(
                "CPU of the bot's part",
                "s",
                "a bare client's part",
                [(ours, theirs)],
                at_most(6.0) if sizes.full else None,
            ),
            alone("statements", "", [whole.counts.statements]),
            alone("hops", "", [whole.counts.hops]),
            alone("commits", "", [whole.counts.commits]),
        ),
    )


def _run(play: Callable[..., object], *arguments: object) -> Played:
    logging.getLogger("discord").setLevel(logging.CRITICAL)  # weeks pass in seconds, so heartbeats seem late
    return asyncio.run(play(*arguments))


async def with_bot(path: Path, days: timedelta) -> Played:
    """The demo without what it prints: setting up, reading what was before, and the weeks."""
    before = cpu()
    with counting() as counter:
        async with stage(bundled_record(), path, ENDS_AT - days) as on:
            playback = Playback(on)
            messages = playback.lines_until(ENDS_AT)
            await playback.play_until(ENDS_AT)
    return Played(cpu() - before, messages, days // TICK, counter.now())


async def without(listener: Callable[[Sandbox], AbstractAsyncContextManager[object]], days: timedelta) -> Played:
    """The same messages with another listener at the gateway."""
    before, starts_at = cpu(), ENDS_AT - days
    clock, record = DrivenClock(starts_at), bundled_record()
    async with Sandbox(now=clock.now, token=f"sandbox.{secrets.token_hex(8)}") as sandbox:
        player = Player(sandbox.world, record)
        player.load_until(starts_at)
        lines = list(record.between(starts_at, ENDS_AT))
        async with listener(sandbox):
            await sandbox.connected(PATIENCE_SECONDS)
            for line in lines:
                clock.set(line.sent_at)
                player.play(line)
                await asyncio.sleep(0)
            await sandbox.drained()
    return Played(cpu() - before, len(lines), 0)


@asynccontextmanager
async def _nobody(sandbox: Sandbox) -> AsyncIterator[None]:
    """Somebody who takes every event and does not look at it."""

    async def drop() -> None:
        async for _ in socket:
            pass

    async with aiohttp.ClientSession() as session, session.ws_connect(sandbox.gateway_url) as socket:
        who = {"token": sandbox.token, "intents": _INTENTS.value, "properties": {}}
        await socket.send_json({"op": 2, "d": who})
        dropping = asyncio.create_task(drop())
        try:
            yield
        finally:
            dropping.cancel()


@asynccontextmanager
async def _bare_client(sandbox: Sandbox) -> AsyncIterator[None]:
    point_at(sandbox.url)
    client = discord.Client(
        intents=_INTENTS,
        max_messages=None,
        member_cache_flags=discord.MemberCacheFlags.none(),
        chunk_guilds_at_startup=False,
    )
    running = asyncio.create_task(client.start(sandbox.token))
    try:
        yield
        await asyncio.sleep(1.0)  # it still reads what was written to its socket
    finally:
        await client.close()
        await asyncio.gather(running, return_exceptions=True)
