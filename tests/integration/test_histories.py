"""Random histories and a story's kills at a size that fits; and that the comparison fails where the record is wrong.

`make faults` plays as many histories as it is asked for, and every story with every kill.
"""

import re
from unittest import mock

import pytest

from bot.services.record import recorder
from bot.store import record, spans
from tests.histories.play import Outcome, play
from tests.histories.runs import BATCH, run_batch, workplace
from tests.histories.steps import (
    Begin,
    Cut,
    Delete,
    Exclude,
    Export,
    Import,
    Kill,
    Manage,
    Open,
    Permit,
    Program,
    Say,
    Stop,
)
from tests.histories.stories import tell

ANNA, BEN, MIA, NOAH = range(4)


@pytest.mark.timeout(120)
def test_histories_agree_with_a_plain_calculation() -> None:
    with workplace() as empty:
        batch = run_batch(1, BATCH, empty)
    assert batch.failed is None, batch.report()
    assert batch.runs == BATCH


@pytest.mark.timeout(120)
def test_a_story_survives_a_kill_after_each_of_its_commits() -> None:
    with workplace() as empty:
        told = tell("exclude-include", empty)
    assert told.report() == []
    assert told.kills >= 20


async def _nothing(*_given: object, **_more: object) -> None:
    """What a defect leaves out."""


def _with_defect(program: Program, module: object, name: str) -> Outcome:
    with workplace() as empty:
        assert play(program, empty).lines == ()
        with mock.patch.object(module, name, _nothing):
            return play(program, empty)


REPLY = (Begin(), Say(who=MIA), Say(who=ANNA, to=0))


@pytest.mark.parametrize(
    ("program", "module", "name", "found"),
    [
        (REPLY, record, "add_touches", "missing touch"),
        (REPLY, record, "add_activity", "activity of"),
        ((*REPLY, Say(who=NOAH, names=(ANNA,))), record, "add_waiting", "missing wait"),
        ((*REPLY, Delete()), record, "take_back", "wrong touch"),
        (
            (Begin(), Say(who=MIA), Say(who=BEN, to=0), Manage(who=BEN)),
            recorder.Recorder,
            "read_again",
            "missing touch|never done",
        ),
        (
            (Begin(), Say(who=MIA), Permit(view=False), Cut(), *REPLY[1:], Cut(), Permit(view=False), Say(who=MIA)),
            spans,
            "add_known_gap",
            "missing touch",
        ),
    ],
)
def test_a_planted_defect_is_found(program: Program, module: object, name: str, found: str) -> None:
    outcome = _with_defect(program, module, name)
    assert any(re.search(found, line) for line in outcome.lines), outcome.lines


def test_what_a_kill_takes_from_memory_comes_from_the_history() -> None:
    program = (*REPLY, Kill(commits=1), Say(who=MIA, rush=True), Say(who=ANNA, to=0), Stop(), Say(who=MIA))
    with workplace() as empty:
        outcome = play(program, empty)
    assert (outcome.kills, outcome.lines) == (1, ())


def test_what_stands_in_files_is_owed_once_it_was_imported() -> None:
    past = (Say(who=MIA), Open(who=MIA, on=0), Say(where=2, who=MIA), Say(where=2, who=ANNA), Say(who=ANNA, to=0))
    outcome = _with_defect((*past, Export(), Import(), Begin()), record, "add_touches")
    assert {line.split()[0] for line in outcome.lines} == {"missing"}


def test_a_channel_that_counts_again_is_whole() -> None:
    program = (Begin(), Say(who=MIA), Exclude(), *REPLY[1:], Exclude(), Say(who=MIA))
    with workplace() as empty:
        assert play(program, empty).lines == ()
