"""The guilds that the gateway connection shows, and catching up with each of them."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

import discord

from bot.background import BackgroundTasks
from bot.discord_io.record.archive_search import ArchiveSearch
from bot.discord_io.record.channels import visible_snapshots, with_threads
from bot.discord_io.record.places import visible_channels
from bot.services.guild.membership import MembershipService
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.retry import retry
from bot.services.record.thread_archives import ArchiveScope, ThreadArchives

_SEARCHES_AT_ONCE = 16
"""In how many guilds archives are searched at the same time. One that Discord does not answer for keeps its place."""


class ConnectedGuilds:
    """Has the follower catch up with every guild that a new session, or the end of an outage, makes visible.

    `joined` returns the ids of the guilds Spade is a member of, unavailable ones too.
    """

    def __init__(
        self,
        follower: Follower,
        archives: ThreadArchives,
        search: ArchiveSearch,
        membership: MembershipService,
        reader: HistoryReader,
        tasks: BackgroundTasks,
        joined: Callable[[], Collection[int]],
    ) -> None:
        self._follower = follower
        self._archives = archives
        self._search = search
        self._membership = membership
        self._reader = reader
        self._tasks = tasks
        self._joined = joined
        self._searches = asyncio.Semaphore(_SEARCHES_AT_ONCE)
        self._guilds: dict[int, discord.Guild] = {}
        self._ready = False

    @property
    def ready(self) -> bool:
        """Whether the session has shown all guilds it will show at its start."""
        return self._ready

    def connected(self) -> None:
        """A new session began: events before it may have been missed."""
        self._ready = False
        self._guilds.clear()
        self._search.forget()
        self._follower.interrupted()

    def complete(self) -> None:
        """The session has shown all guilds: catch up with them in the background."""
        self._ready = True
        self._follower.expect_guilds(self._guilds)
        self._start_catching_up(list(self._guilds.values()))

    def available(self, guild: discord.Guild) -> None:
        """A guild is visible: at the start of a session, after an outage, or because Spade was invited."""
        self._guilds[guild.id] = guild
        if self._ready:
            self._follower.interrupted(guild.id)
            self._start_catching_up([guild])

    def unavailable(self, guild_id: int) -> None:
        """An outage: events of the guild are missed until it is available again."""
        self._guilds.pop(guild_id, None)
        self._follower.guild_hidden(guild_id)

    def removed(self, guild_id: int) -> None:
        """Spade was removed from a guild."""
        self._guilds.pop(guild_id, None)
        self._follower.guild_hidden(guild_id)

    def _start_catching_up(self, guilds: Sequence[discord.Guild]) -> None:
        # The session is that of this moment: a guild may be hidden, which begins another, before the task runs.
        self._tasks.start(self._catch_up(guilds, self._follower.session), "catching up")

    async def _catch_up(self, guilds: Sequence[discord.Guild], session: int) -> None:
        """Catch up with guilds, each by itself: first all its visible channels, then its archived threads."""
        follower = self._follower
        # The scopes are asked for first: they depend on how far the record reached before this session.
        scopes = await retry(
            "Looking at the channels", lambda: self._scopes(guilds), wanted=lambda: follower.uninterrupted(session)
        )
        if scopes is None:
            return  # a newer session began, which catches up itself
        for guild in guilds:
            self._tasks.start(self._catch_up_with(guild, scopes[guild.id], session), f"catching up with {guild.id}")

    async def _catch_up_with(self, guild: discord.Guild, scope: ArchiveScope, session: int) -> None:
        """Catch up with one guild, however long Discord leaves another unanswered."""
        await self._follower.catch_up(visible_snapshots(guild), session)
        async with self._searches:
            whole = await self._search_archives(guild, scope, session)
        self._follower.guild_complete(guild.id, session)
        await retry(
            f"Going on with server {guild.id}",
            partial(self._go_on, guild.id, whole),
            wanted=partial(self._follower.uninterrupted, session),
        )
        await retry(
            f"Looking for deleted channels of server {guild.id}",
            lambda: self._follower.look_for_deleted(guild.id, _present(guild), session),
            wanted=partial(self._follower.uninterrupted, session, guild.id),
        )

    async def _go_on(self, guild_id: int, searched: bool) -> None:  # noqa: FBT001 - called through partial
        if searched:
            await self._archives.mark_searched(guild_id)
        await self._reader.resume(guild_id)

    async def _scopes(self, guilds: Sequence[discord.Guild]) -> dict[int, ArchiveScope]:
        await self._membership.present(self._joined())
        return {guild.id: await self._archives.unsearched(guild.id) for guild in guilds}

    async def _search_archives(self, guild: discord.Guild, scope: ArchiveScope, session: int) -> bool:
        """Catch up with a guild's archived threads; returns whether all archives were read in this session."""

        def wanted() -> bool:
            return self._follower.uninterrupted(session, guild.id)

        found, whole = await self._search.changed(with_threads(visible_channels(guild)), scope, wanted)
        await self._follower.catch_up(found, session)
        return whole and wanted()


def _present(guild: discord.Guild) -> frozenset[int]:
    """Every channel and active thread of a guild, those too that Spade may not see: Discord lists them all."""
    return frozenset(channel.id for channel in (*guild.channels, *guild.threads))
