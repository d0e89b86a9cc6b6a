"""A pytest plugin that notes how long each test took and how it ended, a line each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stopwatch", type=Path, help="the file that is appended to")


class Stopwatch:
    """Only where the reports of all processes come together."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        with self._path.open("a") as file:
            print(json.dumps([report.nodeid, report.duration, report.outcome]), file=file)


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--stopwatch")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Stopwatch(path))
