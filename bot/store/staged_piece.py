"""Some messages of one channel as they are staged: a column for each fact, in the order of the ids."""

import marshal
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from bot.domain.evidence import UNDATED, Copy
from bot.domain.message import Message, MessageKind

KINDS = tuple(sorted(MessageKind))
NUMBER_OF_KIND = {kind: number for number, kind in enumerate(KINDS)}
"""How a kind is written in a StagedMessage."""
MENTIONS_NO_PERSON = 1
"""In the flags of a StagedMessage: it mentions bots or the Deleted User as well."""
MENTIONS_CROWD = 2
"""In the flags of a StagedMessage: it mentions @everyone, @here or a role."""
MILLISECOND = timedelta(milliseconds=1)
NOBODY = 0

StagedMessage = tuple[int, int, int, int, int, str]
"""A message as it is staged: its id, its author, the number of its kind, MENTIONS_… flags, the message that it replies
to, and the ids of those whom it mentions, in order and divided by spaces. Who or what is unknown is 0."""

Packed = tuple[bytes, bytes, bytes]
"""A piece on disk: its ids, its authors, and everything else."""


@dataclass(frozen=True, slots=True)
class RepliedTo:
    """Who wrote a message that is replied to; 0 if no person did.

    original: it is known by more than a thread's copy of its starter message, which is by whoever started the thread.
    """

    author_id: int
    original: bool


@dataclass(frozen=True, slots=True)
class StagedPiece:
    """Messages of one channel by rising id, each once.

    authors: 0 for nobody. kinds: numbers as in NUMBER_OF_KIND. more: by place, flags, the message replied to and the
    mentions of those that have any, as in a StagedMessage. seen: when their file was made, in milliseconds since 1970;
    of each, if that differs. targets: of the messages that are replied to, those that are staged.
    """

    ids: list[int]
    authors: list[int]
    kinds: bytes
    more: dict[int, tuple[int, int, str]]
    seen: int | list[int]
    targets: dict[int, RepliedTo] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of messages."""
        return len(self.ids)

    @classmethod
    def of(cls, messages: Sequence[StagedMessage], seen: int | list[int]) -> Self:
        """A piece of some messages, by rising id."""
        ids, authors, kinds, flags, replies, mentions = zip(*messages, strict=True)
        facts = enumerate(zip(flags, replies, mentions, strict=True))
        return cls(
            list(ids), list(authors), bytes(kinds), {place: one for place, one in facts if one != _NOTHING_MORE}, seen
        )

    def packed(self) -> Packed:
        """The piece as `unpacked` takes it, in this version of Python; without its targets."""
        return array("q", self.ids).tobytes(), array("q", self.authors).tobytes(), self._rest()

    def _rest(self) -> bytes:
        return marshal.dumps((self.kinds, self.more, self.seen))

    @classmethod
    def unpacked(cls, packed: Packed) -> Self:
        """A piece from what `packed` gave."""
        ids, authors, rest = packed
        return cls(ids_of(ids), ids_of(authors), *marshal.loads(rest))  # noqa: S302 - written by this process

    def messages(self) -> Iterator[tuple[int, StagedMessage]]:
        """Every message as it was staged, with when its file was made."""
        for place, (message_id, author_id, kind) in enumerate(zip(self.ids, self.authors, self.kinds, strict=True)):
            yield self.seen_at(place), (message_id, author_id, kind, *self.more.get(place, _NOTHING_MORE))

    def seen_at(self, place: int) -> int:
        """When the file of one of them was made, in milliseconds since 1970."""
        return self.seen if isinstance(self.seen, int) else self.seen[place]

    def copy(self, place: int) -> tuple[Copy, bool]:
        """One of them as a copy, and whether what it replies to is staged, but for a thread's copy of it.

        `reply_to_author_id` is the person who wrote that.
        """
        flags, reply_to_id, mentions = self.more.get(place, _NOTHING_MORE)
        target = self.targets.get(reply_to_id)
        message = Message(
            message_id=self.ids[place],
            author_id=self.authors[place] or None,
            kind=KINDS[self.kinds[place]],
            mentions=frozenset(map(int, mentions.split())),
            mentions_no_person=bool(flags & MENTIONS_NO_PERSON),
            mentions_crowd=bool(flags & MENTIONS_CROWD),
            reply_to_id=reply_to_id or None,
            reply_to_author_id=None if target is None else target.author_id or None,
        )
        return Copy(message, UNDATED + self.seen_at(place) * MILLISECOND), target is not None and target.original

    def copies(self) -> list[tuple[Copy, bool]]:
        """All of them as `copy` gives them."""
        return [self.copy(place) for place in range(len(self))]


_NOTHING_MORE = (0, 0, "")


def ids_of(packed: bytes) -> list[int]:
    """The ids in a column that is packed."""
    found = array("q")
    found.frombytes(packed)
    return found.tolist()


def staged(message: Message) -> StagedMessage:
    """A message as it is staged; `reply_to_author_id` is left out."""
    return (
        message.message_id,
        message.author_id or NOBODY,
        NUMBER_OF_KIND[message.kind],
        MENTIONS_NO_PERSON * message.mentions_no_person + MENTIONS_CROWD * message.mentions_crowd,
        message.reply_to_id or NOBODY,
        " ".join(map(str, sorted(message.mentions))) if message.mentions else "",
    )
