"""A busy connection is read some messages at a time, a quiet one at once."""

import asyncio
from typing import Any

import pytest

from bot.discord_io.connection.reading_pace import ReadingPace

MOMENT = 0.03


class Receiver(asyncio.Protocol):
    """Reads messages of one byte at the pace of a connection."""

    def __init__(self) -> None:
        self.reads: list[int] = []
        self.got_all, self.lost = asyncio.Event(), asyncio.Event()
        self.expected = 0
        self.pace: ReadingPace | None = None

    def connection_made(self, transport: Any) -> None:
        self.pace = ReadingPace(transport, MOMENT)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        assert self.pace is not None
        self.reads.append(len(data))
        for _ in data:
            self.pace.message()
        if sum(self.reads) >= self.expected:
            self.got_all.set()


async def received(messages: int, every: float) -> list[int]:
    """How many messages each look at the socket found."""
    receiver = Receiver()
    receiver.expected = messages
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: receiver, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(messages):
            writer.write(b"m")
            await asyncio.sleep(every)
        await asyncio.wait_for(receiver.got_all.wait(), 10)
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(receiver.lost.wait(), 10)
    return receiver.reads


async def test_messages_in_quick_succession_are_read_together() -> None:
    reads = await received(60, MOMENT / 30)
    assert sum(reads) == 60
    assert len(reads) < 30


async def test_messages_far_apart_are_read_one_by_one() -> None:
    assert await received(3, 3 * MOMENT) == [1, 1, 1]


@pytest.mark.parametrize("seconds", [0.0, MOMENT])
async def test_without_a_transport_or_a_moment_nothing_is_held_up(seconds: float) -> None:
    """As in a demo, whose clock does not wait."""
    pace = ReadingPace(None, seconds)
    pace.message()
    pace.message()
