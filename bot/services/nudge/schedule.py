"""Reads when a manager's nudges come."""

from bot.domain.nudge_time import NudgeSchedule
from bot.store import guilds, managers
from bot.store.database import Connection


async def schedule_of(connection: Connection, guild_id: int, manager_id: int) -> NudgeSchedule | None:
    """A manager's settings with their guild's; None if either has none, so for anybody who is no manager."""
    guild = await guilds.settings_of(connection, guild_id)
    manager = await managers.settings_of(connection, guild_id, manager_id)
    return None if guild is None or manager is None else NudgeSchedule(guild, manager)
