"""The workflow that a fork's forge runs: it calls what .ci/run calls, with the least permissions."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MAKE = re.compile(r"^\s*(make .+?)\s*$", re.MULTILINE)
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@(v\d+|[0-9a-f]{40})$")


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_it_calls_the_make_targets_of_ci_in_their_order(steps):
    wanted = MAKE.findall((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert wanted
    assert MAKE.findall("\n".join(step.get("run", "") for step in steps)) == wanted


def test_the_make_targets_exist(steps):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in MAKE.findall("\n".join(step.get("run", "") for step in steps)):
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE), command


def test_it_may_only_read_and_ends_in_time(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert 0 < job["timeout-minutes"] <= 120


def test_every_action_is_pinned_and_the_token_is_not_left_behind(steps):
    used = [step for step in steps if "uses" in step]
    assert [step["uses"] for step in used if not PINNED.match(step["uses"])] == []
    checkouts = [step for step in used if step["uses"].startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_it_runs_on_the_oldest_python_that_is_supported(workflow):
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pythons = workflow["jobs"]["checks"]["strategy"]["matrix"]["python"]
    assert pythons[0] == oldest[1]
    assert len(pythons) > 1
