"""Notes who writes through a proxy bot. How that is told is in `bot/domain/proxy.py`."""

import logging
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.proxy import (
    PROXIED_NEEDED,
    PROXY_WINDOW,
    ProxyHabit,
    Removal,
    WebhookPost,
    explained,
    is_reposting,
    proxied_messages,
)
from bot.services.backlog import Backlog
from bot.services.recent import Recent
from bot.store import people
from bot.store.database import Database
from bot.store.error import OutageError

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
MOST_WRITTEN = 20_000
MOST_PEOPLE = 50_000
MOST_WEBHOOKS = 10_000
MOST_EPISODES = 1_000
LONGEST_EPISODE = 60
"""How many deleted messages and webhook messages of a channel are held against each other at once."""
OUTCOMES_KEPT = 20
"""How many of a webhook's last messages tell what it is for."""

_Person = tuple[int, int]
"""A guild and a person."""


@dataclass(frozen=True, slots=True)
class _Written:
    guild_id: int
    channel_id: int
    author_id: int
    at: datetime


@dataclass(slots=True)
class _Episode:
    """What webhooks posted in a channel and which messages of people went, in a time without a pause.

    `proxied` are the messages of whom it shows to be posted anew, as judged last.
    """

    guild_id: int
    last_at: datetime
    removals: dict[int, Removal] = field(default_factory=dict)
    posts: dict[int, WebhookPost] = field(default_factory=dict)
    proxied: Counter[int] = field(default_factory=Counter)

    @property
    def full(self) -> bool:
        return len(self.removals) + len(self.posts) >= LONGEST_EPISODE

    def outcomes(self) -> Mapping[int, list[bool]]:
        """Of each webhook, which of its posts are explained."""
        known = explained(self.removals.values(), self.posts.values())
        found: defaultdict[int, list[bool]] = defaultdict(list)
        for post in self.posts.values():
            found[post.webhook_id].append(post.message_id in known)
        return found


class Proxies:
    """Hears what is written and deleted, and stores of a person that they write through a proxy, or do not any more.

    It serves live events alone: no history shows what was deleted. Who wrote a message is remembered for as long as a
    proxy bot takes, what somebody's messages had in common until so many stay or the process ends; both in memory and
    of bounded size. What waits for the database is tried again.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._written: Recent[int, _Written] = Recent(MOST_WRITTEN)
        self._episodes: Recent[int, _Episode] = Recent(MOST_EPISODES)
        self._habits: Recent[_Person, ProxyHabit] = Recent(MOST_PEOPLE)
        self._outcomes: Recent[int, deque[bool]] = Recent(MOST_WEBHOOKS)
        self._backlog: Backlog[_Person, ProxyHabit] = Backlog("people who write through a proxy", MOST_WAITING)

    # What is heard.

    def person_wrote(self, guild_id: int, channel_id: int, message_id: int, author_id: int) -> None:
        """A person wrote a counted message."""
        now = self._proceed()
        if message_id not in self._written:
            self._written[message_id] = _Written(guild_id, channel_id, author_id, now)

    def webhook_posted(self, guild_id: int, channel_id: int, message_id: int, webhook_id: int) -> None:
        """A webhook posted a message."""
        self._proceed()
        episode = self._episode(channel_id, guild_id)
        episode.posts[message_id] = WebhookPost(message_id, webhook_id)
        self._judge(episode)

    def message_deleted(self, message_id: int) -> None:
        """One message was deleted, by whomever."""
        self._proceed()
        message = self._written.pop(message_id)
        if message is None:
            return
        episode = self._episode(message.channel_id, message.guild_id)
        episode.removals[message_id] = Removal(message_id, message.author_id)
        self._judge(episode)

    def messages_purged(self, message_ids: Collection[int]) -> None:
        """Several messages were deleted at once. Proxy bots do not do that: it tells nothing of their authors."""
        for message_id in message_ids:
            self._written.pop(message_id)

    def forget(self, guild_id: int, person_id: int) -> None:
        """Forget what was heard of a person: what lies outside their consent must not speak later."""
        self._habits.pop((guild_id, person_id))
        self._backlog.forget((guild_id, person_id))
        for message_id, message in self._written.items():
            if (message.guild_id, message.author_id) == (guild_id, person_id):
                self._written.pop(message_id)
        for episode in self._episodes.values():
            if episode.guild_id == guild_id:
                own = [one for one in episode.removals.values() if one.author_id == person_id]
                for removal in own:
                    del episode.removals[removal.message_id]
                del episode.proxied[person_id]

    # What is told by it.

    def _proceed(self) -> datetime:
        """Judge what is complete by now; returns the time."""
        now = self._clock.now()
        while (written := self._written.oldest()) is not None and _is_over(written[1].at, now):
            self._written.pop(written[0])
            self._stayed((written[1].guild_id, written[1].author_id))
        while (episode := self._episodes.oldest()) is not None and _is_over(episode[1].last_at, now):
            self._close(*episode)
        return now

    def _episode(self, channel_id: int, guild_id: int) -> _Episode:
        episode = self._episodes.get(channel_id)
        if episode is not None and episode.full:
            self._close(channel_id, episode)
            episode = None
        if episode is None:
            episode = self._episodes[channel_id] = _Episode(guild_id, self._clock.now())
        episode.last_at = self._clock.now()
        return episode

    def _judge(self, episode: _Episode) -> None:
        """Note whoever certainly writes through a proxy by now, though their channels have not come to rest."""
        episode.proxied = self._proxied(episode)
        if not episode.proxied:
            return
        here = [one for one in self._episodes.values() if one.guild_id == episode.guild_id]
        for author_id in episode.proxied:
            who = episode.guild_id, author_id
            habit = self._habit(who).after_proxied(sum(one.proxied[author_id] for one in here))
            if habit.holds:
                self._habits[who] = habit
                self._backlog.note(who, habit)

    def _close(self, channel_id: int, episode: _Episode) -> None:
        self._episodes.pop(channel_id)
        for author_id, times in self._proxied(episode).items():
            who = episode.guild_id, author_id
            self._habits[who] = self._habit(who).after_proxied(times)
        for webhook_id, outcomes in episode.outcomes().items():
            known = self._outcomes.get(webhook_id) or deque(maxlen=OUTCOMES_KEPT)
            known.extend(outcomes)
            self._outcomes[webhook_id] = known

    def _proxied(self, episode: _Episode) -> Counter[int]:
        """How many messages of whom an episode shows to be posted anew."""
        outcomes = episode.outcomes()

        def reposts(webhook_id: int) -> bool:
            return is_reposting([*(self._outcomes.get(webhook_id) or ()), *outcomes[webhook_id]])

        return proxied_messages(episode.removals.values(), episode.posts.values(), reposts)

    def _stayed(self, who: _Person) -> None:
        before = self._habits.get(who)
        if before is None:
            return
        habit = self._habits[who] = before.after_stayed()
        if before.holds and not habit.holds:
            self._backlog.note(who, habit)

    def _habit(self, who: _Person) -> ProxyHabit:
        return self._habits.get(who) or ProxyHabit()

    # What is stored.

    async def run(self) -> None:
        """Store what is told, until cancelled. Raises OutageError if the database cannot be read to begin with."""
        await self._load()
        await self._backlog.work(self._store)

    async def _load(self) -> None:
        """Remember who writes through a proxy, so that it ends with messages that stay."""
        async with self._database.reading() as connection:
            for who in await people.all_proxied(connection):
                if not self._habit(who).holds:
                    self._habits[who] = ProxyHabit(PROXIED_NEEDED)

    async def _store(self, told: Mapping[_Person, ProxyHabit]) -> Collection[_Person]:
        by_guild: defaultdict[int, list[_Person]] = defaultdict(list)
        for who in told:
            by_guild[who[0]].append(who)
        failed: list[_Person] = []
        for guild_id, some in by_guild.items():
            try:
                await self._store_in(guild_id, some, told)
            except OutageError:
                failed += some  # the outage is logged by itself
            except Exception as error:  # noqa: BLE001 - whatever failed, the other guilds get their turn
                log.warning("Who writes through a proxy cannot be noted now (%s: %s)", type(error).__name__, error)
                failed += some
        return failed

    async def _store_in(self, guild_id: int, some: Collection[_Person], told: Mapping[_Person, ProxyHabit]) -> None:
        async with self._database.reading() as connection:
            known = await people.proxied(connection, guild_id)
        changed = [who for who in some if who in told and (who[1] in known) is not told[who].holds]
        if changed:
            async with self._database.writing() as connection:
                for who in changed:
                    if (habit := told.get(who)) is not None:  # their consent may have ended while this waited
                        await people.set_proxied(connection, guild_id, who[1], proxied=habit.holds)


def _is_over(at: datetime, now: datetime) -> bool:
    """Whether what was heard then can be judged; if the clock was set back meanwhile, too."""
    return not timedelta(0) <= now - at <= PROXY_WINDOW
