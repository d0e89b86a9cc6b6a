"""What Discord's refusals mean to the outbox."""

from datetime import UTC, datetime
from types import SimpleNamespace

import aiohttp
import discord
import pytest

from bot.discord_io.delivery.members import MemberDirectory
from bot.discord_io.delivery.messenger import DiscordMessenger
from bot.services.delivery.messenger import DiscordUnreachableError, RefusedError, UnknownOutcomeError
from bot.views.kit.letter import Letter
from bot.views.kit.parcel import Parcel

BODY = Parcel(Letter(content="words"))


def failing(kind: type[discord.HTTPException], status: int, code: int = 0) -> discord.HTTPException:
    return kind(SimpleNamespace(status=status, reason="no"), {"code": code, "message": "no"})


def messenger(error: BaseException, guild: object | None = None) -> DiscordMessenger:
    async def refuse(*_arguments: object, **_named: object) -> object:
        raise error

    class Channel:
        send = staticmethod(refuse)

    async def create_dm(_person: object) -> Channel:
        return Channel()

    http = SimpleNamespace(get_member=refuse)
    client = SimpleNamespace(create_dm=create_dm, get_guild=lambda _: guild, user=None, ws=None, http=http)
    return DiscordMessenger(client, MemberDirectory(client, lambda: datetime(2026, 3, 2, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("error", "closed"),
    [
        (failing(discord.Forbidden, 403, 50007), True),
        (failing(discord.Forbidden, 403, 50278), True),
        (failing(discord.NotFound, 404, 10013), True),
        (failing(discord.Forbidden, 403, 50013), False),
        (failing(discord.NotFound, 404, 10003), False),
        (failing(discord.HTTPException, 400, 50007), True),
        (failing(discord.HTTPException, 400, 50035), False),
    ],
)
async def test_refusals_say_whether_the_person_is_out_of_reach(error: discord.HTTPException, closed: bool) -> None:
    with pytest.raises(RefusedError) as refused:
        await messenger(error).send_to_person(1, BODY, "nonce")
    assert refused.value.closed is closed
    assert refused.value.problem


@pytest.mark.parametrize(
    "error",
    [
        failing(discord.DiscordServerError, 503),
        failing(discord.HTTPException, 429),
        failing(discord.HTTPException, 401),
        aiohttp.ServerDisconnectedError(),
        TimeoutError(),
        ConnectionResetError(),
    ],
)
async def test_what_may_have_arrived_is_unknown(error: Exception) -> None:
    with pytest.raises(UnknownOutcomeError):
        await messenger(error).send_to_person(1, BODY, "nonce")


async def test_who_has_left_is_known_only_when_discord_says_so() -> None:
    guild = SimpleNamespace(id=7, unavailable=False)
    gone = failing(discord.NotFound, 404, 10007)
    assert await messenger(gone, guild).present(7, [1]) == {}
    assert await messenger(gone, guild).names(7, [1]) == {}
    for error in (failing(discord.NotFound, 404, 10004), failing(discord.Forbidden, 403, 50001), TimeoutError()):
        with pytest.raises(DiscordUnreachableError):
            await messenger(error, guild).present(7, [1])
        assert await messenger(error, guild).names(7, [1]) == {1: ""}
    for absent in (None, SimpleNamespace(unavailable=True)):
        with pytest.raises(DiscordUnreachableError):
            await messenger(gone, absent).present(7, [1])
