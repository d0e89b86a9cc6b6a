"""A hostile Discord: it alters events and answers as a plan says, and remembers what can be read no more."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from tests.faults.mutations import EACH, TEXTS, Mutation, mutated
from tests.faults.specimens import enriched
from tests.faults.used_fields import ONE_MESSAGE, PAGE, is_used

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.sandbox import Sandbox
    from bot.sandbox.rest.faults import Fault
    from tests.faults.plan import Plan
    from tests.faults.town import Town

FOR_GOOD = 0.5
"""How many of the messages that are altered are so in the history, too, and for good."""
STRUCTURE = ("GUILD_", "CHANNEL_", "THREAD_")


class Hostility:
    """Alters what a sandbox sends, whenever somebody `wants` it.

    Messages are altered in all `towns` but the last two: of the last, nothing is, and of the last but one, everything
    else is. `spoiled` are messages whose history is altered for good, each with the mutation of its copy.
    """

    def __init__(self, sandbox: Sandbox, plan: Plan, towns: list[Town], random: Random) -> None:
        self.wanted: Counter[str] = Counter()
        self.spoiled: dict[int, Mutation] = {}
        self.lost_deletes: set[int] = set()
        """Deleted messages whose deletion could not be read."""
        self.quiet = False
        self._plan = plan
        self._towns = towns
        self._random = random
        self._sandbox = sandbox
        self._injecting = False
        self._garbling: list[tuple[Mutation, Fault]] = []

    def begin(self) -> None:
        """Alter from now on."""
        faults = self._sandbox.faults
        faults.gateway.alter(self._event)
        for where in sorted(self._plan.routes, key=len, reverse=True):  # one that contains another comes first
            method, _, route = where.partition(" ")

            def change(body: Any, where: str = where) -> object:
                return self._answer(where, body)

            faults.requests.alter(change, times=None, method=method, route=route)

    def want(self, mutation: Mutation) -> None:
        """Alter the next thing of its kind that fits a mutation, by that one or another."""
        if mutation.kind in TEXTS:
            text, content_type = TEXTS[mutation.kind]
            method, _, route = mutation.where.partition(" ")
            fault = self._sandbox.faults.requests.garble(text, content_type=content_type, method=method, route=route)
            self._garbling.append((mutation, fault))
            self._plan.note(mutation)
        else:
            self.wanted[mutation.where] += 1

    def inject(self, where: str, payload: dict[str, Any]) -> None:
        """Send an event that is altered already."""
        taken = self._plan.take(where, payload)
        if taken is not None:
            self._injecting = True
            self._sandbox.faults.gateway.send_event(where, taken[1])
            self._injecting = False
        self.wanted[where] -= 1

    @property
    def pending(self) -> int:
        """How many answers that are no JSON have not been sent yet."""
        return sum(not fault.hits for _, fault in self._garbling)

    # Events

    def _event(self, payload: dict[str, Any]) -> dict[str, Any]:
        name, data = payload["t"], payload["d"]
        if payload["op"] != 0 or self.quiet or self._injecting or not self.wanted[name]:
            return payload
        if not self._may_alter(name, data):
            return payload
        if name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} and self._random.random() < 0.5:
            data = enriched(data)
        taken = self._plan.take(name, data)
        if taken is None:
            return payload
        self.wanted[name] -= 1
        mutation, changed = taken
        if name == "MESSAGE_CREATE" and is_used(name, mutation.path) and self._random.random() < FOR_GOOD:
            self._spoil(int(data["id"]), Mutation(PAGE, (EACH, *mutation.path), mutation.kind))
        if name.startswith("MESSAGE_DELETE") and (not mutation.path or mutation.path[0] in {"id", "ids"}):
            self.lost_deletes.update(int(one) for one in data.get("ids", [data.get("id", 0)]))
        return payload | {"d": changed}

    def _may_alter(self, name: str, data: dict[str, Any]) -> bool:
        if not name.startswith((*STRUCTURE, "MESSAGE_")):
            return True
        guild_id = data.get("guild_id", data.get("id"))
        here = [town for town in self._towns if str(town.guild.id) == guild_id]
        if not here:
            return False
        if name.startswith("MESSAGE_"):
            return here[0] in self._towns[:-2]
        return here[0] is self._towns[-2]

    # Answers

    def _answer(self, where: str, body: Any) -> object:
        ids: list[str] = []
        if where == PAGE and isinstance(body, list):
            ids = [one["id"] for one in body]
            rich = self._random.random() < 0.5
            body = [self._as_spoiled(enriched(one) if rich else one) for one in body]
        elif where == ONE_MESSAGE:
            body = self._as_spoiled(body)
        if self.quiet or not self.wanted[where]:
            return body
        taken = self._plan.take(where, body)
        if taken is None:
            return body
        self.wanted[where] -= 1
        mutation, changed = taken
        if where == PAGE and mutation.path[:1] == (EACH,) and self._random.random() < FOR_GOOD:
            index = next(number for number, one in enumerate(body) if repr(changed[number]) != repr(one))
            self._spoil(int(ids[index]), mutation)
        return changed

    def _spoil(self, message_id: int, mutation: Mutation) -> None:
        """Alter a message's copies in the history for good, if no other message needs it."""
        for town in self._towns[:-2]:
            for place in town.places:
                message = place.log.get(message_id)
                if message is not None and town.may_go(message):
                    self.spoiled.setdefault(message_id, mutation)
                    town.spoiled.add(message_id)

    def _as_spoiled(self, message: dict[str, Any]) -> Any:
        mutation = self.spoiled.get(int(message["id"]))
        if mutation is None:
            return message
        try:
            return mutated([enriched(message)], mutation, Random(int(message["id"])))[0]
        except LookupError:
            return message  # it has no such field any more, as when its reply's target is gone

    # What came of it

    def calm(self) -> None:
        """Alter nothing more, but for the spoiled messages."""
        self.quiet = True
        for mutation, fault in self._garbling:
            fault.lift()
            if not fault.hits:
                self._plan.withdraw(mutation)

    def needlessly(self, unread: Collection[int]) -> list[int]:
        """Those of some messages of which everything that Spade uses can be read."""
        return [one for one in unread if one in self.spoiled and not is_used(PAGE, self.spoiled[one].path)]
