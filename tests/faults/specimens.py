"""One of everything that the sandbox sends: events and answers, taken from a small world of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.sandbox import Permission, Sandbox
from bot.sandbox.clients.options import Resolved
from tests.faults.foreign_events import foreign_events
from tests.faults.town import Town
from tests.faults.used_fields import ONE_MESSAGE, PAGE

if TYPE_CHECKING:
    from bot.sandbox import Channel, PostedMessage
    from bot.sandbox.rest.exchange import Exchange

INTENTS = 1 | 1 << 9 | 1 << 10
_AT = "2026-03-02T12:00:00.000000+00:00"
_RICH: dict[str, Any] = {
    "content": "words",
    "embeds": [
        {
            "type": "rich",
            "title": "words",
            "url": "https://example.com",
            "color": 7,
            "timestamp": _AT,
            "fields": [{"name": "a", "value": "b", "inline": True}],
            "author": {"name": "a"},
            "footer": {"text": "b"},
            "image": {"url": "https://example.com/a.png", "height": 1, "width": 1},
        }
    ],
    "attachments": [
        {
            "id": "12",
            "filename": "a.png",
            "size": 3,
            "url": "https://example.com/a.png",
            "proxy_url": "https://example.com/a.png",
            "content_type": "image/png",
            "height": 1,
            "width": 1,
            "flags": 0,
        }
    ],
    "components": [
        {"type": 1, "id": 1, "components": [{"type": 2, "id": 2, "style": 1, "label": "a", "custom_id": "not-ours"}]}
    ],
    "reactions": [
        {
            "emoji": {"id": "13", "name": "spade", "animated": False},
            "count": 1,
            "count_details": {"burst": 0, "normal": 1},
            "burst_colors": [],
            "me": False,
            "me_burst": False,
        }
    ],
    "sticker_items": [{"id": "14", "name": "spade", "format_type": 1}],
    "poll": {
        "question": {"text": "Which?"},
        "answers": [{"answer_id": 1, "poll_media": {"text": "This", "emoji": {"id": None, "name": "🌱"}}}],
        "expiry": _AT,
        "allow_multiselect": False,
        "layout_type": 1,
        "results": {"is_finalized": False, "answer_counts": [{"id": 1, "count": 2, "me_voted": False}]},
    },
    "mention_channels": [{"id": "15", "guild_id": "16", "type": 0, "name": "elsewhere"}],
    "activity": {"type": 1, "party_id": "party"},
    "application": {"id": "17", "name": "an app", "description": "", "icon": None},
    "application_id": "17",
    "interaction_metadata": {
        "id": "18",
        "type": 2,
        "user": {"id": "19", "username": "ann", "discriminator": "0", "avatar": None, "global_name": None},
        "authorizing_integration_owners": {"0": "16"},
        "original_response_message_id": "20",
    },
    "role_subscription_data": {
        "role_subscription_listing_id": "21",
        "tier_name": "gold",
        "total_months_subscribed": 2,
        "is_renewal": False,
    },
    "purchase_notification": {"type": 0, "guild_product_purchase": {"listing_id": "22", "product_name": "seeds"}},
    "call": {"participants": ["19"], "ended_timestamp": None},
    "resolved": {"users": {}, "members": {}, "roles": {}, "channels": {}},
    "position": 3,
    "nonce": "23",
}


def enriched(message: dict[str, Any]) -> dict[str, Any]:
    """A message with everything else that one can carry, none of which Spade uses."""
    return message | {key: value for key, value in _RICH.items() if not message.get(key)}


@dataclass(slots=True)
class Specimens:
    """Payloads by the name of their event, answers by method and route."""

    events: dict[str, list[Any]] = field(default_factory=dict)
    answers: dict[str, list[Any]] = field(default_factory=dict)


async def collect() -> Specimens:
    """Let everything happen once in a small world, and ask for everything."""
    found = Specimens()

    def see(exchange: Exchange) -> None:
        if exchange.status < 300 and exchange.response is not None:
            where = f"{exchange.method} {exchange.template}"
            found.answers.setdefault(where, []).append(json.loads(json.dumps(exchange.response)))

    def note(payload: dict[str, Any]) -> dict[str, Any]:
        if payload["op"] == 0:
            found.events.setdefault(payload["t"], []).append(payload["d"])
        return payload

    async with Sandbox(now=lambda: datetime.now(UTC), strict=False) as sandbox, aiohttp.ClientSession() as http:
        town = Town(sandbox.world, Random(1))
        town.build()
        furnish(town)
        town.say_everything()
        sandbox.observe(see)
        sandbox.faults.gateway.alter(note)
        async with http.ws_connect(sandbox.gateway_url) as socket:
            await socket.receive()
            identity = {"token": sandbox.token, "intents": INTENTS, "properties": {}}
            await socket.send_json({"op": 2, "d": identity})
            await sandbox.connected()
            _let_everything_happen(sandbox, town)
            await _ask_for_everything(sandbox, town, http)
            found.events["RESUMED"] = [{"_trace": ["gateway"]}]
    rooms, thread = town.rooms, town.threads[0]
    message = next(one for one in rooms[0].messages if one.author in town.members)
    found.events |= {
        name: [payload]
        for name, payload in foreign_events(town.world.state, town.guild, rooms[0], thread, message).items()
    }
    for where in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
        found.events[where] = [*found.events[where], *map(enriched, found.events[where])]
    found.answers[PAGE] += [[enriched(one) for one in page] for page in found.answers[PAGE]]
    found.answers[ONE_MESSAGE] += [enriched(one) for one in found.answers[ONE_MESSAGE]]
    return found


def furnish(town: Town) -> list[Channel]:
    """Add a category, a voice channel and a role, as they are in every community; returns the channels."""
    channels, world = town.world.channels, town.world
    world.roles.give(world.roles.add(town.guild, "gardeners", mentionable=True), town.members[0])
    return [channels.add(town.guild, "corner", kind="category"), channels.add(town.guild, "voice", kind="voice")]


def _let_everything_happen(sandbox: Sandbox, town: Town) -> None:
    world, room, forum = sandbox.world, town.rooms[0], town.forum
    member = town.members[0]
    town.say_everything()
    for kind in ("text", "news", "forum", "voice", "category"):
        made = world.channels.add(town.guild, "extra", kind=kind, **({"tags": ["solved"]} if kind == "forum" else {}))
        world.channels.deny_bot(made, Permission.SEND_MESSAGES)
        world.channels.edit(made, topic="words")
        world.channels.delete(made)
    thread = world.threads.start(room, "words", member, message=room.log.newest(1)[0])
    world.archive.add(thread)
    world.archive.remove(thread)
    world.threads.join(thread, world.state.bot)
    world.channels.delete(thread)
    world.archive.add(world.threads.open_post(forum, "words", member, "words"))
    world.archive.add(world.threads.start(room, "words", member))
    role = world.roles.add(town.guild, "extra")
    world.roles.edit(role, name="words")
    world.roles.give(role, world.state.bot)
    world.roles.take(role, world.state.bot)
    world.roles.remove(role)
    gone = [world.messages.post(room, member, "words") for _ in range(3)]
    world.messages.edit(gone[0], "more words")
    world.messages.delete(gone.pop())
    world.messages.delete_many(gone)
    _use_commands(sandbox, town, room.messages[0])
    world.guilds.rename(town.guild, "Another town")
    world.guilds.take_down(town.guild)
    world.guilds.bring_back(town.guild)


def _use_commands(sandbox: Sandbox, town: Town, message: PostedMessage) -> None:
    """A command with an option, one on a member and one on a message, without a bot that has declared them."""
    room, manager, member = town.rooms[0], town.managers[0], town.members[0]
    named, shown = (Resolved(sandbox.world.state, room) for _ in range(2))
    named.add_user(member.id)
    shown.add_message(message)
    option = {"type": 6, "name": "user", "value": str(member.id)}
    commands: list[dict[str, Any]] = [
        {"name": "member", "type": 1, "options": [option], "resolved": named.payload()},
        {"name": "privacy", "type": 1, "options": [{"type": 1, "name": "show", "options": []}]},
        {"name": "Relationship", "type": 2, "target_id": str(member.id), "resolved": named.payload()},
        {"name": "Mark answered", "type": 3, "target_id": str(message.id), "resolved": shown.payload()},
    ]
    for command in commands:
        sandbox.people.sender.send(2, manager, room, {"id": "7"} | command, name=command["name"])


async def _ask_for_everything(sandbox: Sandbox, town: Town, http: aiohttp.ClientSession) -> None:
    """Ask what Spade asks, without Spade."""
    room, forum, bot_id = town.rooms[0], town.forum, sandbox.world.state.bot.id
    people, member = sandbox.people, town.members[0]
    pressed = people.sender.send(2, town.managers[0], room, {"id": "7", "name": "status", "type": 1}, name="status")
    shown = {"content": "words", "embeds": [{"title": "words"}]}
    dm = sandbox.world.dms.channel_with(member)
    option = {"type": 3, "name": "what", "description": "words", "required": True}
    command = {"name": "status", "description": "words", "type": 1, "options": [option]}
    requests: list[tuple[str, str, Any]] = [
        ("GET", "/users/@me", None),
        ("GET", "/applications/@me", None),
        ("GET", "/oauth2/applications/@me", None),
        ("GET", "/gateway", None),
        ("GET", "/gateway/bot", None),
        ("PUT", f"/applications/{bot_id}/commands", [command]),
        ("GET", f"/channels/{room.id}", None),
        ("GET", f"/channels/{town.threads[0].id}", None),
        *(("GET", f"/channels/{one.id}/messages", None) for one in (*town.rooms, *town.threads)),
        ("GET", f"/channels/{room.id}/messages/{room.messages[-1].id}", None),
        *(("GET", f"/channels/{one.id}/threads/archived/public", None) for one in (room, forum)),
        ("GET", f"/guilds/{town.guild.id}/members/{member.id}", None),
        *(("GET", f"/guilds/{town.guild.id}{part}", None) for part in ("", "/channels", "/threads/active", "/roles")),
        ("POST", "/users/@me/channels", {"recipient_id": str(member.id)}),
        ("POST", f"/channels/{dm.id}/messages", shown),
        ("POST", f"/interactions/{pressed.id}/{pressed.token}/callback?with_response=1", {"type": 4, "data": shown}),
        ("POST", f"/webhooks/{bot_id}/{pressed.token}?wait=1", shown),
        ("PATCH", f"/webhooks/{bot_id}/{pressed.token}/messages/@original", shown),
    ]
    for method, path, body in requests:
        headers = {"Authorization": f"Bot {sandbox.token}"}
        async with http.request(method, sandbox.api_url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, (method, path, await answer.text())
