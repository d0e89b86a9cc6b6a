"""Request Guild Members (op 8), by Discord's reference: for ids, for a prefix of a name, or for a whole guild."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.world.payloads import member_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.world.entities import Guild, Member

IN_A_CHUNK = 1000
MOST_BY_ID_OR_NAME = 100
_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """What a client asks for: `user_ids`, or a `query` for the beginning of a name, of which there are at most `limit`.

    Presences are never sent, since no client of the sandbox has their intent.
    """

    guild_id: int
    user_ids: tuple[int, ...] | None
    query: str | None
    limit: int
    nonce: str | None

    @classmethod
    def read(cls, data: object) -> MemberQuery:
        """Read a payload; ValueError with a sentence about what is wrong with it."""
        data = data if isinstance(data, dict) else {}
        ids, query, limit, nonce = data.get("user_ids"), data.get("query"), data.get("limit"), data.get("nonce")
        if (ids is None) is (query is None):
            raise ValueError("needs either user_ids or query")
        if query is not None and not (isinstance(query, str) and isinstance(limit, int)):
            raise ValueError("needs a text as query, with a limit")
        listed = ids if isinstance(ids, list) else [ids]
        return cls(
            guild_id=_snowflake(data.get("guild_id")),
            user_ids=None if ids is None else tuple(map(_snowflake, listed)),
            query=query,
            limit=limit if isinstance(limit, int) else 0,
            nonce=nonce if isinstance(nonce, str) and len(nonce.encode()) <= _NONCE_BYTES else None,
        )

    @property
    def whole_guild(self) -> bool:
        """Whether all members are asked for, which needs a privileged intent."""
        return self.query == ""

    def chunks(self, guild: Guild) -> Iterator[dict[str, Any]]:
        """The events that answer it; at least one."""
        found, missing = self._found(guild)
        chunks = [found[first : first + IN_A_CHUNK] for first in range(0, len(found), IN_A_CHUNK)] or [[]]
        for index, chunk in enumerate(chunks):
            payload: dict[str, Any] = {
                "guild_id": str(guild.id),
                "members": [member_payload(member) for member in chunk],
                "chunk_index": index,
                "chunk_count": len(chunks),
            }
            if missing:
                payload["not_found"] = missing
            if self.nonce is not None:
                payload["nonce"] = self.nonce
            yield payload

    def _found(self, guild: Guild) -> tuple[list[Member], list[str]]:
        if self.user_ids is not None:
            ids = list(dict.fromkeys(self.user_ids))[: min(self.limit or MOST_BY_ID_OR_NAME, MOST_BY_ID_OR_NAME)]
            here = [guild.members[user_id] for user_id in ids if user_id in guild.members]
            return here, [str(user_id) for user_id in ids if user_id not in guild.members]
        members = list(guild.members.values())
        if self.whole_guild:
            return members[: self.limit or None], []
        prefix = (self.query or "").lower()
        named = [member for member in members if (member.nick or member.user.name).lower().startswith(prefix)]
        return named[: min(self.limit or MOST_BY_ID_OR_NAME, MOST_BY_ID_OR_NAME)], []


def _snowflake(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise ValueError(f"has {value!r} for an id")
    return int(value)
