"""Who gets to see the page: whoever has its address, on this machine, and nobody through somebody else's browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from bot.sandbox.web import Viewer, WebPage
from tests.integration.test_sandbox_client import Town, town

JSON = "application/json"


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Town, WebPage, aiohttp.ClientSession, list[timedelta]]]:
    async with town() as t, aiohttp.ClientSession() as session:
        passed: list[timedelta] = []

        async def forward(by: timedelta) -> None:
            passed.append(by)
            t.clock.time += by

        page = WebPage(
            t.sandbox,
            t.guild,
            viewers=[Viewer(t.ann.id, "manager"), Viewer(t.ben.id, "member")],
            zone=ZoneInfo("UTC"),
            forward=forward,
            about="A town.",
        )
        yield t, page, session, passed


async def text_of(session: aiohttp.ClientSession, address: str, **asked: Any) -> str:
    async with session.get(address, params=asked) as response:
        assert response.status == 200
        return await response.text()


async def test_the_key_is_long_and_each_time_another_one() -> None:
    async with opened() as (_, page, *_rest), opened() as (_, other, *_more):
        assert page.key != other.key
        assert len(page.key) >= 32
        assert page.address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "/KEY", "/nokey/", "/nokey/static/page.js", "//", "/KEYx/", "/é/"]
)
async def test_without_the_key_there_is_nothing(path: str) -> None:
    async with (
        opened() as (t, page, session, _),
        session.get(t.sandbox.url + path.replace("KEY", page.key)) as response,
    ):
        assert response.status == 404
        assert page.key not in await response.text()
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert t.sandbox.failures == []


async def test_an_unknown_route_of_the_api_still_fails_loudly() -> None:
    async with opened() as (t, _, session, _), session.get(t.sandbox.api_url + "/nothing") as response:
        assert response.status == 404
        assert t.sandbox.failures
        t.sandbox.failures.clear()


async def test_nothing_but_the_page_itself_may_be_loaded_or_frame_it() -> None:
    async with opened() as (_, page, session, _), session.get(page.address) as response:
        policy = dict(rule.split(" ", 1) for rule in response.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "connect")} == {"'self'"}
        assert policy["form-action"] == "'self'"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Cache-Control"] == "no-store"
        html = await response.text()
        assert "style=" not in html
        assert "onclick" not in html
        assert "http://" not in html.replace("http://www.w3.org", "")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
async def test_under_another_name_it_does_not_answer(host: str) -> None:
    async with opened() as (_, page, session, _):
        async with session.get(page.address, headers={"Host": host}) as response:
            assert response.status in {400, 403}
        async with session.get(page.address, headers={"Host": "localhost:1"}) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "OWN", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_nobody_else_can_post(headers: dict[str, str]) -> None:
    async with opened() as (t, page, session, passed):
        sent = {name: t.sandbox.url if value == "OWN" else value for name, value in headers.items()}
        async with session.post(page.address + "forward", data={"days": "1"}, headers=sent) as response:
            assert response.status == 403
        assert passed == []


async def test_time_passes_by_days_and_weeks_only() -> None:
    async with opened() as (t, page, session, passed):
        own = {"Origin": t.sandbox.url}
        for days in ("1", "7", "3", "x", ""):
            async with session.post(page.address + "forward", data={"days": days}, headers=own) as response:
                assert response.status == 200
        assert passed == [timedelta(days=1), timedelta(days=7)]
        assert "Time passes by a day or a week" in await text_of(session, page.address)


async def test_a_reader_can_only_be_those_who_are_offered() -> None:
    async with opened() as (t, page, session, _):
        carl = t.world.users.add("carl")
        t.world.members.add(t.guild, carl)
        own = {"Origin": t.sandbox.url}
        asked = {"as": str(carl.id), "channel": str(t.square.id)}
        async with session.post(page.address + "write", params=asked, data={"content": "hi"}, headers=own) as response:
            assert response.status == 200
        assert [message.author.name for message in t.square.messages] == ["ann"]


async def test_channels_and_messages_out_of_sight_stay_so() -> None:
    async with opened() as (t, page, session, _):
        hidden = t.world.channels.add(t.guild, "vault")
        t.world.messages.post(hidden, t.ann, "gold")
        t.world.channels.set_overwrite(hidden, t.guild.roles[t.guild.id], deny=1 << 10)
        t.world.messages.post(t.world.dms.channel_with(t.ben), t.ben, "secret of ben")
        for channel in (hidden, t.world.dms.channel_with(t.ben)):
            html = await text_of(session, page.address, **{"as": t.ann.id, "channel": channel.id})
            assert "vault" not in html
            assert "gold" not in html
            assert "secret of ben" not in html


async def test_files_are_pictures_or_nothing() -> None:
    async with opened() as (t, page, session, _):
        t.world.state.files[5] = ("a.png", "image/png", b"png")
        t.world.state.files[6] = ("a.html", "text/html", b"<script>")
        t.world.state.files[7] = ("a.svg", "image/svg+xml", b"<svg/>")
        async with session.get(page.address + "files/5/a.png") as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        for name in ("6/a.html", "7/a.svg", "8/x.png", "x", "../page.py", "²/x"):
            async with session.get(page.address + "files/" + name) as response:
                assert response.status == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"channel": "x"},
        {"channel": "9" * 40},
        {"message": "-1"},
        {"message": "٣"},
        {"before": "0"},
        {"reply": "5"},
        {"command": "<b>"},
        {"as": "nobody"},
        {"what": '"><script>alert(1)</script>'},
    ],
)
async def test_odd_addresses_show_the_page_all_the_same(asked: dict[str, str]) -> None:
    async with opened() as (_, page, session, _):
        html = await text_of(session, page.address, **asked)
        assert "<main" in html
        assert "<script>" not in html


async def test_odd_forms_are_refused_in_words() -> None:
    async with opened() as (t, page, session, _):
        own = {"Origin": t.sandbox.url}
        asked = {"channel": str(t.square.id)}
        forms: list[tuple[str, dict[str, str]]] = [
            ("write", {"content": " "}),
            ("write", {"content": "x" * 2001}),
            ("post", {"title": "a", "content": "b"}),
            ("press", {"of": "1", "custom_id": "x"}),
            ("press", {"of": "x"}),
            ("choose", {"of": "5"}),
            ("run", {"command": "nothing"}),
            ("menu", {"of": "5", "command": "nothing"}),
            ("submit", {}),
            ("react", {"of": "5", "emoji": "👍"}),
            ("dismiss", {"of": "x"}),
        ]
        for step, form in forms:
            async with session.post(page.address + step, params=asked, data=form, headers=own) as response:
                assert response.status == 200, step
                assert 'class="notice"' in await response.text(), step
        async with session.post(page.address + "nothing", data={}, headers=own) as response:
            assert response.status == 404
        async with session.post(page.address + "suggest", data={"command": "x"}, headers=own) as response:
            assert await response.json() == []
        assert t.square.messages == []


async def test_a_bot_that_does_not_keep_up_is_said_to() -> None:
    async with opened() as (t, page, session, _):

        async def stall(_by: timedelta) -> None:
            raise TimeoutError

        page._forward = stall
        own = {"Origin": t.sandbox.url}
        async with session.post(page.address + "forward", data={"days": "1"}, headers=own) as response:
            text = await response.text()
        assert "That took too long" in text
        assert "<progress" not in text
