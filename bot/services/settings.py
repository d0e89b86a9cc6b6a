"""Changing what a guild has set."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.digest import first_digest_week
from bot.domain.guild import GuildSettings
from bot.services.roster import Roster
from bot.store import guilds, managers
from bot.store.database import Database


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What to change; None leaves a thing as it is."""

    zone: ZoneInfo | None = None
    digest_channel_id: int | None = None
    add_managers: Collection[int] = ()
    remove_managers: Collection[int] = ()
    add_manager_role_id: int | None = None


@dataclass(frozen=True, slots=True)
class GuildState:
    """What holds after a change, and who came to be a manager by it."""

    settings: GuildSettings
    managers: frozenset[int]
    new_managers: frozenset[int]
    excluded_channels: frozenset[int]


class SettingsService:
    """Reads and changes guild settings."""

    def __init__(self, database: Database, roster: Roster, clock: Clock) -> None:
        self._database = database
        self._roster = roster
        self._clock = clock

    async def change(self, guild_id: int, change: SettingsChange) -> GuildState:
        """Apply a change. The first digest is for the week that runs when its channel is first named."""
        async with self._database.writing() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                settings = GuildSettings(guild_id, change.zone or ZoneInfo("UTC"))
            if change.zone is not None:
                settings = replace(settings, zone=change.zone)
            if change.digest_channel_id is not None:
                settings = replace(settings, digest_channel_id=change.digest_channel_id)
                if settings.digest_from_on is None:
                    first_week = first_digest_week(self._clock.now(), settings)
                    settings = replace(settings, digest_from_on=first_week)
            await guilds.save(connection, settings)
            before = await managers.people(connection, guild_id)
            await managers.add(connection, guild_id, change.add_managers)
            await managers.remove(connection, guild_id, change.remove_managers)
            if change.add_manager_role_id is not None:
                known_roles = await managers.roles(connection, guild_id)
                await managers.set_roles(connection, guild_id, {*known_roles, change.add_manager_role_id})
            after = await managers.people(connection, guild_id)
            excluded = await guilds.excluded_channels(connection, guild_id)
        self._roster.changed(guild_id)
        return GuildState(settings, after, after - before, excluded)
