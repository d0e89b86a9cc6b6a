"""The page itself: its address, its viewers, and its answers to requests."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.sandbox.web.actions import Actions
from bot.sandbox.web.changes import Changes
from bot.sandbox.web.guard import HEADERS, is_addressed_to_loopback, is_same_origin, knows_key
from bot.sandbox.web.parts import PICTURES
from bot.sandbox.web.scene import PageState, scene_of
from bot.sandbox.web.viewpoint import Viewpoint
from bot.sandbox.world.snowflakes import snowflake_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from multidict import MultiDictProxy

    from bot.sandbox.server import Sandbox
    from bot.sandbox.world.entities import Guild

STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
DAYS = {"1": 1, "7": 7}
_NOTICE_SECONDS = 8.0
_LOOK_AGAIN_SECONDS = 10.0
_PAUSE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user the page can be read as, and the user's role as it is shown: manager or member."""

    user_id: int
    role: str


class WebPage:
    """Shows a sandbox's guild to a browser on this machine, and lets its reader act as one of the viewers.

    It answers only at `address`, which holds a random key. `forward` is called to let time pass and returns after
    that. `about` is a sentence that says what is shown.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        guild: Guild,
        *,
        viewers: Sequence[Viewer],
        zone: ZoneInfo,
        forward: Callable[[timedelta], Awaitable[object]],
        about: str,
        key: str | None = None,
    ) -> None:
        self.key = key or secrets.token_urlsafe(24)
        self._sandbox = sandbox
        self._guild = guild
        self._viewers = [(viewer.user_id, viewer.role) for viewer in viewers]
        self._zone = zone
        self._forward = forward
        self._about = about
        self._actions = Actions(sandbox)
        self._changes = Changes()
        opened_at = snowflake_at(sandbox.world.state.now()) + (1 << 22)
        self._seen: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(lambda: opened_at))
        self._notices: dict[int, tuple[str, float]] = {}
        self._forwarding: tuple[datetime, datetime] | None = None
        self._templates = Environment(
            loader=PackageLoader("bot.sandbox.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._posts: Mapping[str, Callable[[Viewpoint, MultiDictProxy[Any]], Awaitable[str]]] = {
            "write": self._actions.write,
            "post": self._actions.open_post,
            "react": self._actions.react,
            "press": self._actions.press,
            "choose": self._actions.choose,
            "run": self._actions.run,
            "menu": self._actions.run_menu,
            "submit": self._actions.submit,
            "dismiss": self._actions.dismiss,
            "forward": self._pass_time,
        }
        sandbox.world.events.listeners.append(self._changes.note)
        sandbox.observe(self._changes.note)
        sandbox.page = self.answer

    @property
    def address(self) -> str:
        """The URL of the page, with its key."""
        return f"{self._sandbox.url}/{self.key}/"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request that comes to the sandbox from a browser."""
        if not knows_key(request, self.key):
            return _refusal(404)
        if not is_addressed_to_loopback(request):
            return _refusal(403)
        step = request.path.split("/", 2)[2:]
        if request.method == "POST":
            return await self._act(request, "".join(step)) if is_same_origin(request) else _refusal(403)
        if request.method != "GET" or not step:
            return _refusal(404)
        return await self._show(request, step[0])

    # GET

    async def _show(self, request: web.Request, step: str) -> web.StreamResponse:
        if step == "":
            view = self._viewpoint(request)
            return _answer(200, self.rendered(view), "text/html")
        if step == "changes":
            return await self._tell(request)
        kind, _, rest = step.partition("/")
        if kind == "static" and rest in STATIC:
            return _answer(200, (files("bot.sandbox.web") / "static" / rest).read_text(), STATIC[rest])
        if kind == "files":
            return self._file(rest)
        return _refusal(404)

    def _viewpoint(self, request: web.Request) -> Viewpoint:
        allowed = {str(user_id): user_id for user_id, _ in self._viewers}
        viewer_id = allowed.get(request.query.get("as", ""), self._viewers[0][0])
        viewer = self._sandbox.world.state.user(viewer_id)
        return Viewpoint(self._sandbox.world, self._guild, viewer, self._zone, dict(request.query))

    def rendered(self, view: Viewpoint) -> str:
        """Render the page for a viewpoint, and mark its newest message as seen."""
        seen = self._seen[view.viewer.id]
        newest = view.channel.log.newest(1)
        if newest:
            seen[view.channel.id] = max(seen[view.channel.id], newest[0].id)
        page = PageState(
            viewers=self._viewers,
            seen=seen.__getitem__,
            dismissed=self._actions.dismissed.get(view.viewer.id, set()),
            modal=self._actions.modals.get(view.viewer.id),
            notice=self._notice_for(view.viewer.id),
            progress=self._progress(),
            about=self._about,
            revision=self._changes.revision,
        )
        return self._templates.get_template("page.html").render(scene=scene_of(self._sandbox, view, page))

    def _file(self, rest: str) -> web.Response:
        """Serve an uploaded picture; files of other types are refused."""
        number = rest.partition("/")[0]
        stored = self._sandbox.world.state.files.get(int(number)) if number.isascii() and number.isdecimal() else None
        kind = "" if stored is None else stored[1].partition(";")[0]
        if stored is None or kind not in PICTURES:
            return _refusal(404)
        return web.Response(body=stored[2], content_type=kind, headers=HEADERS)

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        """Send an event for each change, and one every few seconds because time passes."""
        stream = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        since = request.query.get("since", "")
        revision = int(since) if since.isascii() and since.isdecimal() else self._changes.revision
        try:
            while True:
                revision = await self._changes.after(revision, _LOOK_AGAIN_SECONDS)
                await asyncio.sleep(_PAUSE_SECONDS)  # changes in quick succession make one event
                revision = self._changes.revision
                await stream.write(f"data: {revision}\n\n".encode())
        except ConnectionError:
            return stream  # the page was closed

    # POST

    async def _act(self, request: web.Request, step: str) -> web.Response:
        view, form = self._viewpoint(request), await request.post()
        if step == "suggest":
            return await self._suggest(view, form)
        if step not in self._posts:
            return _refusal(404)
        try:
            link = await self._posts[step](view, form)
        except (LookupError, ValueError, TimeoutError) as refused:
            words = str(refused).strip("'\"") or "That took too long. Try it again."
            self._notices[view.viewer.id] = (words, self._time() + _NOTICE_SECONDS)
            link = view.link(more={name: text for name, text in view.asked.items() if name not in {"as", "channel"}})
        self._changes.note()
        return web.Response(status=303, headers=HEADERS | {"Location": f"./{link}"})

    async def _suggest(self, view: Viewpoint, form: MultiDictProxy[Any]) -> web.Response:
        try:
            choices = await self._actions.suggestions(view, form)
        except (LookupError, ValueError):
            choices = []  # a value that is half typed is no error yet
        return _answer(200, json.dumps(choices), "application/json")

    async def _pass_time(self, view: Viewpoint, form: MultiDictProxy[Any]) -> str:
        days = DAYS.get(str(form.get("days")))
        if days is None:
            raise ValueError("Time passes by a day or a week")
        if self._forwarding is not None:
            raise LookupError("Time is passing already")
        now = self._sandbox.world.state.now()
        self._forwarding = now, now + timedelta(days=days)
        self._changes.note()
        try:
            await self._forward(timedelta(days=days))
        finally:
            self._forwarding = None
        return view.link()

    def _progress(self) -> float | None:
        if self._forwarding is None:
            return None
        since, until = self._forwarding
        return min(1.0, (self._sandbox.world.state.now() - since) / (until - since))

    def _notice_for(self, user_id: int) -> str:
        text, until = self._notices.get(user_id, ("", 0.0))
        return text if self._time() < until else ""

    def _time(self) -> float:
        return asyncio.get_running_loop().time()


def _answer(status: int, text: str, kind: str) -> web.Response:
    return web.Response(status=status, text=text, content_type=kind, charset="utf-8", headers=HEADERS)


def _refusal(status: int) -> web.Response:
    words = {403: "This page answers to its own address on this machine only.", 404: "There is nothing here."}
    return _answer(status, words[status], "text/plain")
