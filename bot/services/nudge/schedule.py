"""Reads when managers' nudges come."""

from collections.abc import Collection

from bot.domain.nudge_time import NudgeSchedule
from bot.store import guilds, managers
from bot.store.database import Connection


async def schedule_of(connection: Connection, guild_id: int, manager_id: int) -> NudgeSchedule | None:
    """A manager's settings with their guild's; None if either has none, so for anybody who is no manager."""
    guild = await guilds.settings_of(connection, guild_id)
    manager = await managers.settings_of(connection, guild_id, manager_id)
    return None if guild is None or manager is None else NudgeSchedule(guild, manager)


async def schedules_among(
    connection: Connection, keys: Collection[tuple[int, int]]
) -> dict[tuple[int, int], NudgeSchedule]:
    """The same for many managers, given by guild and person; without guilds that Spade was removed from.

    Nor is there one where the guild's time zone is unknown.
    """
    found = await guilds.all_settings(connection, {guild_id for guild_id, _ in keys})
    settings = {one.guild_id: one for one in found}
    team = await managers.settings_among(connection, keys)
    return {key: NudgeSchedule(settings[key[0]], manager) for key, manager in team.items() if key[0] in settings}
