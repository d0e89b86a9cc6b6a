"""Tells the follower what happens in every guild."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable

import discord
from discord.ext import commands

from bot.discord_io.channels import changed_in_archives, snapshot_of, visible, with_archives
from bot.discord_io.messages import person_id, read_message
from bot.discord_io.places import Recordable, is_in_sight, is_recorded, place_of, recorded_channels
from bot.domain.stretch import Place
from bot.services.guild.membership import MembershipService
from bot.services.members.roster import Roster
from bot.services.members.waiting import WaitingService
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.history_reader import HistoryReader
from bot.services.record.retry import retry
from bot.services.record.thread_archives import ArchiveScope, ThreadArchives

log = logging.getLogger(__name__)


class Tracking(commands.Cog):
    """Events in, one service call out. Recording goes on for as long as the cog is loaded.

    `joined` names the guilds that Spade is in, those too that Discord does not show just now.
    """

    def __init__(
        self,
        follower: Follower,
        roster: Roster,
        waiting: WaitingService,
        reader: HistoryReader,
        membership: MembershipService,
        archives: ThreadArchives,
        joined: Callable[[], Collection[int]],
    ) -> None:
        self._follower = follower
        self._roster = roster
        self._waiting = waiting
        self._reader = reader
        self._membership = membership
        self._archives = archives
        self._joined = joined
        self._tasks: set[asyncio.Task[None]] = set()
        self._guilds: dict[int, discord.Guild] = {}
        self._unread_archives: set[int] = set()
        self._ready = False

    async def cog_load(self) -> None:
        """Start writing down what is heard."""
        self._start(self._follower.run(), "recording")

    async def cog_unload(self) -> None:
        """Write what is left, and stop."""
        await self._reader.stop()
        await self._follower.settle()
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _start(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("The work of %s failed", task.get_name(), exc_info=error)

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """A new session: what happened before it may have been missed."""
        self._ready = False
        self._guilds.clear()
        self._follower.interrupted()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """The session shows everything there is: fetch what was missed."""
        self._ready = True
        self._follower.expect_guilds(self._guilds)
        self._start(self._enter(list(self._guilds.values())), "catching up")

    async def _enter(self, guilds: list[discord.Guild]) -> None:
        """Begin with the guilds that there are, whatever is in the way at first."""
        follower, session = self._follower, self._follower.session
        looks = await retry(
            "Looking at the channels", lambda: self._looks(guilds), wanted=lambda: follower.uninterrupted(session)
        )
        if looks is None:
            return  # a newer session began, and looks for itself
        await follower.catch_up([one for guild in guilds for one in visible(guild)], session)
        for guild in guilds:
            whole = await self._look_into_archives(guild, recorded_channels(guild), looks[guild.id], session)
            await follower.catch_up((), session, guild_ids=[guild.id])
            if whole:
                await self._archives.read(guild.id)
            await self._reader.resume(guild.id)

    async def _looks(self, guilds: list[discord.Guild]) -> dict[int, ArchiveScope]:
        await self._membership.present(self._joined())
        return {guild.id: await self._archives.look(guild.id) for guild in guilds}

    async def _look_into_archives(
        self,
        guild: discord.Guild,
        channels: Iterable[object],
        look: ArchiveScope,
        session: int,
    ) -> bool:
        """Fetch what archived threads hold; False when something was in the way."""
        follower = self._follower

        def lasts() -> bool:
            return follower.uninterrupted(session, guild.id)

        found, whole = await changed_in_archives(with_archives(channels), look, self._unread_archives, lasts)
        await follower.catch_up(found, session)
        return whole and lasts()

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A guild is there: at the start of a session, before `ready`, or back from an outage."""
        self._guilds[guild.id] = guild
        if self._ready:
            self._follower.interrupted(guild.id)
            self._start(self._enter([guild]), "catching up")

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Spade was invited, perhaps not for the first time."""
        await self.on_guild_available(guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Spade was removed: nothing is forgotten at once."""
        self._guilds.pop(guild.id, None)
        self._follower.guild_hidden(guild.id)
        await self._membership.removed(guild.id)

    @commands.Cog.listener()
    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """An outage: events of this guild are missed until it is back. Nothing is forgotten."""
        self._follower.guild_hidden(guild.id)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        channel = message.channel
        if message.guild is not None and isinstance(channel, discord.PartialMessageable):
            self._follower.note_unknown_thread(channel.id, message.id)
        if message.guild is None or not is_recorded(channel):
            return
        known = self._follower.knows(channel.id)
        if not known and not is_in_sight(channel):
            return  # its history has it, if the channel comes back into sight
        place = place_of(channel, message)
        try:
            async with self._follower.receiving(place, message.id) as heard:
                heard(await read_message(message))
        except Exception as error:  # noqa: BLE001 - whatever it was, the message must not be missing
            log.warning("Message %s could not be read and is fetched again: %s", message.id, error)
            known = False
        if not known:
            await self._catch_up([ChannelSnapshot(place, message.id)])
        author = message.author
        if (
            isinstance(author, discord.Member)
            and person_id(author) is not None
            and await self._roster.seen(message.guild.id, author.id, [role.id for role in author.roles])
        ):
            await self._reader.resume(message.guild.id)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A message was deleted; nobody says whose it was."""
        self._follower.messages_deleted([event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many were."""
        self._follower.messages_deleted(event.message_ids)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """A thread was deleted with all that was in it."""
        self._follower.channel_deleted(event.thread_id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel was deleted, and its threads with it."""
        threads = [thread.id for thread in channel.guild.threads if thread.parent_id == channel.id]
        for channel_id in (channel.id, *threads):
            self._follower.channel_deleted(channel_id)

    @commands.Cog.listener()
    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is there that was not."""
        if is_recorded(channel) and is_in_sight(channel):
            await self._follow_new(place_of(channel))

    @commands.Cog.listener()
    async def on_guild_channel_update(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """Permissions may have changed: a channel may have got out of sight, come back, or become readable."""
        returned = is_recorded(before) and not is_in_sight(before)
        await self._sight_changed(after.guild, [after], returned=[after] if returned else [])
        await self._look_at([after])

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """Spade may bear the role, as everybody bears @everyone."""
        if before.permissions != after.permissions:
            channels = after.guild.channels
            returned = after.permissions.view_channel and not before.permissions.view_channel
            await self._sight_changed(after.guild, channels, returned=channels if returned else [])

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """What it allowed is allowed no longer, and what it denied is."""
        channels = role.guild.channels
        returned = [channel for channel in channels if channel.overwrites_for(role).view_channel is False]
        await self._sight_changed(role.guild, channels, returned=returned)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Discord tells this of Spade itself: roles were given to it, or taken."""
        if after == after.guild.me and before.roles != after.roles:
            channels = after.guild.channels
            returned = [channel for channel in channels if is_recorded(channel) and not is_in_sight(channel, before)]
            await self._sight_changed(after.guild, channels, returned=returned)

    async def _sight_changed(
        self,
        guild: discord.Guild,
        channels: Collection[discord.abc.GuildChannel],
        *,
        returned: Collection[discord.abc.Snowflake],
    ) -> None:
        """What cannot be seen any more is followed no longer; what can be again has to catch up.

        Those of `channels` that `returned` were out of sight a moment ago, even if nobody noticed.
        """
        if not self._ready:
            return  # whoever enters sees how things are
        self._follower.retry_gaps_soon()
        here, unseen = [channel for channel in channels if is_recorded(channel)], {channel.id for channel in returned}
        # Nothing is waited for before this: the next event may be a message from behind what was not heard.
        last_heard = self._follower.channels_hidden(
            [channel.id for channel in here if channel.id in unseen or not is_in_sight(channel)]
        )
        ids = {channel.id for channel in here}
        threads = [thread for thread in guild.threads if thread.parent_id in ids and is_recorded(thread)]
        seen_again = [one for one in (*here, *threads) if is_in_sight(one) and not self._follower.knows(one.id)]
        readable = [
            channel
            for channel in with_archives(channels)
            if channel.id in self._unread_archives and channel.permissions_for(guild.me).read_message_history
        ]
        if seen_again or readable:
            self._start(self._enter_again(guild, seen_again, readable), "catching up with what is back in sight")
        await last_heard

    async def _enter_again(
        self,
        guild: discord.Guild,
        channels: list[Recordable | discord.ForumChannel],
        readable: Iterable[object],
    ) -> None:
        """Channels are back in sight, or (`readable`) their archives may be looked at now."""
        follower, session = self._follower, self._follower.session

        def lasts() -> bool:
            return follower.uninterrupted(session, guild.id)

        stale = [snapshot_of(channel, stale=True) for channel in channels if is_in_sight(channel)]
        await follower.catch_up(stale, session)
        look = await retry("Looking at archives", lambda: self._archives.look_at_all(guild.id), wanted=lasts)
        if look is not None:
            await self._look_into_archives(guild, {*channels, *readable}, look, session)

    @commands.Cog.listener()
    async def on_thread_create(self, thread: discord.Thread) -> None:
        """A thread was started: every message of it will be heard."""
        if is_recorded(thread) and is_in_sight(thread):
            await self._follow_new(place_of(thread))

    async def _follow_new(self, place: Place) -> None:
        follower, session = self._follower, self._follower.session
        await retry(
            f"Following channel {place.channel_id}",
            lambda: follower.follow_new(place, session),
            wanted=lambda: follower.uninterrupted(session),
        )

    @commands.Cog.listener()
    async def on_thread_join(self, thread: discord.Thread) -> None:
        """A thread that was there before came into sight."""
        await self._look_at([thread])

    @commands.Cog.listener()
    async def on_thread_update(self, _before: discord.Thread, after: discord.Thread) -> None:
        """A thread may have come back from the archive."""
        await self._look_at([after])

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """A manager's reaction sets a waiting message aside."""
        if event.guild_id is not None:
            await self._waiting.reacted(event.guild_id, event.user_id, event.message_id)

    async def _look_at(self, channels: Iterable[object]) -> None:
        await self._catch_up(
            [snapshot_of(channel) for channel in channels if is_recorded(channel) and is_in_sight(channel)]
        )

    async def _catch_up(self, found: list[ChannelSnapshot]) -> None:
        """In the background: a long history must not hold up the next event."""
        if found:
            self._start(self._follower.catch_up(found, self._follower.session), "catching up")
