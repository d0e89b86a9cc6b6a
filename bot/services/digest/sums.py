"""Asks what periods come to. What an ended one came to is kept until a fact of it changes."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.calendar import Period, day_start
from bot.domain.figures import Attention, LongerFacts, PeriodFacts
from bot.domain.rules import Rules
from bot.domain.survival import Group, Stayers, Staying, stayers
from bot.domain.touch import TouchKind, personal_kinds
from bot.domain.zones import zone_named
from bot.store import attention, stays, summaries
from bot.store.database import Connection
from bot.store.summaries import Editions, Question, Summary

_FORMAT = 1
"""To be raised when a document, or what it is calculated by, becomes another."""


@dataclass(slots=True)
class Sums:
    """What a guild's periods come to, as of one snapshot. `new` are answers that are worth keeping."""

    connection: Connection
    guild_id: int
    rules: Rules
    editions: Editions
    new: list[Summary] = field(default_factory=list)

    @classmethod
    async def of(cls, connection: Connection, guild_id: int, rules: Rules) -> "Sums":
        """The sums of a guild."""
        return cls(connection, guild_id, rules, await summaries.editions(connection, guild_id))

    async def of_periods(self, periods: Sequence[Period]) -> tuple[PeriodFacts, ...]:
        """The facts of one period, or of consecutive weeks, oldest first."""
        asked = {period: self._question("period", period, period.last_on, period.end_at) for period in periods}
        known = await summaries.known(self.connection, self.guild_id, asked.values(), self.editions)
        found = {period: _period_of(known[question]) for period, question in asked.items() if question in known}
        for some in _runs([period for period in periods if period not in found]):
            for period, facts in zip(some, await self._work_out(some), strict=True):
                found[period] = facts
                self._note(asked[period], _period_document(facts))
        return tuple(found[period] for period in periods)

    async def longer(self, weeks: Period, facts: PeriodFacts) -> LongerFacts:
        """What the verdicts on a period fall back on, as far as they do, in the weeks that end with it."""
        quiet = facts.quiet(self.rules)
        if not quiet:
            return LongerFacts()
        whose = sorted(quiet, key=lambda one: (one is not None, one))
        question = self._question("longer", weeks, weeks.last_on, weeks.end_at, whose=whose, active=facts.active)
        known = await summaries.known(self.connection, self.guild_id, [question], self.editions)
        if question in known:
            return _longer_of(known[question])
        found = await self._work_out_longer(weeks, quiet, facts.active)
        self._note(question, _longer_document(found))
        return found

    async def stayers(self, zone: ZoneInfo, now_on: date) -> Stayers:
        """Who stays (docs/rules.md#newcomers-who-stay), as it looks at the end of a day in a zone."""
        days, end_at = self._newcomer_days(zone, now_on)
        question = self._question("stayers", None, now_on, end_at + self.rules.stay_greeted, zone=zone.key)
        known = await summaries.known(self.connection, self.guild_id, [question], self.editions)
        if question in known:
            return _stayers_of(known[question])
        found = await self._work_out_stayers(days, end_at, now_on)
        self._note(question, _stayers_document(found))
        return found

    def _newcomer_days(self, zone: ZoneInfo, now_on: date) -> tuple[list[tuple[date, datetime]], datetime]:
        """The days of whose newcomers it is told who stays, each with its start, and the end of the last."""
        ages = range(self.rules.stay_until.days, self.rules.stay_from.days - 1, -1)
        days = [now_on - timedelta(days=age) for age in ages]
        return [(day, day_start(day, zone)) for day in days], day_start(days[-1] + timedelta(days=1), zone)

    @property
    def _kinds(self) -> frozenset[TouchKind]:
        return personal_kinds(count_inferred=self.rules.count_inferred)

    async def _work_out(self, periods: Sequence[Period]) -> tuple[PeriodFacts, ...]:
        rules = self.rules
        return await attention.of_periods(
            self.connection,
            self.guild_id,
            periods,
            self._kinds,
            gap=rules.conversation_gap,
            expires=rules.waiting_expires,
        )

    async def _work_out_longer(self, weeks: Period, whose: Collection[int | None], active: int) -> LongerFacts:
        gap = self.rules.conversation_gap
        talks = await attention.talks_of(self.connection, self.guild_id, weeks, whose, self._kinds, gap)
        most = max(sum(each * members for each, members in own.items()) for own in talks.values())
        # With more active members than conversations it makes no difference how many more: a week's are enough.
        if active < most:
            active, _ = await attention.active_and_met(self.connection, self.guild_id, weeks)
        return LongerFacts(active, talks)

    async def _work_out_stayers(self, days: Sequence[tuple[date, datetime]], end_at: datetime, now_on: date) -> Stayers:
        found = await stays.of_newcomers(
            self.connection,
            self.guild_id,
            days,
            end_at,
            now_on,
            at_least=self.rules.stay_greeted,
            kinds=self._kinds,
        )
        return stayers(found, now_on, self.rules)

    def _question(
        self, what: str, period: Period | None, last_on: date, until_at: datetime, **more: object
    ) -> Question:
        told = {
            "format": _FORMAT,
            "what": what,
            "rules": _mark(self.rules),
            "days": [period.first_on.isoformat(), period.last_on.isoformat()] if period else [last_on.isoformat()],
            "moments": [period.start_at.isoformat(), period.end_at.isoformat()] if period else [until_at.isoformat()],
            **more,
        }
        return Question(json.dumps(told, separators=(",", ":")), last_on, until_at)

    def _note(self, question: Question, document: object) -> None:
        edition = self.editions.of(question)
        if edition is not None and self.editions.go_beyond(question):
            self.new.append(Summary(question, edition, _text(document)))

    async def anew(self, summary: Summary) -> str | None:
        """What a summary would hold if it were summed up now; None if it holds no more, or is of other rules."""
        told = json.loads(summary.question.text)
        if (told["format"], told["rules"]) != (_FORMAT, _mark(self.rules)):
            return None
        if summary.edition != self.editions.of(summary.question):
            return None
        if told["what"] == "stayers":
            zone = zone_named(told["zone"])
            if zone is None:
                return None
            days, end_at = self._newcomer_days(zone, summary.question.last_on)
            return _text(_stayers_document(await self._work_out_stayers(days, end_at, summary.question.last_on)))
        first_on, last_on = map(date.fromisoformat, told["days"])
        start_at, end_at = map(datetime.fromisoformat, told["moments"])
        period = Period(first_on, last_on, start_at, end_at)
        if told["what"] == "longer":
            return _text(_longer_document(await self._work_out_longer(period, told["whose"], told["active"])))
        return _text(_period_document((await self._work_out([period]))[0]))


async def differences(connection: Connection, rules: Rules) -> tuple[str, ...]:
    """A sentence on each summary that is not what the facts come to now, and on what would keep changes unnoticed."""
    found = [
        f"the trigger {name} is missing, so a change of facts can go unnoticed; restore a backup that has it"
        for name in await summaries.missing_triggers(connection)
    ]
    for guild_id in await summaries.guilds(connection):
        sums = await Sums.of(connection, guild_id, rules)
        for summary in await summaries.of_guild(connection, guild_id, documents=True):
            anew = await sums.anew(summary)
            if anew is not None and anew != summary.document:
                told = json.loads(summary.question.text)
                found.append(
                    f"what is kept of server {guild_id} ({told['what']}, {' to '.join(told['days'])}) is not what its "
                    "facts come to; stop Spade and run: spade check --rebuild"
                )
    return tuple(found)


def _mark(rules: Rules) -> str:
    return sha256(repr(rules).encode()).hexdigest()[:12]


def _runs(periods: Iterable[Period]) -> list[list[Period]]:
    """The periods, divided where one does not follow the one before."""
    runs: list[list[Period]] = []
    for period in periods:
        if runs and runs[-1][-1].end_at == period.start_at:
            runs[-1].append(period)
        else:
            runs.append([period])
    return runs


def _text(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))


def _pairs(talks: Mapping[int, int]) -> list[list[int]]:
    return [list(pair) for pair in sorted(talks.items())]


def _period_document(facts: PeriodFacts) -> dict[str, Any]:
    return {
        "active": facts.active,
        "met": facts.met,
        "team": _attention_document(facts.team, delays=False),
        "own": {str(one): _attention_document(own, delays=True) for one, own in sorted(facts.own.items())},
    }


def _attention_document(own: Attention, *, delays: bool) -> list[Any]:
    numbers = [own.reached_active, own.first_time, own.personal, own.logged, own.waiting]
    return [_pairs(own.talks), *numbers, sorted(own.reply_delays) if delays else []]


def _attention_of(told: Sequence[Any]) -> Attention:
    talks, reached_active, first_time, personal, logged, waiting, delays = told
    return Attention(dict(talks), reached_active, first_time, personal, logged, tuple(delays), waiting)


def _period_of(document: str) -> PeriodFacts:
    told = json.loads(document)
    own = {int(one): _attention_of(numbers) for one, numbers in told["own"].items()}
    *numbers, _ = told["team"]
    # The team's delays are its managers' together, so they are not kept twice.
    team = _attention_of([*numbers, [delay for one in own.values() for delay in one.reply_delays]])
    return PeriodFacts(told["active"], told["met"], team, own)


def _longer_document(facts: LongerFacts) -> dict[str, Any]:
    ordered = sorted(facts.talks.items(), key=lambda one: (one[0] is not None, one[0]))
    return {"active": facts.active, "talks": [[whose, _pairs(talks)] for whose, talks in ordered]}


def _longer_of(document: str) -> LongerFacts:
    told = json.loads(document)
    return LongerFacts(told["active"], {whose: dict(talks) for whose, talks in told["talks"]})


def _stayers_document(found: Stayers) -> list[Any]:
    return [
        [group.members, [[one.day, one.share, one.low, one.high] for one in group.staying]]
        for group in (found.touched, found.others)
    ]


def _stayers_of(document: str) -> Stayers:
    touched, others = (
        Group(members, tuple(Staying(*one) for one in staying)) for members, staying in json.loads(document)
    )
    return Stayers(touched, others)
