"""Guilds of which an event could not be read: they are read anew over REST.

What the client remembers of such a guild may be wrong: which channels there are, or who may see them. It is taken for
an outage of that guild alone, which ends with a GUILD_CREATE made of what REST answers.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import discord

from bot.background import BackgroundTasks
from bot.discord_io.connection.timeout import request_timeout
from bot.discord_io.payload.fields import Json, MalformedError, list_of, object_of, readable_identity

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 60.0
INCOMPLETE_DELAY_SECONDS = 5.0
LONGEST_INCOMPLETE_DELAY_SECONDS = 3600.0
QUIET_SECONDS = 600.0
"""A guild without trouble for as long as this begins again with the shortest delay."""
_EVENTS_KEPT = 1000

Inspect = Callable[[str, Json], tuple[str, ...]]
"""Names the elements of an event that cannot be read. Raises MalformedError if the whole event cannot."""
Inject = Callable[[str, Json], Awaitable[None]]
"""Has an event parsed as if the gateway had sent it."""


@dataclass(slots=True, eq=False)
class _Trouble:
    """A guild that is to be read anew.

    lost: the elements that could not be read when it was last read. during: the events since its refresh began, which
    may be newer than what REST answered.
    """

    hidden: bool = False
    lost: tuple[str, ...] = ()
    during: list[tuple[str, Json]] = field(default_factory=list)
    running: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class GuildRefreshes:
    """Reads guilds anew, each by itself, with growing delays for as long as that does not succeed.

    A guild is dispatched as `guild_unavailable` when it is doubted.
    """

    def __init__(self, client: discord.Client, inspect: Inspect, inject: Inject) -> None:
        self._client = client
        self._inspect = inspect
        self._inject = inject
        self._tasks = BackgroundTasks()
        self._troubles: dict[int, _Trouble] = {}
        self._delays: dict[int, tuple[float, float]] = {}

    def doubt(self, guild_ids: Iterable[int]) -> None:
        """Take guilds for unavailable, since what the client remembers of them may be wrong, and read them anew."""
        for guild_id in guild_ids:
            trouble = self._trouble(guild_id)
            guild = self._client.get_guild(guild_id)
            if not trouble.hidden and guild is not None and not guild.unavailable:
                guild.unavailable = True
                self._client.dispatch("guild_unavailable", guild)
            trouble.hidden = True
            trouble.wake.set()

    def incomplete(self, guild_id: int, lost: tuple[str, ...]) -> None:
        """Some elements of a guild could not be read: try again later. The rest of the guild is as it should be."""
        self._trouble(guild_id).lost = lost

    def settled(self, guild_id: int) -> None:
        """The gateway has told all about a guild, or that it is gone: there is nothing to read anew."""
        self._troubles.pop(guild_id, None)

    def clear(self) -> None:
        """A new session tells all about every guild."""
        self._troubles.clear()

    def note(self, guild_id: int, name: str, data: Json) -> None:
        """An event of a guild was parsed: what REST answered to a request before may be older."""
        trouble = self._troubles.get(guild_id)
        if trouble is not None and trouble.running:
            trouble.during.append((name, data))

    async def stop(self) -> None:
        """Read nothing anew any more."""
        self._troubles.clear()
        await self._tasks.stop()

    def _trouble(self, guild_id: int) -> _Trouble:
        trouble = self._troubles.get(guild_id)
        if trouble is None:
            trouble = self._troubles[guild_id] = _Trouble()
            self._tasks.start(self._read_until_whole(guild_id, trouble), f"reading guild {guild_id} anew")
        return trouble

    async def _read_until_whole(self, guild_id: int, trouble: _Trouble) -> None:
        incomplete_delay = INCOMPLETE_DELAY_SECONDS
        while self._troubles.get(guild_id) is trouble:
            if trouble.hidden:
                await asyncio.sleep(self._next_delay(guild_id))
            elif not await _woken(trouble.wake, incomplete_delay):
                incomplete_delay = min(2 * incomplete_delay, LONGEST_INCOMPLETE_DELAY_SECONDS)
            trouble.wake.clear()
            if self._troubles.get(guild_id) is trouble:
                await self._read_once(guild_id, trouble)

    def _next_delay(self, guild_id: int) -> float:
        now = asyncio.get_running_loop().time()
        last_at, delay = self._delays.get(guild_id, (now - QUIET_SECONDS, 0.0))
        delay = min(2 * delay, LONGEST_DELAY_SECONDS) if now - last_at - delay < QUIET_SECONDS else FIRST_DELAY_SECONDS
        self._delays[guild_id] = now, delay
        return delay

    async def _read_once(self, guild_id: int, trouble: _Trouble) -> None:
        trouble.during.clear()
        trouble.running = True
        try:
            async with request_timeout():
                fresh = await self._fetched(guild_id)
            outdated = trouble.wake.is_set() or len(trouble.during) > _EVENTS_KEPT
            if self._troubles.get(guild_id) is trouble and not outdated and not self._client.is_closed():
                await self._apply(guild_id, trouble, fresh)
        except (discord.NotFound, discord.Forbidden) as error:
            log.warning("Guild %s is not shown to Spade: %s", guild_id, error.text)
            if self._client.get_guild(guild_id) is None:
                self._troubles.pop(guild_id, None)  # it was no guild's id, or Spade has left
        except Exception as error:  # noqa: BLE001 - whatever failed, it is tried again
            log.warning("Guild %s could not be read anew (%s: %s)", guild_id, type(error).__name__, error)
        finally:
            trouble.running = False

    async def _fetched(self, guild_id: int) -> Json:
        """A guild as GUILD_CREATE tells it, made of what REST answers. Raises MalformedError, too."""
        http, user = self._client.http, self._client.user
        assert user is not None  # READY came before any guild
        fresh: dict[str, Any] = {**object_of(await http.get_guild(guild_id, with_counts=False), "guild")}
        channels = list_of(await http.get_all_guild_channels(guild_id), "channels")
        # Discord's description of its API lets it leave them out. In an event that would be taken for a missing field.
        fresh["channels"] = [{"permission_overwrites": []} | raw if isinstance(raw, dict) else raw for raw in channels]
        active: Any = await http.get_active_threads(guild_id)
        fresh["threads"] = list_of(object_of(active, "threads").get("threads"), "threads")
        fresh["members"] = [object_of(await http.get_member(guild_id, user.id), "member")]
        return fresh | {"id": str(guild_id), "unavailable": False}

    async def _apply(self, guild_id: int, trouble: _Trouble, fresh: Json) -> None:
        """Have what REST answered parsed, and then again what was heard in the meantime."""
        lost = self._inspect("GUILD_CREATE", fresh)
        if not trouble.hidden and lost == trouble.lost:
            return  # nothing that the client does not know
        self._keep_newest(fresh)
        during = tuple(trouble.during)
        trouble.running = trouble.hidden = False
        trouble.lost = lost
        try:
            await self._inject("GUILD_CREATE", fresh)
            made = {readable_identity(data) for name, data in during if name == "CHANNEL_CREATE"}
            for name, data in (*self._deleted(guild_id, fresh, lost, made), *during):
                with suppress(MalformedError):  # it was readable: it is about what REST does not list any more
                    await self._inject(name, data)
        except Exception:
            self.doubt([guild_id])  # only a part was parsed
            raise
        log.info("Guild %s was read anew; not readable: %s", guild_id, ", ".join(lost) or "nothing")
        if not lost and not trouble.hidden:
            self._troubles.pop(guild_id, None)

    def _keep_newest(self, fresh: Json) -> None:
        """Keep the newest message of each channel: one may have come after REST answered."""
        for raw in (*fresh["channels"], *fresh["threads"]):
            channel_id = readable_identity(raw)
            known = None if channel_id is None else self._client.get_channel(channel_id)
            newest_id = getattr(known, "last_message_id", None)
            if newest_id is not None and isinstance(raw, dict) and _newest_of(raw) < newest_id:
                raw["last_message_id"] = str(newest_id)

    def _deleted(
        self, guild_id: int, fresh: Json, lost: tuple[str, ...], made: Container[int | None]
    ) -> list[tuple[str, Json]]:
        """A CHANNEL_DELETE for each channel that the client remembers and REST does not list.

        Not for those just `made`: they would be taken for deleted, and nothing in them recorded any more.
        """
        guild = self._client.get_guild(guild_id)
        listed = [readable_identity(raw) for raw in fresh["channels"]]
        if guild is None or None in listed or lost:
            return []
        gone = [one for one in guild.channels if one.id not in listed and one.id not in made]
        return [
            ("CHANNEL_DELETE", {"id": str(channel.id), "type": channel.type.value, "guild_id": str(guild_id)})
            for channel in gone
        ]


def _newest_of(raw: Json) -> int:
    """The newest message that a channel names; 0 if it has none, more than any id if that cannot be read."""
    if raw.get("last_message_id") is None:
        return 0
    return readable_identity(raw, "last_message_id") or 2**63


async def _woken(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
