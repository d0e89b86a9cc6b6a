"""The demo's stage: a sandbox with a real community's record in it, and the real bot connected to it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.app import App, open_app
from bot.clock import DrivenClock
from bot.config import Settings
from bot.discord_io.connection.address import point_at
from bot.sandbox import MANAGER, PostedMessage, Sandbox
from bot.sandbox.sample.player import Player
from bot.sandbox.sample.record import CommunityRecord

ENDS_AT = datetime(2026, 3, 30, 10, tzinfo=UTC)
MANAGER_IDS = (974674265817651310, 1329767395471659287, 421905984642345381)
"""The demo shows the nudges of the first one, and the page is first read as that one."""
ZONE_NAME = "Europe/Berlin"
PATIENCE_SECONDS = 20.0
READING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A sandbox with the community in it, and the bot connected to it, both on one clock."""

    clock: DrivenClock
    sandbox: Sandbox
    player: Player
    app: App

    @property
    def nudges(self) -> list[PostedMessage]:
        """The nudges sent to the first manager, oldest first."""
        return self.nudges_of(MANAGER_IDS[0])

    def nudges_of(self, manager_id: int) -> list[PostedMessage]:
        """The nudges sent to a manager, oldest first."""
        return [message for message in self.sandbox.dms(manager_id) if _bears(message, "spade:nudge:")]

    def last_nudge_of(self, manager_id: int) -> PostedMessage | None:
        """The last nudge sent to a manager; None before the first."""
        return next((one for one in reversed(self.sandbox.dms(manager_id)) if _bears(one, "spade:nudge:")), None)

    @property
    def digests(self) -> list[PostedMessage]:
        """The digests in the team's channel, oldest first."""
        team = next(channel for channel in self.player.guild.channels.values() if channel.name == "team")
        return [message for message in team.messages if _bears(message, "spade:digest:")]


def _bears(message: PostedMessage, prefix: str) -> bool:
    return any(str(control.get("custom_id", "")).startswith(prefix) for control in message.controls())


@asynccontextmanager
async def stage(record: CommunityRecord, database: Path, starts_at: datetime, *, port: int = 0) -> AsyncIterator[Stage]:
    """Open a sandbox with the record's past in it, let the real bot log in, and set it up."""
    clock = DrivenClock(starts_at)
    token = f"sandbox.{secrets.token_hex(8)}"
    async with Sandbox(now=clock.now, token=token, port=port, bot_name="Spade") as sandbox:
        player = Player(sandbox.world, record)
        player.load_until(starts_at)
        point_at(sandbox.url)
        settings = Settings(database=f"sqlite:///{database}")
        async with open_app(settings, clock, hold_seconds=0.02) as app:
            running = asyncio.create_task(app.bot.start(token))
            try:
                await sandbox.until(lambda: app.follower.caught_up or running.done(), PATIENCE_SECONDS)
                if running.done():
                    running.result()
                on = Stage(clock, sandbox, player, app)
                await set_up(on)
                yield on
            finally:
                await app.bot.close()
                await asyncio.gather(running, return_exceptions=True)


async def set_up(on: Stage) -> None:
    """Set Spade up through slash commands, as the owner and the managers do on the first day."""
    world, people, guild = on.sandbox.world, on.sandbox.people, on.player.guild
    team = world.channels.add(guild, "team", kind="text", topic="The managers' own channel")
    role = world.roles.add(guild, "Managers", permissions=int(MANAGER))
    for manager_id in MANAGER_IDS:
        world.roles.give(role, manager_id)
        options = {"manager": world.state.user(manager_id), "digest_channel": team, "time_zone": ZONE_NAME}
        answer = await people.run_command(guild.owner_id, team, "setup", options)
        await answer.wait(PATIENCE_SECONDS)
        answer = await people.run_command(manager_id, team, "nudges", subcommands=("on",))
        await answer.wait(PATIENCE_SECONDS)
    begins_on = on.player.record.lines[0].sent_at.date().isoformat()
    answer = await people.run_command(guild.owner_id, team, "backfill", {"since": begins_on}, subcommands=("start",))
    await answer.wait(PATIENCE_SECONDS)  # the job is begun by then
    reader = on.app.reader  # adding managers may start jobs too; the record is complete after all of them
    await on.sandbox.until(lambda: not any(job.running for job in reader.progress(guild.id)), READING_SECONDS)
