"""Runs one tick of the bot's sending after another, each in a process of its own, forked from here.

It reads a job a line and answers with two lines: the process's id when it starts, its status when it ends. Forking
from a process that has everything imported makes a run a tenth of a second.
"""

import asyncio
import json
import os
import secrets
import sys
import traceback
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import aiohttp
import discord

from bot.clock import DrivenClock
from bot.discord_io.connection.address import point_at
from bot.discord_io.delivery.members import MemberDirectory
from bot.discord_io.delivery.messenger import DiscordMessenger
from bot.domain.delivery import Delivery, DeliveryKind
from bot.domain.rules import NudgeRules, Rules
from bot.services.delivery.messenger import Present, SentMessage
from bot.services.delivery.settlement import Settlement
from bot.services.nudge.dispatch import NudgeService
from bot.store.database import open_database
from bot.views.kit.parcel import Parcel
from bot.views.nudge.writer import NudgeWriter
from tests.faults_outbox.points import arm

RULES = Rules(nudge=replace(NudgeRules(), quiet_after_unanswered=10**6))


class Messenger(DiscordMessenger):
    """The real one, without a gateway: it takes everybody to be in the server.

    While `history_lags`, Discord does not show yet what it has taken. A planted `defect` never looks at the DM, or
    makes up another nonce each time.
    """

    history_lags = False
    defect: str | None = None

    async def find(self, delivery: Delivery, channel_id: int | None) -> SentMessage | None:
        if self.history_lags or self.defect == "history":
            return None
        return await super().find(delivery, channel_id)

    async def send_to_person(self, person_id: int, body: Parcel, nonce: str) -> SentMessage:
        return await super().send_to_person(person_id, body, secrets.token_hex(8) if self.defect == "nonce" else nonce)

    async def present(self, guild_id: int, people: Collection[int]) -> Mapping[int, Present]:
        return {person_id: Present(f"P{person_id}") for person_id in people}

    async def guild_name(self, guild_id: int) -> str:
        return "A server"


async def tick(job: Mapping[str, Any]) -> None:
    """Settle what is open, then send what is due: what the schedule does at a tick."""
    point_at(job["url"])
    trace = aiohttp.TraceConfig()
    client = discord.Client(intents=discord.Intents.none(), http_trace=trace)
    clock = DrivenClock(datetime.fromisoformat(job["now"]))
    messenger = Messenger(client, MemberDirectory(client, clock.now))
    messenger.history_lags, messenger.defect = job["history_lags"], job["defect"]
    if job["point"]:
        arm(job["point"], messenger, trace)
    await client.login(job["token"])
    database = await open_database(job["database"], write=True)
    try:

        async def settle(_guild_id: int) -> None:
            return None

        service = NudgeService(database, messenger, NudgeWriter(), clock, RULES, settle)
        settlement = Settlement(database, clock)
        settlement.add(DeliveryKind.NUDGE, service.resume)
        await settlement.settle_due()
        await service.send_due()
    finally:
        await database.close()
        await client.close()


def main() -> None:
    """Take jobs until there are no more."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            status = 0
            try:
                asyncio.run(tick(json.loads(line)))
            except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
                traceback.print_exc()
                status = 1
            os._exit(status)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
