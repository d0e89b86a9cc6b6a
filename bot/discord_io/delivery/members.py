"""Who of some people is in a guild now: asked of the gateway all at once, and remembered for some minutes."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import aiohttp
import discord

from bot.discord_io.connection.timeout import request_timeout
from bot.discord_io.payload.fields import Json, MalformedError, object_of
from bot.discord_io.payload.places import member
from bot.services.delivery.messenger import DiscordUnreachableError, Present

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(minutes=5)
"""How long an answer is believed, before a nudge is sent, too. Nobody tells Spade that a member has left; who left five
minutes ago may be named as well as who leaves five minutes after."""
MOST_KEPT = 10_000
"""For how many members an answer is kept, over all guilds. Those that were asked about longest ago go first."""
IN_A_QUESTION = 100
"""For how many members the gateway takes one Request Guild Members (Discord's reference on it)."""
QUESTIONS_A_MINUTE = 100
"""Discord ends a connection on which it gets more than 120 frames in a minute, and discord.py waits after 110."""
ONE_BY_ONE = 25
"""At most so many members are looked up with a request each, when the gateway does not answer."""
QUIET_SECONDS = 300.0
"""How long a guild's members are not asked of the gateway after it did not answer."""
REQUEST_SECONDS = 60.0
"""The timeout of a question or a request. discord.py waits 30 s for the gateway's answer."""
_NO_MEMBER = frozenset({10007, 10013})
"""Discord's codes for somebody who is not in the guild, and for an account that does not exist."""

_NO_ANSWER = (
    discord.DiscordException,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    RuntimeError,  # there is no connection any more, says discord.py
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What Discord said of somebody, `present` None for "not here". `checked`: a request by itself has said so, too."""

    present: Present | None
    checked: bool
    asked_at: datetime


class MemberDirectory:
    """Looks up members. Uses no privileged intent: for that, only whole guilds would need one.

    Questions about one guild take turns, so that the second finds what the first was told. If the gateway is not
    connected or does not answer, a few members are looked up one by one.
    """

    def __init__(self, client: discord.Client, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._kept: OrderedDict[tuple[int, int], _Answer] = OrderedDict()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._asked: deque[float] = deque()
        self._quiet_until: dict[int, float] = {}
        self._forgetting: asyncio.TimerHandle | None = None

    async def present(
        self, guild_id: int, people: Collection[int], *, check_absent: bool = True
    ) -> Mapping[int, Present]:
        """Those of these people who are in the guild, as of the last minutes.

        `check_absent`: whoever the gateway does not name is looked up by a request, because somebody who has left is
        put on record for good. Raises DiscordUnreachableError if it cannot be told.
        """
        wanted = list(dict.fromkeys(people))
        if not wanted:
            return {}
        guild = self._guild(guild_id)
        turn = self._turns.setdefault(guild_id, asyncio.Lock())
        async with turn:
            found = {one: answer for one in wanted if (answer := self._answer(guild_id, one, check_absent))}
            unknown = [one for one in wanted if one not in found]
            if unknown:
                found |= await self._ask(guild, unknown, check_absent=check_absent)
        return {one: found[one].present for one in wanted if found[one].present is not None}  # type: ignore[misc]

    def _guild(self, guild_id: int) -> discord.Guild:
        guild = self._client.get_guild(guild_id)
        if guild is None or guild.unavailable:
            raise DiscordUnreachableError(f"Discord does not show the server {guild_id} just now")
        return guild

    def _answer(self, guild_id: int, person_id: int, check_absent: bool) -> _Answer | None:  # noqa: FBT001
        answer = self._kept.get((guild_id, person_id))
        if answer is None or not timedelta() <= self._now() - answer.asked_at <= KEPT_FOR:
            return None
        return answer if answer.present is not None or answer.checked or not check_absent else None

    async def _ask(self, guild: discord.Guild, people: Sequence[int], *, check_absent: bool) -> dict[int, _Answer]:
        asked_at = self._now()
        told: dict[int, Present] = {}
        left_out: list[int] = []
        unanswered = 0
        for first in range(0, len(people), IN_A_QUESTION):
            some = people[first : first + IN_A_QUESTION]
            answered = await self._query(guild, some)
            told |= answered or {}
            unanswered += len(some) if answered is None else 0
            if answered is None or check_absent:
                left_out += [one for one in some if one not in told]
        if unanswered > ONE_BY_ONE:
            raise DiscordUnreachableError("Discord does not say who is in the server")
        found = {one: _Answer(told.get(one), one in told, asked_at) for one in people}
        for one in left_out:
            found[one] = _Answer(await self._fetch(guild, one), checked=True, asked_at=asked_at)
        self._keep(guild.id, found)
        return found

    async def _query(self, guild: discord.Guild, people: Sequence[int]) -> dict[int, Present] | None:
        """Those whom the gateway names; None if it does not answer, or has been asked enough for now."""
        if not self._may_ask(guild.id) or not await self._has_room(len(people)):
            return None
        try:
            async with request_timeout(REQUEST_SECONDS):
                members = await guild.query_members(user_ids=list(people), limit=IN_A_QUESTION, cache=False)
        except _NO_ANSWER as error:
            if guild.id not in self._quiet_until:
                log.warning("The gateway does not name members of server %s (%s)", guild.id, type(error).__name__)
            self._quiet_until[guild.id] = asyncio.get_running_loop().time() + QUIET_SECONDS
            return None
        self._quiet_until.pop(guild.id, None)
        return {member.id: _present(member) for member in members if member.id in people}

    def _may_ask(self, guild_id: int) -> bool:
        socket = self._client.ws
        return (
            socket is not None
            and socket.open
            and asyncio.get_running_loop().time() >= self._quiet_until.get(guild_id, 0.0)
        )

    async def _has_room(self, people: int) -> bool:
        """Take one of a minute's questions. If none is left, False for a few people; for more, wait for one."""
        clock = asyncio.get_running_loop().time
        while True:
            while self._asked and self._asked[0] <= clock() - 60.0:
                self._asked.popleft()
            if len(self._asked) < QUESTIONS_A_MINUTE:
                self._asked.append(clock())
                return True
            if people <= ONE_BY_ONE:
                return False
            await asyncio.sleep(self._asked[0] + 60.0 - clock())

    async def _fetch(self, guild: discord.Guild, person_id: int) -> Present | None:
        try:
            async with request_timeout(REQUEST_SECONDS):
                raw = object_of(await self._client.http.get_member(guild.id, person_id), "member")
        except discord.NotFound as error:
            if error.code not in _NO_MEMBER:
                raise DiscordUnreachableError(f"Discord answered {error.code}") from error
            return None
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DiscordUnreachableError(f"a member could not be looked up ({type(error).__name__})") from error
        try:
            return _read(member(raw), guild.id)
        except MalformedError as error:
            log.warning("Member %s of server %s cannot be read (%s)", person_id, guild.id, error)
            return Present("", role_ids=None)  # in the server they are: Discord has an answer about them

    def _keep(self, guild_id: int, found: Mapping[int, _Answer]) -> None:
        """Remember answers. Names are in them, so what is too old to be used is dropped, and at last everything."""
        for person_id, answer in found.items():
            self._kept[guild_id, person_id] = answer
            self._kept.move_to_end((guild_id, person_id))
        oldest_at = self._now() - KEPT_FOR
        while self._kept and (len(self._kept) > MOST_KEPT or next(iter(self._kept.values())).asked_at < oldest_at):
            self._kept.popitem(last=False)
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._forgetting = asyncio.get_running_loop().call_later(KEPT_FOR.total_seconds(), self._kept.clear)


def _present(member: discord.Member) -> Present:
    name: object = member.display_name  # discord.py passes on whatever Discord sends
    roles = frozenset(role.id for role in member.roles)
    return Present(name if isinstance(name, str) else "", member.joined_at, roles)


def _read(clean: Json, guild_id: int) -> Present:
    """A member from an answer that is well formed. Everybody bears @everyone, which has the guild's id."""
    user, joined_at = clean["user"], clean["joined_at"]
    return Present(
        clean["nick"] or user["global_name"] or user["username"],
        None if joined_at is None else datetime.fromisoformat(joined_at),
        frozenset({guild_id, *map(int, clean["roles"])}),
    )
