"""The bot's response to an interaction, as its person sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from bot.sandbox.conditions import PATIENCE_SECONDS, wait_until
from bot.sandbox.world.entities import MessageType, PostedMessage, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.sandbox.world.entities import Channel, User


class Client(Protocol):
    """What a response needs to let its person use the controls that the bot sent."""

    async def press(self, user: User, message: PostedMessage, label_or_id: str) -> Response:
        """Press a button by its label or custom_id."""
        ...

    async def select(
        self, user: User, message: PostedMessage, values: Sequence[object], *, custom_id: str | None = None
    ) -> Response:
        """Choose in a select."""
        ...

    async def submit_modal(self, opened: Response, values: Mapping[str, Any]) -> Response:
        """Submit the modal that a response opened."""
        ...


class Response:
    """The bot's response to one interaction, kept up to date: edits and follow-ups change it.

    `messages` are those the person can see, the original first. `callback` is the type of the first response, None
    before there is one. `modal` or `choices` are set if the bot opened a modal or suggested choices instead. `error`
    says why there is no response. `born` is on the event loop's clock, in seconds.
    """

    def __init__(
        self,
        interaction_id: int,
        token: str,
        kind: int,
        user: User,
        channel: Channel,
        *,
        source: PostedMessage | None,
        born: float,
        name: str | None,
        client: Client,
    ) -> None:
        self.id = interaction_id
        self.token = token
        self.kind = kind
        self.user = user
        self.channel = channel
        self.source = source
        self.born = born
        self.name = name
        self.message_type = MessageType.CHAT_INPUT_COMMAND
        self.callback: int | None = None
        self.original: PostedMessage | None = None
        self.messages: list[PostedMessage] = []
        self.deleted = False
        self.modal: dict[str, Any] | None = None
        self.choices: list[dict[str, Any]] | None = None
        self.error: str | None = None
        self.edits = 0
        self._client = client

    @property
    def responded(self) -> bool:
        """Whether the bot has responded."""
        return self.callback is not None

    @property
    def deferred(self) -> bool:
        """Whether the bot's first response was a deferral (callback type 5 or 6)."""
        return self.callback in {5, 6}

    @property
    def ephemeral(self) -> bool:
        """Whether only the person sees the first message."""
        return self.original is not None and self.original.ephemeral

    @property
    def text(self) -> str:
        """The text of the first message, or an empty text without one."""
        return self.original.content if self.original is not None else ""

    @property
    def settled(self) -> bool:
        """Whether the response is final: a message with content, a modal, choices, or an error."""
        if self.error is not None or self.modal is not None or self.choices is not None:
            return True
        if self.callback in {4, 7}:
            return True
        if self.callback == 5:
            return self.deleted or (self.original is not None and not self.original.loading)
        return self.callback == 6 and (self.edits > 0 or bool(self.messages))

    async def wait(self, seconds: float = PATIENCE_SECONDS) -> Response:
        """Wait until the response is settled and return it.

        Raises:
            TimeoutError: If that takes longer than `seconds`.
            AssertionError: If the bot did not respond in time.
        """
        await self.until(lambda response: response.settled, seconds)
        if self.error is not None:
            raise AssertionError(f"{self.name or 'the press'}: {self.error}")
        return self

    async def until(self, condition: Callable[[Response], object], seconds: float = PATIENCE_SECONDS) -> Response:
        """Wait until a condition on this response holds.

        Raises:
            TimeoutError: If that takes longer than `seconds`.
        """
        await wait_until(lambda: condition(self), seconds)
        return self

    async def message(self, seconds: float = PATIENCE_SECONDS) -> PostedMessage:
        """Wait for the first message with content and return it (for an update: the updated message)."""
        await self.wait(seconds)
        found = self.original or (self.messages[0] if self.messages else None)
        assert found is not None, "the response holds no message"
        return found

    async def press(self, label_or_id: str, *, message: PostedMessage | None = None) -> Response:
        """Press a button on a message of this response (by default the first)."""
        return await self._client.press(self.user, message or await self.message(), label_or_id)

    async def select(self, values: list[Any], *, custom_id: str | None = None) -> Response:
        """Choose in a select on the first message of this response."""
        return await self._client.select(self.user, await self.message(), values, custom_id=custom_id)

    async def submit(self, values: dict[str, Any]) -> Response:
        """Fill in the modal this response opened; `values` by the inputs' custom_id or label."""
        await self.wait()
        return await self._client.submit_modal(self, values)

    def inputs(self) -> list[dict[str, Any]]:
        """Return the inputs of the modal in reading order, with the label they are shown under."""
        found: list[dict[str, Any]] = []
        for item in walk((self.modal or {}).get("components", ())):
            inner = item.get("component")
            if isinstance(inner, dict):
                inner.setdefault("label", item.get("label"))
            if "custom_id" in item:
                found.append(item)
        return found
