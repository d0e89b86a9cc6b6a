"""Gathers what it takes to put a nudge into words."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Nudge, NudgeDraft, OfferedMember, Press
from bot.services.delivery.messenger import Directory, DiscordUnreachableError
from bot.services.nudge.check import DiscordState, joined_of, names_of
from bot.services.nudge.facts import usual_pace
from bot.services.record.beginning import record_from
from bot.store import deliveries, guilds, managers, nudges
from bot.store.database import Database


class NudgeDrafts:
    """Makes drafts: of a nudge that is about to be sent, and of one that was."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory

    async def new(
        self,
        delivery_id: str,
        settings: GuildSettings,
        manager: ManagerSettings,
        nudge: Nudge,
        findings: DiscordState,
        now: datetime,
    ) -> NudgeDraft:
        """The draft of a nudge that was just checked."""
        guild_id = settings.guild_id
        async with self._database.reading() as connection:
            pace = await usual_pace(connection, guild_id, manager.manager_id, now)
            begins_at = await record_from(connection, settings)
        colleagues = {offer.from_manager_id for offer in nudge.offers if offer.from_manager_id is not None}
        return NudgeDraft(
            delivery_id=delivery_id,
            nudge=nudge,
            guild=settings,
            manager=manager,
            guild_name=await self._directory.guild_name(guild_id),
            names={**await self._directory.names(guild_id, sorted(colleagues)), **names_of(findings.present)},
            now=now,
            usual_reply_minutes=pace,
            joined=joined_of(findings.present),
            record_from=begins_at,
        )

    async def stored(self, delivery_id: str, now: datetime | None = None) -> NudgeDraft | None:
        """The draft of a nudge on record, with what was pressed so far; None when nothing is left of it.

        It says what was so when the nudge was made, or what is so `now`: somebody may have been answered in between.
        """
        async with self._database.reading() as connection:
            delivery = await deliveries.by_id(connection, delivery_id)
            if delivery is None or delivery.manager_id is None:
                return None
            settings = await guilds.settings_of(connection, delivery.guild_id)
            manager = await managers.settings_of(connection, delivery.guild_id, delivery.manager_id)
            members = await nudges.members_of(connection, delivery_id)
        if settings is None or manager is None or not members:
            return None
        nudge = Nudge(manager.manager_id, tuple(member.offer for member in members))
        findings = DiscordState()
        with suppress(DiscordUnreachableError):  # without names, then: the buttons must not depend on them
            findings.present.update(
                await self._directory.present(settings.guild_id, sorted({offer.member_id for offer in nudge.offers}))
            )
        draft = await self.new(delivery_id, settings, manager, nudge, findings, now or members[0].offered_at)
        colleagues = {member.colleague_id for member in members if member.colleague_id is not None}
        names = await self._directory.names(settings.guild_id, sorted(colleagues))
        return replace(draft, names={**names, **draft.names}, presses=tuple(_presses(members)))


def _presses(members: Iterable[OfferedMember]) -> Iterable[Press]:
    for member in members:
        if member.action is not None and member.settled_at is not None:
            yield Press(member.position, member.action, member.settled_at, member.colleague_id)
