"""What time it is, judged from what Discord says and what the machine shows (docs/rules.md#due-times)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

AGREES_WITHIN = timedelta(minutes=1)
"""How far two times may differ and still agree. A Date header has whole seconds, and an answer takes a while."""
ASK_AGAIN_AFTER = timedelta(hours=6)
"""How long a time from Discord is trusted. Within this interval the drift of a monotonic counter is negligible."""
LASTING = timedelta(minutes=5)
"""How long Discord has to keep to a time that contradicts a running machine before it is believed."""

HEARD_EVERY_SECONDS = 1.0
"""How often an id that agrees is believed anew."""


class Source(StrEnum):
    """Where a time from Discord comes from. Each is made by another part of Discord.

    DATE: the Date header of an answer, made at the edge. LIMIT: when the API counted a request, by the headers of its
    rate limit. ID: when an event's message or interaction was made; the event may arrive late, but never early.
    """

    DATE = "date"
    LIMIT = "limit"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the machine shows at one moment: its clock, which can be set, and a counter of seconds, which cannot."""

    wall: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A time that a source gave and that is not believed yet. It was given at `seconds` of the counter.

    The source has said so, or the same carried on by the counter, from `since` on.
    """

    source: Source
    moment: datetime
    seconds: float
    since: float

    def carried(self, to: Reading) -> datetime:
        """The time it would be now."""
        return self.moment + timedelta(seconds=to.seconds - self.seconds)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is known of the time; `began` is the counter at the start.

    A time from Discord is believed if the machine's clock, or the counter that carries on the last believed time,
    agrees. One that contradicts both is a claim. It is believed once another source at Discord agrees; if a time was
    believed before, only after it was kept to for LASTING, because then clock and counter contradict it together. A
    believed time ends every claim, so a claim is also refuted by any source that agrees with the machine.

    `anchor` is the last believed time, with what the machine showed then.
    """

    began: float
    anchor: tuple[datetime, Reading] | None = None
    claims: tuple[Claim, ...] = ()
    doubted_at: float | None = None

    def now(self, at: Reading) -> datetime:
        """The best guess of the time: the machine's clock where it agrees with the carried time, else that.

        Before anything was believed, Discord's unconfirmed Date is the better guess: clocks are wrong more often.
        """
        carried = self._carried(at)
        if carried is None:
            date = self._claim_of(Source.DATE)
            return at.wall if date is None else date.carried(at)
        return at.wall if _agree(at.wall, carried) else carried

    def unsure_since(self, at: Reading) -> float | None:
        """The counter since which the time is not certain; None if it is certain.

        It is not before the first believed time, while there is a claim, after a doubt, for a time older than
        ASK_AGAIN_AFTER, and if clock and counter have diverged (the clock was set, or the machine slept).
        """
        if self.anchor is None:
            return self.began
        _, then = self.anchor
        passed = timedelta(seconds=at.seconds - then.seconds)
        since = [claim.since for claim in self.claims]
        if self.doubted_at is not None:
            since.append(self.doubted_at)
        if passed >= ASK_AGAIN_AFTER:
            since.append(then.seconds + ASK_AGAIN_AFTER.total_seconds())
        if not _agree(at.wall, then.wall + passed):
            since.append(at.seconds)
        return min(since, default=None)

    def doubted(self, at: Reading) -> "Reckoning":
        """Clock and counter may have stood still together, as in a suspended virtual machine."""
        return self if self.doubted_at is not None else replace(self, doubted_at=at.seconds)

    def heard(self, source: Source, moment: datetime, at: Reading) -> "Reckoning":
        """A source at Discord has given the time `moment`."""
        carried = self._carried(at)
        if source is Source.ID and self._heard_lately(at) and carried is not None and _agree(moment, carried):
            return self
        local = _agree(moment, at.wall) or (carried is not None and _agree(moment, carried))
        claimed = [claim for claim in self.claims if claim.source is not source and _agree(claim.carried(at), moment)]
        if source is Source.ID:
            if local and claimed:
                return self  # so close to both that a late event cannot tell them apart
            if not claimed and not local and moment < self.now(at):
                return self  # a late event
        if local:
            return self._believing(moment if source is not Source.ID else self._local(moment, at), at)
        claim = self._renewed(source, moment, at)
        oldest = min((other.since for other in (claim, *claimed)), default=at.seconds)
        if claimed and (self.anchor is None or at.seconds - oldest >= LASTING.total_seconds()):
            return self._believing(moment if source is not Source.ID else claimed[0].carried(at), at)
        return replace(self, claims=(*(other for other in self.claims if other.source is not source), claim))

    def _heard_lately(self, at: Reading) -> bool:
        """Whether a time was believed a moment ago and nothing speaks against it: ids come by the hundred."""
        if self.anchor is None or self.claims or self.doubted_at is not None:
            return False
        return 0 <= at.seconds - self.anchor[1].seconds < HEARD_EVERY_SECONDS

    def _carried(self, at: Reading) -> datetime | None:
        if self.anchor is None:
            return None
        moment, then = self.anchor
        return moment + timedelta(seconds=at.seconds - then.seconds)

    def _claim_of(self, source: Source) -> Claim | None:
        return next((claim for claim in self.claims if claim.source is source), None)

    def _renewed(self, source: Source, moment: datetime, at: Reading) -> Claim:
        before = self._claim_of(source)
        same = before is not None and _agree(before.carried(at), moment)
        return Claim(source, moment, at.seconds, before.since if before is not None and same else at.seconds)

    def _local(self, moment: datetime, at: Reading) -> datetime:
        """The machine's time that an id agrees with; the id itself may be some seconds old."""
        carried = self._carried(at)
        return carried if carried is not None and _agree(moment, carried) else at.wall

    def _believing(self, moment: datetime, at: Reading) -> "Reckoning":
        return Reckoning(self.began, (moment, at))


def _agree(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= AGREES_WITHIN
