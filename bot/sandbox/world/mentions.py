"""The mentions in a message, and whom it pings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import Pings
from bot.sandbox.world.permissions import Permission

if TYPE_CHECKING:
    from bot.sandbox.world.entities import Channel, PostedMessage, User
    from bot.sandbox.world.state import State

_USER = re.compile(r"<@!?(\d{1,20})>")
_ROLE = re.compile(r"<@&(\d{1,20})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Mentions:
    """The users and roles that a text mentions and that exist, in order, and whether it has @everyone or @here."""

    users: tuple[int, ...]
    roles: tuple[int, ...]
    everyone: bool


def mentions_in(state: State, channel: Channel, content: str) -> Mentions:
    """Read the mentions out of a text."""
    if "@" not in content:
        return Mentions((), (), everyone=False)
    guild = state.guild_of(channel)
    roles = guild.roles if guild is not None else {}
    users = dict.fromkeys(int(found) for found in _USER.findall(content))
    named_roles = dict.fromkeys(int(found) for found in _ROLE.findall(content))
    return Mentions(
        tuple(user_id for user_id in users if user_id in state.users),
        tuple(role_id for role_id in named_roles if role_id in roles),
        everyone=guild is not None and bool(_EVERYONE.search(content)),
    )


def pings_of(
    state: State,
    channel: Channel,
    author: User,
    content: str,
    allowed: dict[str, Any] | None,
    replied_to: PostedMessage | None,
) -> Pings:
    """Return whom a message of the bot pings, given its `allowed_mentions` (None: everything it names)."""
    named = mentions_in(state, channel, content)
    users, roles, everyone = set(named.users), set(named.roles), named.everyone
    ping_reply = True
    if allowed is not None:
        parse = allowed.get("parse") or ()
        if "users" not in parse:
            users &= {int(user_id) for user_id in allowed.get("users") or ()}
        if "roles" not in parse:
            roles &= {int(role_id) for role_id in allowed.get("roles") or ()}
        everyone = everyone and "everyone" in parse
        ping_reply = bool(allowed.get("replied_user", False))
    guild = state.guild_of(channel)
    if guild is not None and not state.permissions_of(author, channel) & Permission.MENTION_EVERYONE:
        everyone = False
        roles &= state.mentionable_roles(guild).keys()
    if replied_to is not None and ping_reply:
        users.add(replied_to.author.id)
    return Pings(frozenset(users), frozenset(roles), everyone)
