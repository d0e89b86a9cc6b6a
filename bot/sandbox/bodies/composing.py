"""Making messages from request bodies, in the shape in which Discord returns them."""

from __future__ import annotations

from dataclasses import dataclass
from mimetypes import guess_type
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.sandbox.bodies.errors import ApiError, Problems
from bot.sandbox.bodies.limits import check_message
from bot.sandbox.world.entities import EPHEMERAL, HAS_SNAPSHOT, Channel, MessageType, PostedMessage, Reference
from bot.sandbox.world.mentions import mentions_in, pings_of
from bot.sandbox.world.payloads import snapshot_payload

if TYPE_CHECKING:
    from bot.sandbox.world.state import State

KEPT_FLAGS = (1 << 2) | EPHEMERAL | (1 << 12) | (1 << 15)


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file; `slot` is its number in the form."""

    slot: int
    filename: str
    content_type: str
    data: bytes


def compose(state: State, channel: Channel, body: dict[str, Any], files: list[Upload]) -> PostedMessage:
    """Make a message of the bot from a request body, without placing it in the channel.

    Raises:
        ApiError: If the body breaks one of Discord's limits or replies to a message that does not exist.
    """
    check_message(body, files=len(files))
    message = PostedMessage(state.ids.make(), channel.id, state.bot, body.get("content") or "")
    message.tts = bool(body.get("tts"))
    message.flags = (body.get("flags") or 0) & KEPT_FLAGS
    message.nonce = body.get("nonce")
    message.poll = body.get("poll")
    target = _refer(state, channel, message, body.get("message_reference"))
    _fill(state, message, body, files)
    _address(state, channel, message, body.get("allowed_mentions"), target)
    return message


def revise(state: State, message: PostedMessage, body: dict[str, Any], files: list[Upload]) -> None:
    """Apply an edit to a message; keys the body does not have stay as they are.

    Raises:
        ApiError: If the result breaks one of Discord's limits.
    """
    check_message(body | {"flags": (body.get("flags") or 0) | message.flags}, files=len(files), editing=True)
    channel = state.channels[message.channel_id]
    if "content" in body:
        message.content = body["content"] or ""
    _fill(state, message, body, files)
    if body.get("flags") is not None:
        message.flags = (message.flags & ~(1 << 2)) | (body["flags"] & KEPT_FLAGS)
    if "content" in body or "allowed_mentions" in body:
        target = None
        if message.reference is not None and message.reference.message_id is not None:
            target = channel.log.get(message.reference.message_id)
        _address(state, channel, message, body.get("allowed_mentions"), target)


def _refer(
    state: State, channel: Channel, message: PostedMessage, reference: dict[str, Any] | None
) -> PostedMessage | None:
    if not reference:
        return None
    target_id = int(reference["message_id"])
    source_id = int(reference.get("channel_id") or channel.id)
    source = state.channels.get(source_id)
    target = None if source is None else source.log.get(target_id)
    kind = reference.get("type") or 0
    if target is None:
        if kind == 1 or reference.get("fail_if_not_exists", True):
            problems = Problems()
            problems.add(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            problems.raise_if_any()
        return None
    message.reference = Reference(source_id, target_id, None if source is None else source.guild_id, kind)
    if kind == 1:
        message.snapshot = snapshot_payload(state, target)
        message.flags |= HAS_SNAPSHOT
        return None
    message.type = int(MessageType.REPLY)
    return target


def _address(
    state: State, channel: Channel, message: PostedMessage, allowed: dict[str, Any] | None, target: PostedMessage | None
) -> None:
    message.pings = pings_of(state, channel, message.author, message.content, allowed, target)
    named = mentions_in(state, channel, message.content)
    users = [user_id for user_id in named.users if user_id in message.pings.users]
    if target is not None and target.author.id in message.pings.users:
        users.append(target.author.id)
    message.mentions = tuple(dict.fromkeys(users))
    message.mention_roles = tuple(role for role in named.roles if role in message.pings.roles)
    message.mention_everyone = message.pings.everyone


def _fill(state: State, message: PostedMessage, body: dict[str, Any], files: list[Upload]) -> None:
    if "embeds" in body:
        message.embeds = [_embed(embed) for embed in body["embeds"] or []]
    if "components" in body:
        message.components = numbered(body["components"] or [])
    if "attachments" in body or files:
        message.attachments = _attachments(state, message, body, files)
    shown = {item["filename"]: item for item in message.attachments}
    used: set[str] = set()
    for embed in message.embeds:
        for key in ("image", "thumbnail"):
            url = embed.get(key, {}).get("url", "")
            name = url.removeprefix("attachment://")
            if url.startswith("attachment://") and name in shown:
                embed[key] = {"url": shown[name]["url"], "proxy_url": shown[name]["url"], "width": 0, "height": 0}
                if "description" in shown[name]:
                    embed[key]["description"] = shown[name]["description"]
                used.add(name)
        author_footer = [(part, embed.get(part, {})) for part in ("author", "footer")]
        for _, part in author_footer:
            name = str(part.get("icon_url", "")).removeprefix("attachment://")
            if name in shown:
                part["icon_url"] = shown[name]["url"]
                used.add(name)
    # Discord does not list a file among the attachments if an embed shows it.
    message.attachments = [item for item in message.attachments if item["filename"] not in used]


def _attachments(
    state: State, message: PostedMessage, body: dict[str, Any], files: list[Upload]
) -> list[dict[str, Any]]:
    described = {str(item.get("id")): item for item in body.get("attachments") or []}
    kept = [item for item in message.attachments if "attachments" not in body or item["id"] in described]
    slots = {str(upload.slot) for upload in files}
    known = {item["id"] for item in kept}
    if any(key not in slots and key not in known for key in described):
        raise ApiError(50035, {"attachments": {"_errors": [{"code": "ATTACHMENT_NOT_FOUND", "message": "?"}]}})
    for upload in files:
        file_id = state.ids.make()
        details = described.get(str(upload.slot), {})
        name = details.get("filename") or upload.filename
        content_type = guess_type(name)[0] or upload.content_type
        state.files[file_id] = (name, content_type, upload.data)
        url = f"{state.base_url}/attachments/{message.channel_id}/{file_id}/{quote(name)}"
        item = {
            "id": str(file_id),
            "filename": name,
            "size": len(upload.data),
            "url": url,
            "proxy_url": url,
            "content_type": content_type,
        }
        if details.get("description"):
            item["description"] = details["description"]
        if message.ephemeral:
            item["ephemeral"] = True
        kept.append(item)
    return kept


def _without_nulls(value: object) -> Any:  # noqa: ANN401  (any JSON)
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _embed(given: dict[str, Any]) -> dict[str, Any]:
    embed: dict[str, Any] = _without_nulls(given)
    embed["type"] = "rich"
    for field in embed.get("fields", ()):
        field.setdefault("inline", False)
    for key in [key for key in ("title", "description") if embed.get(key) == ""]:
        del embed[key]
    return embed


def numbered(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return components as Discord returns them: each with an id and with its defaults."""
    taken = [0]

    def complete(given: dict[str, Any]) -> dict[str, Any]:
        item = dict(given)
        taken[0] += 1
        item["id"] = item.get("id") or taken[0]
        if item["type"] in {3, 5, 6, 7, 8}:
            item.setdefault("min_values", 1)
            item.setdefault("max_values", 1)
            if "default_values" in item:
                item["default_values"] = [chosen | {"id": str(chosen["id"])} for chosen in item["default_values"]]
        elif item["type"] == 17:
            item.setdefault("accent_color", None)
            item.setdefault("spoiler", False)
        elif item["type"] == 14:
            item.setdefault("spacing", 1)
            item.setdefault("divider", True)
        if "components" in item:
            item["components"] = [complete(child) for child in item["components"]]
        for key in ("accessory", "component"):
            if isinstance(item.get(key), dict):
                item[key] = complete(item[key])
        return item

    return [complete(item) for item in _without_nulls(components)]
