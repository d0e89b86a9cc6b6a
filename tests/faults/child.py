"""The bot as a separate process: the real entry point, with shorter delays in discord.py and in Spade.

Nothing else is changed, except for a planted defect if a test names one.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import types
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import discord.http
import discord.state
from discord.gateway import DiscordWebSocket

import bot.cli.main
import bot.cli.run
from bot.app import open_app
from bot.discord_io.connection import gateway, guild_refreshes, timeout
from bot.discord_io.connection.event_socket import EventSocket
from bot.discord_io.connection.gateway_events import GatewayEvents
from bot.discord_io.record.history import DiscordHistory
from bot.discord_io.record.history_request import history_request
from bot.discord_io.record.messages import MessageReader
from bot.domain.message import Message
from bot.services.record import follower, gaps, retry
from bot.services.record.follower import Follower
from bot.services.record.recorder import Recorder
from bot.store import guilds, record, spans
from bot.store.database import Database
from bot.store.error import StoreError
from tests.support.summed import sum_up

HOLD_SECONDS = 0.5
TIMEOUT_SECONDS = 1.5
RETRY_SECONDS = 0.2
GAP_RETRY_SECONDS, LONGEST_GAP_RETRY_SECONDS = 0.5, 1.0
TICK_SECONDS = 0.3
IN_STEP = "in-step"
"""The file that is touched whenever the bot looks for due work and has caught up with every guild."""


def live(arguments: list[str], token: str, folder: str, log: str, defect: str | None) -> None:
    """Run a `spade` command in this process, with its output in a log file."""
    descriptor = os.open(Path(folder, log), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.chdir(folder)
    os.environ["SPADE_TOKEN"] = token
    hurry()
    if defect is not None:
        DEFECTS[defect]()
    sys.argv = ["spade", *arguments]
    sys.exit(bot.cli.main.run_command())


def hurry() -> None:
    """Shorten the delays of discord.py and Spade."""
    begin = discord.state.ConnectionState.__init__

    def begin_soon(self: Any, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self.guild_ready_timeout = 0.1

    async def identify_at_once(*_: Any, **__: Any) -> None:
        """Skip the five seconds that discord.py waits before a further session."""

    async def nap(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.2))

    discord.state.ConnectionState.__init__ = begin_soon
    discord.Client.before_identify_hook = identify_at_once
    replace_in(gateway, FIRST_DELAY_SECONDS=0.05, LONGEST_DELAY_SECONDS=0.05)
    replace_in(timeout, SECONDS=TIMEOUT_SECONDS)
    replace_in(discord.http, asyncio=types.SimpleNamespace(**{**vars(asyncio), "sleep": nap}))
    replace_in(guild_refreshes, FIRST_DELAY_SECONDS=0.1, LONGEST_DELAY_SECONDS=0.3)
    replace_in(guild_refreshes, INCOMPLETE_DELAY_SECONDS=0.5, LONGEST_INCOMPLETE_DELAY_SECONDS=1.0)
    replace_in(gaps, GAP_RETRY_SECONDS=GAP_RETRY_SECONDS, LONGEST_RETRY_SECONDS=LONGEST_GAP_RETRY_SECONDS)
    for module in (retry, follower):
        replace_in(module, RETRY_SECONDS=RETRY_SECONDS)
    replace_in(bot.cli.run, open_app=functools.partial(open_app, hold_seconds=HOLD_SECONDS, tick_seconds=TICK_SECONDS))
    watch_due_work()


def watch_due_work() -> None:
    """Touch a file whenever the bot looks for due work and has caught up: known gaps are tried at every such look."""
    retry_gaps = Follower.retry_gaps

    async def marked(self: Follower) -> int:
        if self.caught_up:
            Path(IN_STEP).touch()
            await _sum_up(self._gaps._database)
        return await retry_gaps(self)

    Follower.retry_gaps = marked


async def _sum_up(database: Database) -> None:
    """Have kept what the days and weeks come to, although they go on: then facts change under it."""
    async with database.reading() as connection:
        servers = await guilds.all_settings(connection)
    with suppress(StoreError):
        for settings in servers:
            await sum_up(database, settings.guild_id, datetime.now(UTC))


def replace_in(module: types.ModuleType, **names: object) -> None:
    """Set names in a module. A name that the module does not have is an error, so that a renaming is noticed."""
    for name, value in names.items():
        assert name in vars(module), f"{module.__name__} has no {name}"
        setattr(module, name, value)


async def between_two_commits(first: Awaitable[Any]) -> Any:
    """Await the first, then stay before the second for as long at least: kills hit that moment on any machine."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    recorded = await first
    await asyncio.sleep(max(0.15, clock() - begun))
    return recorded


def commit_spans_before_their_facts() -> None:
    """Plant a defect: a span is committed a moment before its facts."""
    late: list[tuple[Any, ...]] = []
    whole = Recorder.record

    async def write(_self: Recorder, connection: Any, judged: Any, _known: Any) -> None:
        await spans.add_all(connection, [(one.place, span) for one in judged for span, _ in one.parts])
        late.extend((one.place, facts) for one in judged for _, facts in one.parts)

    async def then_facts(self: Recorder, stretch: Any, context: Any) -> Any:
        recorded = await between_two_commits(whole(self, stretch, context))
        while late:
            place, facts = late.pop()
            async with self._database.writing() as connection:
                await record.add_activity(connection, [(place, facts)])
                await record.add_touches(connection, {place.guild_id: facts.touches})
                await record.add_waiting(connection, {place.guild_id: facts.waiting})
        return recorded

    Recorder._write = write
    Recorder.record = then_facts


def commit_facts_before_their_spans() -> None:
    """Plant a defect: facts are committed a moment before their span."""
    whole, write = Recorder.record, Recorder._write
    late: list[tuple[Any, Any]] = []

    async def note(_connection: Any, added: Any, _known: Any) -> dict[int, Any]:
        late.extend(added)
        return {}

    async def facts_alone(self: Recorder, *given: Any) -> None:
        add, spans.add_all = spans.add_all, note
        try:
            await write(self, *given)
        finally:
            spans.add_all = add

    async def then_span(self: Recorder, stretch: Any, context: Any) -> Any:
        recorded = await between_two_commits(whole(self, stretch, context))
        while late:
            place, span = late.pop()
            async with self._database.writing() as connection:
                await spans.add(connection, place, span)
        return recorded

    Recorder._write = facts_alone
    Recorder.record = then_span


def follow_what_cannot_be_seen() -> None:
    """Plant a defect: a channel that was hidden is still followed, although messages of it were missed."""

    async def as_if_nothing_was(_self: Follower, _channel_ids: object) -> None:
        pass

    Follower.channels_hidden = as_if_nothing_was


def ignore_a_refused_resume() -> None:
    """Plant a defect: a new session is treated as the old one, so that what was missed is not fetched."""
    interrupted = Follower.interrupted

    def in_one_guild_only(self: Follower, guild_id: int | None = None) -> None:
        if guild_id is not None or not self.session:
            interrupted(self, guild_id)

    Follower.interrupted = in_one_guild_only


def believe_every_empty_page() -> None:
    """Plant a defect: an empty page counts as an empty history, without a check of the permission."""

    async def fetch_unchecked(
        self: DiscordHistory, channel: Any, limit: int, after_id: int | None, before_id: int | None
    ) -> Sequence[object]:
        async with history_request():
            return await self._client.http.logs_from(channel.place.channel_id, limit, before=before_id, after=after_id)

    async def always_readable(_self: DiscordHistory, _channel: Any, _position: object) -> None:
        pass

    DiscordHistory._fetch = fetch_unchecked
    DiscordHistory._check_readable = always_readable


def let_discord_py_read_everything() -> None:
    """Plant a defect: events are parsed as they come."""
    EventSocket.received_message = DiscordWebSocket.received_message


def miss_unread_messages() -> None:
    """Plant a defect: a message that cannot be read when it is sent is not fetched."""

    def miss(_self: GatewayEvents, *_: object) -> None:
        pass

    GatewayEvents._miss_message = miss


def change_pages(change: Callable[[tuple[Message, ...]], tuple[Message, ...]]) -> None:
    """Plant a defect: pages of history in which a message cannot be read are not as they are."""
    whole = MessageReader.page

    async def changed(self: MessageReader, *arguments: Any) -> tuple[Message, ...]:
        page = await whole(self, *arguments)
        return page if all(message.readable for message in page) else change(page)

    MessageReader.page = changed


def drop_pages_with_unread_messages() -> None:
    """Plant a defect: one message that cannot be read hides all others of its page."""
    change_pages(lambda _page: ())


def note_no_unread_message() -> None:
    """Plant a defect: a message that cannot be read is left out of its page, and nothing is known to be missing."""
    change_pages(lambda page: tuple(message for message in page if message.readable))


DEFECTS = {
    "spans-first": commit_spans_before_their_facts,
    "facts-first": commit_facts_before_their_spans,
    "hidden-followed": follow_what_cannot_be_seen,
    "resume-ignored": ignore_a_refused_resume,
    "permission-not-asked": believe_every_empty_page,
    "guards-gone": let_discord_py_read_everything,
    "message-not-fetched": miss_unread_messages,
    "page-dropped": drop_pages_with_unread_messages,
    "gap-not-noted": note_no_unread_message,
}
