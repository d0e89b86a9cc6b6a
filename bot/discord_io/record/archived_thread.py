"""An archived thread, which the client does not hold, as Discord's answers show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import discord

from bot.discord_io.payload.fields import (
    MalformedError,
    child,
    identity,
    moment,
    optional_identity,
    readable_identity,
)
from bot.domain.stretch import Place
from bot.services.record.channel_snapshot import ChannelSnapshot


@dataclass(frozen=True, slots=True)
class ArchivedThread:
    """A public thread. `owner_id` and `archived_at` are None if they cannot be read.

    `last_message_id` is 0 if there is no message; `stale` if it cannot be read.
    """

    thread_id: int
    parent_id: int
    owner_id: int | None
    last_message_id: int
    stale: bool
    archived_at: datetime | None

    def place_in(self, parent: discord.TextChannel | discord.ForumChannel) -> Place:
        """Its place. The opener of a forum's post is its owner; who opened another thread is not known yet."""
        is_post = isinstance(parent, discord.ForumChannel)
        return Place(
            guild_id=parent.guild.id,
            channel_id=self.thread_id,
            is_thread=True,
            opener_id=self.owner_id if is_post else None,
            parent_id=parent.id,
            opener_known=is_post and self.owner_id is not None,
        )

    def snapshot_in(self, parent: discord.TextChannel | discord.ForumChannel) -> ChannelSnapshot:
        """It, as it was when Discord answered."""
        return ChannelSnapshot(self.place_in(parent), self.last_message_id, self.stale)


def read_thread(raw: Mapping[str, Any]) -> ArchivedThread:
    """Read a thread. Raises MalformedError if it or its channel cannot be told."""
    try:
        last_message_id, stale = optional_identity(raw, "last_message_id") or 0, False
    except MalformedError:
        last_message_id, stale = 0, True
    try:
        archived_at = moment(child(raw, "thread_metadata"), "archive_timestamp")
    except MalformedError:
        archived_at = None
    return ArchivedThread(
        thread_id=identity(raw),
        parent_id=identity(raw, "parent_id"),
        owner_id=readable_identity(raw, "owner_id"),
        last_message_id=last_message_id,
        stale=stale,
        archived_at=archived_at,
    )
