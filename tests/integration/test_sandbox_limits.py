"""Discord's limits, refused in Discord's words."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.bodies.limits import check_choices, check_command, check_message, check_modal
from tests.integration.test_sandbox_client import town
from tests.integration.test_sandbox_messages import send_raw


def button(custom_id: str | None = "a", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "x", "custom_id": custom_id} | more


def row(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(items)}


def menu(count: int) -> dict[str, Any]:
    return {"type": 3, "custom_id": "m", "options": [{"label": "x", "value": str(n)} for n in range(count)]}


def embed(**keys: Any) -> dict[str, Any]:
    return {"embeds": [keys]}


FIELD = {"name": "n", "value": "v"}
BUTTONS = [button(str(number)) for number in range(6)]
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"content": "x" * 2001}, "content", "BASE_TYPE_MAX_LENGTH"),
    ({"content": "x", "nonce": "n" * 26}, "nonce", "BASE_TYPE_MAX_LENGTH"),
    (embed(title="x" * 257), "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
    (embed(description="x" * 4097), "embeds.0.description", "BASE_TYPE_MAX_LENGTH"),
    (embed(footer={"text": "x" * 2049}), "embeds.0.footer.text", "BASE_TYPE_MAX_LENGTH"),
    (embed(author={"name": "x" * 257}), "embeds.0.author.name", "BASE_TYPE_MAX_LENGTH"),
    (embed(fields=[FIELD | {"name": "x" * 257}]), "embeds.0.fields.0.name", "BASE_TYPE_BAD_LENGTH"),
    (embed(fields=[FIELD | {"value": "x" * 1025}]), "embeds.0.fields.0.value", "BASE_TYPE_BAD_LENGTH"),
    (embed(fields=[FIELD | {"value": ""}]), "embeds.0.fields.0.value", "BASE_TYPE_REQUIRED"),
    (embed(fields=[FIELD] * 26), "embeds.0.fields", "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "x" * 3001}] * 2}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
    ({"embeds": [{"title": "x"}] * 11}, "embeds", "BASE_TYPE_MAX_LENGTH"),
    ({"components": [row(button(str(n))) for n in range(6)]}, "components", "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(*BUTTONS)]}, "components.0", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    ({"components": [row(button(), menu(1))]}, "components.0", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    ({"components": [button()]}, "components.0.type", "UNION_TYPE_CHOICES"),
    ({"components": [row()]}, "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    (
        {"components": [row(button(), button())]},
        "components.0.components.1.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    ({"components": [row(button("c" * 101))]}, "components.0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(button(label="x" * 81))]}, "components.0.components.0.label", "BASE_TYPE_MAX_LENGTH"),
    (
        {"components": [row(button(style=5, url=None))]},
        "components.0.components.0",
        "BUTTON_COMPONENT_INVALID",
    ),
    ({"components": [row(menu(26))]}, "components.0.components.0.options", "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(menu(0))]}, "components.0.components.0.options", "BASE_TYPE_BAD_LENGTH"),
]
ALLOWED: list[dict[str, Any]] = [
    {"content": "x" * 2000, "nonce": "n" * 25},
    embed(title="x" * 256, fields=[FIELD] * 25),
    embed(description="x" * 4096),
    {"components": [row(*(button(f"{r}{n}") for n in range(5))) for r in range(5)]},
    {"components": [row(menu(25))]},
    {"components": [row(button(style=5, url="https://example.org/", custom_id=None))]},
    {"flags": 1 << 15, "components": [{"type": 10, "content": "text"}]},
]


def errors_at(error: ApiError, path: str) -> list[str]:
    node: Any = error.body()["errors"]
    for part in path.split("."):
        node = node[part]
    return [item["code"] for item in node["_errors"]]


@pytest.mark.parametrize(("body", "path", "code"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_too_much_is_refused_at_its_place(body: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_message(body)
    assert (refused.value.status, refused.value.code) == (400, 50035)
    assert code in errors_at(refused.value, path)


@pytest.mark.parametrize("body", ALLOWED)
def test_what_just_fits_is_taken(body: dict[str, Any]) -> None:
    check_message(body)


@pytest.mark.parametrize("body", [{}, {"content": "  "}, {"embeds": [], "components": None}])
def test_nothing_is_not_sent(body: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="50006"):
        check_message(body)
    check_message(body, files=1)
    check_message(body, editing=True)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ({"name": "Hello", "description": "x"}, "name"),
        ({"name": "two words", "description": "x"}, "name"),
        ({"name": "x" * 33, "description": "x"}, "name"),
        ({"name": "hello"}, "description"),
        ({"name": "hello", "description": "x" * 101}, "description"),
        ({"name": "On user", "type": 2, "description": "x"}, "description"),
        ({"name": "a", "description": "b", "options": [{"name": "O", "description": "d"}]}, "options.0.name"),
        (
            {
                "name": "a",
                "description": "b",
                "options": [
                    {"name": "first", "description": "d"},
                    {"name": "second", "description": "d", "required": True},
                ],
            },
            "options.1",
        ),
    ],
)
def test_commands_must_be_well_named(command: dict[str, Any], path: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_command(command)
    assert errors_at(refused.value, path)


def test_commands_choices_and_modals_that_fit() -> None:
    check_command({"name": "grüße-2", "description": "x" * 100})
    check_command({"name": "Mark answered", "type": 3})
    check_choices([{"name": "n", "value": "v"}] * 25)
    check_modal({"custom_id": "m", "title": "t" * 45, "components": [row()]})
    with pytest.raises(ApiError):
        check_choices([{"name": "n", "value": "v"}] * 26)
    with pytest.raises(ApiError):
        check_modal({"custom_id": "m", "title": "t" * 46, "components": [row()]})


async def test_the_wire_carries_the_nested_errors() -> None:
    async with town() as t:
        path = f"/channels/{t.square.id}/messages"
        status, body = await send_raw(t, "POST", path, json={"content": "x" * 2001})
        assert status == 400
        assert body == {
            "message": "Invalid Form Body",
            "code": 50035,
            "errors": {
                "content": {
                    "_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]
                }
            },
        }
        status, body = await send_raw(t, "POST", path, data=b"{", headers={"Content-Type": "application/json"})
        assert (status, body["code"]) == (400, 50109)
        assert (await send_raw(t, "GET", f"/channels/{t.square.id}/messages/1"))[1]["code"] == 10008
        assert (await send_raw(t, "GET", "/channels/1"))[1]["code"] == 10003
        assert (await send_raw(t, "GET", "/channels/none"))[0] == 400
        assert (await send_raw(t, "GET", "/guilds/1"))[1]["code"] == 10004
        assert (await send_raw(t, "GET", "/users/1"))[1]["code"] == 10013


async def test_the_token_is_asked_for_everywhere() -> None:
    async with town() as t:
        wrong = {"Authorization": "Bot wrong"}
        assert await send_raw(t, "GET", "/users/@me", headers=wrong) == (
            401,
            {"message": "401: Unauthorized", "code": 0},
        )


async def test_bulk_delete_has_its_bounds() -> None:
    async with town(strict=False) as t:
        path = f"/channels/{t.square.id}/messages/bulk-delete"
        old = t.world.messages.post(t.square, t.ann, "old")
        assert (await send_raw(t, "POST", path, json={"messages": ["1", "2"]}))[1]["code"] == 50013
        chief = t.world.roles.add(t.guild, "chief", permissions=1 << 13)
        t.world.roles.give(chief, t.world.state.bot)
        assert (await send_raw(t, "POST", path, json={"messages": ["1"]}))[1]["code"] == 50016
        t.clock.advance(days=15)
        new = [t.world.messages.post(t.square, t.ann, "new") for _ in range(3)]
        ids = [str(message.id) for message in (old, *new)]
        assert (await send_raw(t, "POST", path, json={"messages": ids}))[1]["code"] == 50034
        assert (await send_raw(t, "POST", path, json={"messages": ids[1:]}))[0] == 204
        assert t.square.messages == [old]
