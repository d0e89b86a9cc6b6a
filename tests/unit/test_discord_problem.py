"""A failed request is described by its route, Discord's reason and the fields, and without any secret."""

import asyncio
import logging
from types import SimpleNamespace

import aiohttp
import discord
import pytest
from discord import app_commands
from yarl import URL

from bot.cli.failure import Failure
from bot.cli.run import Outage, as_failures
from bot.discord_io.connection.problem import LONGEST, described
from bot.discord_io.interactions import registration
from bot.discord_io.interactions.registration import CommandRegistration
from bot.views.words.names import safe_reason
from tests.support.patience import PATIENCE

TOKEN = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OTp0b2tlbg"
FORM = {
    "code": 50035,
    "message": "Invalid Form Body",
    "errors": {"embeds": {"0": {"title": {"_errors": [{"code": "X", "message": "Too long"}]}}}},
}


def failed(
    status: int,
    answer: object,
    route: str = "/channels/5/messages",
    kind: type[discord.HTTPException] = discord.HTTPException,
) -> discord.HTTPException:
    url = URL(f"https://discord.com/api/v10{route}")
    return kind(SimpleNamespace(status=status, reason="Bad Request", method="POST", url=url), answer)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            failed(400, FORM),
            "Discord answered 400 (50035) to POST /channels/5/messages: Invalid Form Body; In embeds.0.title: Too long",
        ),
        (
            failed(403, {"code": 50013, "message": "Missing Permissions"}, kind=discord.Forbidden),
            "Discord answered 403 (50013) to POST /channels/5/messages: Missing Permissions",
        ),
        (
            failed(502, "<html>\n<h1>Bad gateway</h1>", kind=discord.DiscordServerError),
            "Discord answered 502 to POST /channels/5/messages: Bad Request",
        ),
        (discord.HTTPException(SimpleNamespace(status=400, reason="no"), "words"), "Discord answered 400: words"),
        (discord.RateLimited(4.0), "Discord asked to slow down"),
        (TimeoutError(), "Discord did not answer in time"),
        (aiohttp.ServerDisconnectedError(), "Discord cannot be reached (ServerDisconnectedError)"),
        (ValueError("a\nb"), "ValueError: a b"),
    ],
)
def test_the_request_the_reason_and_the_field_are_named(error: BaseException, words: str) -> None:
    assert described(error) == words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (failed(400, FORM), "Invalid Form Body; In embeds.0․title: Too long, 50035"),  # noqa: RUF001 - no address
        (failed(403, {"code": 50013, "message": "Missing Permissions"}), "Missing Permissions, 50013"),
        (failed(502, "<html>"), "Discord answered 502: Bad Request"),
        (TimeoutError(), "Discord did not answer in time"),
    ],
)
def test_people_on_discord_read_the_reason_without_the_request(error: BaseException, words: str) -> None:
    assert safe_reason(described(error)) == words


@pytest.mark.parametrize(
    "route", [f"/interactions/12/{TOKEN}/callback", f"/webhooks/12/{TOKEN}/messages/@original?x=1"]
)
@pytest.mark.parametrize("token", [TOKEN, "short"])
def test_no_token_of_a_route_or_a_bot_is_shown(route: str, token: str) -> None:
    bot_token = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789AB"
    words = described(failed(404, {"code": 10062, "message": f"no {bot_token}"}, route.replace(TOKEN, token)))
    assert token not in words
    assert bot_token not in words
    assert "/12/***/" in words


def test_a_long_reason_is_cut() -> None:
    assert len(described(failed(400, {"code": 1, "message": "word " * 1000}))) == LONGEST


def refused_command() -> discord.HTTPException:
    @app_commands.command(name="status", description="words")
    async def status(_interaction: discord.Interaction) -> None: ...

    errors = {"0": {"description": {"_errors": [{"code": "X", "message": "Must be 100 or fewer in length."}]}}}
    answer = {"code": 50035, "message": "Invalid Form Body", "errors": errors}
    return app_commands.CommandSyncFailure(failed(400, answer, "/applications/1/commands"), [status])


def test_a_refused_registration_names_the_command_and_its_field_on_the_command_line() -> None:
    with pytest.raises(Failure) as failure, as_failures():
        raise refused_command()
    assert not isinstance(failure.value, Outage)
    for words in ("POST /applications/1/commands", "In command 'status'", "description: Must be 100 or fewer"):
        assert words in failure.value.message
    with pytest.raises(Outage, match="503"), as_failures():
        raise failed(503, "", kind=discord.DiscordServerError)


@pytest.mark.parametrize(
    "passing", [failed(503, "", kind=discord.DiscordServerError), failed(429, ""), TimeoutError(), OSError()]
)
async def test_an_outage_delays_the_registration_and_ends_nothing(
    passing: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registration, "FIRST_DELAY_SECONDS", 0.001)
    outcomes: list[Exception | None] = [passing, passing, None]
    done = asyncio.Event()

    async def sync() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        done.set()

    registering = CommandRegistration(sync)
    with caplog.at_level(logging.INFO):
        await registering.register()
        await asyncio.wait_for(done.wait(), PATIENCE)
        await asyncio.sleep(0)
    assert outcomes == []
    assert caplog.text.count("not registered yet") == 2
    registering.stop()


async def test_a_refusal_of_the_commands_is_raised_at_once_and_logged_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registration, "FIRST_DELAY_SECONDS", 0.001)
    outcomes: list[Exception] = [refused_command(), OSError(), refused_command()]

    async def sync() -> None:
        raise outcomes.pop(0)

    with pytest.raises(discord.HTTPException):
        await CommandRegistration(sync).register()
    registering = CommandRegistration(sync)
    await registering.register()
    async with asyncio.timeout(PATIENCE):
        while "cannot be registered" not in caplog.text:
            await asyncio.sleep(0.001)
    assert "In command 'status'" in caplog.text
