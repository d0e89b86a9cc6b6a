"""A nudge that those who wait longest fill is the one that all facts decide, and they are not read for it."""

from datetime import timedelta
from random import Random

import pytest

from bot.domain.nudge_decision import decide_nudge
from bot.domain.rules import NudgeRules, Rules
from bot.domain.snowflake import first_id_at
from bot.domain.waiting import WaitingEntry
from bot.services.nudge import facts
from bot.services.nudge.facts import decide_from_record, gather
from bot.store import guilds, people, record, waits
from bot.store.database import Database
from tests.integration.test_summaries import NOON
from tests.integration.test_sums_of_periods import CHANNELS, PEOPLE, TEAM, made
from tests.support.messages import GUILD
from tests.support.statements import statements

RULES = Rules(nudge=NudgeRules(members_per_nudge=2, waiting_after=timedelta(hours=1)))


@pytest.mark.parametrize("seed", range(6))
async def test_the_nudge_is_the_same(database: Database, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "FIRST_WAITING", 4)
    random, quickly = Random(seed), 0
    async with database.writing() as connection:
        await made(connection, random)
        entries = [
            WaitingEntry(
                first_id_at(NOON - timedelta(hours=random.randrange(20 * 24), milliseconds=random.randrange(2)))
                + number,
                random.choice(CHANNELS),
                random.choice(PEOPLE),
                frozenset(random.sample((*TEAM, 4), random.choice((0, 1, 1, 2)))),
                random.choice((None, None, 5)),
            )
            for number in range(120)
        ]
        await record.add_waiting(connection, {GUILD: entries})
        for entry in random.sample(entries, 25):
            at = entry.written_at + timedelta(hours=random.randrange(200))
            await waits.close(connection, GUILD, [entry.message_id], at)
        for person in random.sample(PEOPLE, 4):
            await people.mark_departed(connection, GUILD, person, NOON - timedelta(hours=random.randrange(60)))
    async with database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        for back in (0, 9, 50, 200):
            at, gone = NOON - timedelta(hours=back), {one.message_id for one in random.sample(entries, 10)}
            for manager_id in TEAM:
                with statements() as asked:
                    nudge = await decide_from_record(connection, settings, manager_id, at, RULES, gone=gone)
                quickly += not any("first_message_id" in one for one in asked)
                known = await gather(connection, settings, manager_id, at, RULES)
                assert nudge == decide_nudge(facts.without_gone(known, gone), RULES)
    assert quickly >= 3
