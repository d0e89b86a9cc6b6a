"""What the fault runs hold a record against is the same when it is asked quickly."""

from datetime import UTC, datetime, timedelta
from random import Random

from bot.clock import DrivenClock
from bot.sandbox import Sandbox
from tests.faults.expectation import alone, facts
from tests.faults.town import Town


def test_whether_messages_can_go_unnoticed_is_judged_by_a_part_of_the_town_as_by_all_of_it():
    clock = DrivenClock(datetime(2026, 1, 5, tzinfo=UTC))
    town = Town(Sandbox(now=clock.now).world, Random(7))
    town.build()
    for number in range(150):
        clock.set(clock.now() + timedelta(seconds=10))
        town.something_is_said()
        if number % 10 == 0:
            town.a_thread_begins()
    answers = []
    threads = {thread.id for thread in town.threads}
    for message in [one for one in town.messages if one.channel_id in threads or one.id in threads]:
        place = town.world.state.channels[message.channel_id]
        chosen = [message, *town.random.sample(place.log.newest(12), 1)]
        ids = {one.id for one in chosen}
        before, after = facts(town), facts(town, ids)
        unnoticed = all({row for row in before[table] if row[0] not in ids} == after[table] for table in before)
        assert alone(town, chosen) is unnoticed
        answers.append(unnoticed)
    assert {True, False} <= set(answers)
