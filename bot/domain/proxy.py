"""Recognises people who write through a proxy bot (docs/rules.md#members-who-write-through-a-proxy).

Such a bot (PluralKit, Tupperbox) posts what they wrote anew through a webhook and deletes the original. What it posts
counts as nobody's. Nothing is known of a message here but its id, its author and when it went.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.snowflake import moment_of

PROXY_WINDOW = timedelta(seconds=10)
"""How soon a message has to be deleted, and posted anew."""
PROXIED_NEEDED = 3
"""How many messages that were posted anew make somebody one who writes through a proxy."""
STAYED_NEEDED = 20
"""How many of their messages have to stay, one after the other, until they are none any more."""

OUTCOMES_NEEDED = 3
"""How many posts of a webhook it takes to tell what it is for."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A person's message that was deleted, alone, within `PROXY_WINDOW`."""

    message_id: int
    author_id: int


@dataclass(frozen=True, slots=True)
class WebhookPost:
    """A message of a webhook."""

    message_id: int
    webhook_id: int


def explained(removals: Collection[Removal], posts: Collection[WebhookPost]) -> frozenset[int]:
    """The ids of the posts of a channel that can be deleted messages posted anew: as many as possible, one for each.

    A post follows its original within `PROXY_WINDOW`. No message serves twice.
    """
    found: set[int] = set()
    ordered = iter(sorted(posts, key=lambda post: post.message_id))
    post = next(ordered, None)
    for original_id in sorted(removal.message_id for removal in removals):
        while post is not None and post.message_id <= original_id:
            post = next(ordered, None)
        if post is None:
            break
        if moment_of(post.message_id) - moment_of(original_id) <= PROXY_WINDOW:
            found.add(post.message_id)
            post = next(ordered, None)
    return frozenset(found)


def proxied_messages(
    removals: Collection[Removal], posts: Iterable[WebhookPost], reposts: Callable[[int], bool]
) -> Counter[int]:
    """For each author, how many posts in a channel only their deleted messages can explain.

    A post that somebody else's deleted message explains just as well proves nothing. `reposts` tells of a webhook's id
    whether it posts messages anew, for the most part (`is_reposting`); what others post is not looked at.
    """
    trusted = [post for post in posts if reposts(post.webhook_id)]
    most = len(explained(removals, trusted))
    found: Counter[int] = Counter()
    for author_id in {removal.author_id for removal in removals}:
        others = [removal for removal in removals if removal.author_id != author_id]
        own = most - len(explained(others, trusted))
        if own:
            found[author_id] = own
    return found


def is_reposting(outcomes: Collection[bool]) -> bool:
    """Whether a webhook posts messages anew: most of its posts are explained (True) by a deleted message.

    One that posts for other reasons, such as a feed or a log, meets deleted messages by chance only. Of a webhook with
    fewer than `OUTCOMES_NEEDED` posts that cannot be told, and it may.
    """
    return len(outcomes) < OUTCOMES_NEEDED or 2 * sum(outcomes) > len(outcomes)


@dataclass(frozen=True, slots=True)
class ProxyHabit:
    """How a person wrote lately: messages that were posted anew, and how many have stayed since the last of them."""

    proxied: int = 0
    stayed: int = 0

    @property
    def holds(self) -> bool:
        """Whether the person writes through a proxy."""
        return self.proxied >= PROXIED_NEEDED

    def after_proxied(self, messages: int) -> "ProxyHabit":
        """The habit after more messages that were posted anew."""
        return ProxyHabit(min(self.proxied + messages, PROXIED_NEEDED))

    def after_stayed(self) -> "ProxyHabit":
        """The habit after a message that stayed; after `STAYED_NEEDED` of them nothing is left of it."""
        stayed = self.stayed + 1
        return ProxyHabit() if stayed >= STAYED_NEEDED else ProxyHabit(self.proxied, stayed)
