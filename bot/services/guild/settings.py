"""Reads and changes a guild's settings."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.guild import GuildSettings
from bot.services.members.roster import Roster, appoint, dismiss
from bot.store import guilds, ignoring, managers
from bot.store.database import Connection, Database


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What to change. None and an empty collection leave a setting as it is.

    `digest_channel_id` 0 posts no digest any more, `keep_months` 0 keeps everything.
    """

    zone: ZoneInfo | None = None
    digest_channel_id: int | None = None
    digest_weekday: int | None = None
    digest_hour: int | None = None
    keep_months: int | None = None
    add_managers: Collection[int] = ()
    remove_managers: Collection[int] = ()
    add_manager_role_id: int | None = None
    remove_manager_roles: Collection[int] = ()
    add_manager_roles: Collection[int] = ()
    exclude: Collection[int] = ()
    include: Collection[int] = ()
    ignore: Collection[int] = ()
    ignore_roles: Collection[int] = ()
    notice: Collection[int] = ()
    notice_roles: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class GuildState:
    """The settings and lists as they are now. `new_managers` were added by the change; `named` are managers by name."""

    settings: GuildSettings
    managers: frozenset[int]
    new_managers: frozenset[int]
    excluded_channels: frozenset[int]
    named: frozenset[int] = frozenset()
    manager_roles: frozenset[int] = frozenset()
    ignored: frozenset[int] = frozenset()
    ignored_roles: frozenset[int] = frozenset()


class SettingsService:
    """Reads and changes guild settings.

    `fill_gaps_soon` is called when channels count again: what was written while they were excluded is a known gap.
    """

    def __init__(self, database: Database, roster: Roster, clock: Clock, fill_gaps_soon: Callable[[], None]) -> None:
        self._database = database
        self._roster = roster
        self._clock = clock
        self._fill_gaps_soon = fill_gaps_soon

    async def state(self, guild_id: int) -> GuildState:
        """The settings and lists as they are now; the defaults if nothing was set."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id) or GuildSettings(guild_id, ZoneInfo("UTC"))
            return await _state(connection, settings, await managers.people(connection, guild_id))

    async def change(self, guild_id: int, change: SettingsChange) -> GuildState:
        """Apply a change. The first digest is for the week in which its channel is first named.

        The history has to be read again for new managers: the job is on record, and the caller has to resume it.
        """
        async with self._database.writing() as connection:
            settings = await guilds.settings_of(connection, guild_id, zone=change.zone)
            if settings is None:
                settings = GuildSettings(guild_id, change.zone or ZoneInfo("UTC"))
            settings = self._changed(settings, change)
            await guilds.save(connection, settings)
            before = await managers.people(connection, guild_id)
            await _change_managers(connection, guild_id, change, self._clock.now())
            await _change_lists(connection, guild_id, change)
            state = await _state(connection, settings, before)
        self._roster.changed(guild_id)
        if change.include:
            self._fill_gaps_soon()
        return state

    def _changed(self, settings: GuildSettings, change: SettingsChange) -> GuildSettings:
        if change.digest_weekday is not None:
            settings = replace(settings, digest_weekday=change.digest_weekday)
        if change.digest_hour is not None:
            settings = replace(settings, digest_hour=change.digest_hour)
        if change.keep_months is not None:
            settings = replace(settings, keep_months=change.keep_months or None)
        if change.digest_channel_id is not None:
            settings = replace(settings, digest_channel_id=change.digest_channel_id or None)
            if settings.digest_channel_id is None:
                settings = replace(settings, digest_from_at=None)
            elif settings.digest_from_at is None:
                settings = replace(settings, digest_from_at=self._clock.now())
        return settings


async def _change_managers(connection: Connection, guild_id: int, change: SettingsChange, now: datetime) -> None:
    await appoint(connection, guild_id, change.add_managers, now)
    added = {*change.add_manager_roles, *(() if change.add_manager_role_id is None else (change.add_manager_role_id,))}
    if added or change.remove_manager_roles:
        known_roles = await managers.roles(connection, guild_id)
        await managers.set_roles(connection, guild_id, (known_roles | added) - frozenset(change.remove_manager_roles))
    await dismiss(connection, guild_id, change.remove_managers, now)  # after the roles, which take people off as well


async def _change_lists(connection: Connection, guild_id: int, change: SettingsChange) -> None:
    if change.exclude or change.include:
        excluded = await guilds.excluded_channels(connection, guild_id)
        wanted = (excluded | frozenset(change.exclude)) - frozenset(change.include)
        await guilds.set_excluded_channels(connection, guild_id, wanted)
    await ignoring.add(connection, guild_id, change.ignore)
    await ignoring.add_roles(connection, guild_id, change.ignore_roles)
    await ignoring.remove(connection, guild_id, change.notice)
    await ignoring.remove_roles(connection, guild_id, change.notice_roles)


async def _state(connection: Connection, settings: GuildSettings, before: frozenset[int]) -> GuildState:
    guild_id = settings.guild_id
    after = await managers.people(connection, guild_id)
    return GuildState(
        settings=settings,
        managers=after,
        new_managers=after - before,
        excluded_channels=await guilds.excluded_channels(connection, guild_id),
        named=after - await managers.people_by_role(connection, guild_id),
        manager_roles=await managers.roles(connection, guild_id),
        ignored=await ignoring.people(connection, guild_id) - await ignoring.people_by_role(connection, guild_id),
        ignored_roles=await ignoring.roles(connection, guild_id),
    )
