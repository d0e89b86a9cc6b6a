"""Everything that one rendering of the page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bot.sandbox.web.forms import Input, ModalField, OfferedCommand, entries_of, inputs_of, modal_fields_of
from bot.sandbox.web.lines import MessageLine, MessageWindow, Quoted, excerpt, lines_of, window_of
from bot.sandbox.web.places import ListedChannel, ListedPost, place_of, places_of, posts_of
from bot.sandbox.web.times import full_time, short_time
from bot.sandbox.world.entities import ChannelType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.sandbox.interactions.responses import Response
    from bot.sandbox.server import Sandbox
    from bot.sandbox.web.viewpoint import Person, Viewpoint

REACTIONS = ("👍", "✅", "❤️", "👀")


@dataclass(frozen=True, slots=True)
class ViewerChoice:
    """A user the page can be read as, and the link to that; `chosen` if it is the present one."""

    person: Person
    role: str
    link: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """The data of the templates."""

    view: Viewpoint
    places: tuple[ListedChannel, ...]
    dm: ListedChannel
    viewers: tuple[ViewerChoice, ...]
    window: MessageWindow
    lines: tuple[MessageLine, ...]
    posts: tuple[ListedPost, ...]
    entries: tuple[OfferedCommand, ...]
    message_commands: tuple[str, ...]
    user_commands: tuple[str, ...]
    filling: OfferedCommand | None
    inputs: tuple[Input, ...]
    replying: tuple[Quoted, int] | None
    modal: Response | None
    modal_fields: tuple[ModalField, ...]
    notice: str
    progress: float | None
    about: str
    revision: int

    reactions = REACTIONS

    @property
    def label(self) -> str:
        """The name of the selected channel."""
        return self.view.channel_label(self.view.channel)

    @property
    def parent(self) -> str:
        """The name of the channel above a thread; empty without one."""
        parent = self.view.state.channels.get(self.view.channel.parent_id or 0)
        return "" if parent is None else parent.name

    @property
    def kind(self) -> str:
        """The type of the selected channel in lower case: dm, text, forum, public_thread and so on."""
        return ChannelType(self.view.channel.type).name.lower()

    @property
    def clock(self) -> str:
        """The time in the world."""
        return full_time(self.view.now)

    @property
    def clock_short(self) -> str:
        """The time in the world, in a short form."""
        now = self.view.now
        return f"{now:%a %-d %b}, {short_time(now)}"

    def reply_link(self, message_id: int) -> str:
        """The relative address at which a reply is written."""
        shown = self.view.number("message")
        more = {"reply": message_id} | ({} if shown is None else {"message": shown})
        return self.view.link(more=more) + "#composer"

    def without(self, *names: str) -> str:
        """The address of this view without some of its parameters."""
        kept = {name: text for name, text in self.view.asked.items() if name not in names}
        return f"?{urlencode(kept)}"


@dataclass(frozen=True, slots=True)
class PageState:
    """What the page holds besides the world: its viewers, what the present one has seen, dismissed and has open."""

    viewers: Sequence[tuple[int, str]]
    seen: Callable[[int], int]
    dismissed: set[int]
    modal: Response | None
    notice: str
    progress: float | None
    about: str
    revision: int


def scene_of(sandbox: Sandbox, view: Viewpoint, page: PageState) -> Scene:
    """Collect the data for the templates."""
    channel = view.channel
    forum = channel.type == ChannelType.FORUM
    shown = MessageWindow([], None, at_present=True) if forum else window_of(view, sandbox.interactions, page.dismissed)
    offered = {kind: [] if forum else sandbox.people.offered(view.viewer, channel, kind) for kind in (1, 2, 3)}
    entries = tuple(sorted(entries_of(offered[1]), key=lambda entry: entry.name))
    filling = next((entry for entry in entries if entry.name == view.asked.get("command")), None)
    modal = page.modal
    return Scene(
        view=view,
        places=tuple(places_of(view, page.seen)),
        dm=place_of(view, view.dm, page.seen),
        viewers=tuple(_viewer_choice(view, user_id, role) for user_id, role in page.viewers),
        window=shown,
        lines=tuple(lines_of(view, shown.messages)),
        posts=tuple(posts_of(view, channel)) if forum else (),
        entries=entries,
        message_commands=_names(offered[3]),
        user_commands=_names(offered[2]),
        filling=filling,
        inputs=() if filling is None else inputs_of(view, filling),
        replying=_replying(view),
        modal=modal,
        modal_fields=() if modal is None else tuple(modal_fields_of(view, modal)),
        notice=page.notice,
        progress=page.progress,
        about=page.about,
        revision=page.revision,
    )


def _names(commands: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(str(command["name"]) for command in commands)


def _viewer_choice(view: Viewpoint, user_id: int, role: str) -> ViewerChoice:
    asked: dict[str, int] = {"as": user_id}
    if view.channel.guild_id is not None:
        asked["channel"] = view.channel.id
    return ViewerChoice(
        view.person(view.state.user(user_id)), role, f"?{urlencode(asked)}", chosen=user_id == view.viewer.id
    )


def _replying(view: Viewpoint) -> tuple[Quoted, int] | None:
    target = view.channel.log.get(view.number("reply") or 0)
    if target is None:
        return None
    return Quoted(view.person(target.author), excerpt(view, target), None), target.id
