"""What a reader does on the page: each is sent to the bot as a client would send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.web.forms import OfferedCommand, entries_of, modal_fields_of, values_of
from bot.sandbox.world.entities import ChannelType

if TYPE_CHECKING:
    from multidict import MultiDictProxy

    from bot.sandbox.interactions.responses import Response
    from bot.sandbox.server import Sandbox
    from bot.sandbox.web.viewpoint import Viewpoint
    from bot.sandbox.world.entities import PostedMessage

_RESPONSE_SECONDS = 4.0
_FINAL_SECONDS = 0.4
_CONTENT_LIMIT = 2000
_TITLE_LIMIT = 100


class Actions:
    """Carries out the forms of the page. What a client would not offer raises LookupError or ValueError.

    `modals` holds the open modal of each viewer, `dismissed` the ephemeral messages that each has dismissed.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.modals: dict[int, Response] = {}
        self.dismissed: dict[int, set[int]] = {}
        self._sandbox = sandbox

    async def write(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Write a message, or a reply."""
        channel = view.channel
        content = _text(form, "content", _CONTENT_LIMIT)
        if channel.type in {ChannelType.FORUM, ChannelType.CATEGORY}:
            raise LookupError("Messages are written in a forum's posts")
        target = channel.log.get(view.number("reply") or 0)
        pings = target is not None and target.author is not view.viewer
        self._sandbox.world.messages.post(channel, view.viewer, content, reply_to=target, ping_reply=pings)
        return view.link()

    async def open_post(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Open a post in a forum."""
        title, content = _text(form, "title", _TITLE_LIMIT), _text(form, "content", _CONTENT_LIMIT)
        if view.channel.type != ChannelType.FORUM:
            raise LookupError("Posts are opened in forums")
        post = self._sandbox.world.threads.open_post(view.channel, title, view.viewer, content)
        return view.link(post.id)

    async def react(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """React to a message, or remove the reaction."""
        world, emoji = self._sandbox.world, _text(form, "emoji", 16)
        message = world.state.message(view.channel, _number(form))
        if view.viewer.id in message.reactions.get(emoji, []):
            world.reactions.remove(message, view.viewer, emoji)
        else:
            world.reactions.add(message, view.viewer, emoji)
        return self._back(view)

    async def press(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Press a button."""
        message = self._shown(view, form)
        await self._ended(view, await self._sandbox.people.press(view.viewer, message, str(form.get("custom_id", ""))))
        return self._back(view)

    async def choose(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Choose from a list."""
        message, values = self._shown(view, form), form.getall("values", [])
        response = await self._sandbox.people.select(
            view.viewer, message, values, custom_id=str(form.get("custom_id", ""))
        )
        await self._ended(view, response)
        return self._back(view)

    async def run(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Run a slash command."""
        people = self._sandbox.people
        entry = self._entry(view, str(form.get("command", "")))
        values = values_of(entry, form)
        response = await people.run_command(view.viewer, view.channel, entry.path[0], values, entry.path[1:])
        await self._ended(view, response)
        return view.link()

    async def run_menu(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Run a context menu command on a message or its author."""
        message = self._shown(view, form)
        target = message if form.get("target") == "message" else message.author
        response = await self._sandbox.people.run_context_menu(
            view.viewer, view.channel, str(form.get("command", "")), target
        )
        await self._ended(view, response)
        return self._back(view)

    async def submit(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Submit the open modal, or close it."""
        opened = self.modals.get(view.viewer.id)
        if opened is None:
            raise LookupError("No form is open")
        if "cancel" not in form:
            values: dict[str, object] = {}
            for field in modal_fields_of(view, opened):
                if field.name:
                    given = form.getall(f"field.{field.name}", [])
                    values[field.name] = given if field.select is not None else str(given[0] if given else "")
            response = await self._sandbox.people.submit_modal(opened, values)
            del self.modals[view.viewer.id]
            await self._ended(view, response)
        else:
            del self.modals[view.viewer.id]
        return self._back(view)

    async def dismiss(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        """Dismiss an ephemeral message."""
        self.dismissed.setdefault(view.viewer.id, set()).add(_number(form))
        return self._back(view)

    async def suggestions(self, view: Viewpoint, form: MultiDictProxy[Any]) -> list[dict[str, Any]]:
        """The choices the bot suggests while the viewer types into an option."""
        people = self._sandbox.people
        name, focused = str(form.get("command", "")), str(form.get("focused", ""))
        entry = self._entry(view, name)
        values = values_of(entry, form)
        values.pop(focused, None)
        typed = str(form.get(f"option.{focused}", ""))
        response = await people.autocomplete(
            view.viewer, view.channel, entry.path[0], focused, typed, values, entry.path[1:]
        )
        await _settled(response, _RESPONSE_SECONDS)
        return response.choices or []

    def _entry(self, view: Viewpoint, name: str) -> OfferedCommand:
        entries = entries_of(self._sandbox.people.offered(view.viewer, view.channel, 1))
        for entry in entries:
            if entry.name == name:
                return entry
        raise LookupError(f"There is no command /{name} here")

    def _shown(self, view: Viewpoint, form: MultiDictProxy[Any]) -> PostedMessage:
        """The message a form belongs to: one of the channel, or an ephemeral one of the viewer."""
        message_id = _number(form)
        found = view.channel.log.get(message_id)
        if found is not None:
            return found
        for response in self._sandbox.interactions.responses_to(view.viewer):
            for message in response.messages:
                if message.id == message_id and message.channel_id == view.channel.id:
                    return message
        raise LookupError("That message is gone")

    async def _ended(self, view: Viewpoint, response: Response) -> None:
        """Wait until the bot has responded, and a little longer until the response is settled."""
        await _settled(response, _RESPONSE_SECONDS)
        if response.error is not None:
            raise LookupError(response.error)
        if response.modal is not None:
            self.modals[view.viewer.id] = response

    def _back(self, view: Viewpoint) -> str:
        kept = {name: view.asked[name] for name in ("message", "before", "reply") if name in view.asked}
        return view.link(more=kept)


async def _settled(response: Response, seconds: float) -> None:
    try:
        await response.until(lambda now: now.responded or now.error, seconds)
        await response.until(lambda now: now.settled, _FINAL_SECONDS)
    except TimeoutError:
        return  # the page shows a later response when it arrives


def _number(form: MultiDictProxy[Any]) -> int:
    """The id of the message a form belongs to."""
    text = str(form.get("of", ""))
    if not (text.isascii() and text.isdecimal()):
        raise LookupError("That message is gone")
    return int(text)


def _text(form: MultiDictProxy[Any], name: str, limit: int) -> str:
    text = str(form.get(name, "")).replace("\r\n", "\n").strip()
    if not 0 < len(text) <= limit:
        raise ValueError(f"Write 1 to {limit} characters")
    return text
