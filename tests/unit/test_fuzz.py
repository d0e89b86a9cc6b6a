"""A short size of `make fuzz`."""

import itertools
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import __main__ as fuzzing
from tests.fuzz import words


def test_nothing_odd_is_too_odd(capsys: pytest.CaptureFixture[str]) -> None:
    cases = (f"test-{number}" for number in itertools.count())
    played, failures = fuzzing.fuzz(None, cases, lambda total: total < 175)
    assert failures == 0, capsys.readouterr().out
    assert played.keys() == fuzzing.TARGETS.keys()


def test_what_fails_is_counted_and_says_how_to_play_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def defect(rng: Random, folder: Path) -> None:
        assert rng.random() < 0.5

    monkeypatch.setattr(fuzzing, "TARGETS", {"names": defect})
    monkeypatch.setattr("sys.argv", ["fuzz", "--cases", "50", "--seed", "9"])
    assert fuzzing.main() == 1
    printed = capsys.readouterr().out
    replay = next(line for line in printed.splitlines() if "replay" in line)
    assert "--only names --case 9-" in replay
    monkeypatch.setattr("sys.argv", ["fuzz", "--only", "names", "--case", replay.rpartition(" ")[2]])
    assert fuzzing.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "fuzz: cases=1 failures=1"


def test_the_ids_of_buttons_come_from_patterns_there_are() -> None:
    assert len(words._PATTERNS) >= 8
