"""Looking into archives: what could not be looked at is known from the moment it was refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from bot.discord_io.record.archive_search import ArchiveSearch
from bot.discord_io.record.archived_thread import ArchivedThread
from bot.discord_io.record.channels import Archives
from bot.domain.span import Span
from bot.services.record.thread_archives import ArchiveScope

SINCE = datetime(2026, 3, 2, tzinfo=UTC)


def forum(channel_id: int, listed: Callable[[], Any], *, readable: bool = True) -> Any:
    """A channel with an empty archive: `listed` is awaited before it says so."""

    permissions = SimpleNamespace(read_message_history=readable)
    return SimpleNamespace(
        id=channel_id,
        guild=SimpleNamespace(me=None),
        permissions_for=lambda _member: permissions,
        listed=listed,
    )


class EmptyArchives(Archives):
    def __init__(self) -> None:
        pass

    async def threads(self, channel: Any) -> AsyncIterator[ArchivedThread | None]:
        await channel.listed()
        none: tuple[ArchivedThread, ...] = ()
        for thread in none:
            yield thread


async def nothing() -> None:
    pass


async def test_a_refused_archive_is_unread_while_others_are_still_looked_at() -> None:
    go = asyncio.Event()
    search = ArchiveSearch(EmptyArchives())
    scope = ArchiveScope({1: Span(5, 9), 2: Span(5, 9)}, {1: 9, 2: 9}, SINCE, None)
    assert await search.changed([forum(2, nothing, readable=False)], scope, lambda: True) == ([], False)
    assert search.unread == {2}
    looking = asyncio.create_task(
        search.changed([forum(1, go.wait, readable=False), forum(2, go.wait)], scope, lambda: True)
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (search.unread, looking.done()) == ({1, 2}, False)
    go.set()
    assert await looking == ([], False)
    assert search.unread == {1}  # what was read is unread no longer
