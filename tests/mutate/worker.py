"""A warm process: it has imported everything but the bot itself, and forks for each run of tests.

It speaks JSON, a line each: a run to make comes in, a verdict goes out. It works in a copy of the tree.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OWN = ("bot", "cogs", "tests")
_ALSO = ("pytest_asyncio", "pytest_timeout", "hypothesis", "jsonschema", "lifelines", "simcord")
_MOST_MEMORY = 8 << 30
FAILED_ITSELF = 99
_HANGS_AFTER = 10.0
"""A test that takes so many seconds longer than ten times what it took before hangs."""


class Chosen:
    """A pytest plugin: these tests and no others, in this order; notes which one failed."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self.failed: str | None = None
        self.ran = 0
        self.started = False

    def pytest_sessionstart(self) -> None:
        self.started = True

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        import pytest  # noqa: PLC0415 - this process has it, the one that forks it may not yet

        order = {name: number for number, name in enumerate(self._seconds)}
        items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])
        for item in items:
            longest = _HANGS_AFTER + 10 * self._seconds[item.nodeid]
            item.add_marker(pytest.mark.timeout(longest), append=False)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.ran += report.when == "call"
        if report.failed and self.failed is None:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and self.failed is None:
            self.failed = f"collecting {report.nodeid}"


def warm_up() -> None:
    """Import what the bot and the tests import from elsewhere."""
    ask = "import sys, bot.cli.main, bot.app, pytest; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    for name in (*found, *_ALSO):  # in the order of their import: some can only be had through others
        if name.partition(".")[0] not in OWN and not name.startswith("_"):
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def run(seconds: dict[str, float], limit: float) -> dict[str, Any]:
    """Run tests in a fork until one fails: `failed` names it, `hung` says whether time was up, `output` is the end."""
    folder = Path(tempfile.mkdtemp(prefix="spade-mutant-"))
    folder.chmod(0o755)  # PostgreSQL's own user passes through it
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _in_fork(seconds, folder)
    try:
        status = _wait(child, limit)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        _end_servers(folder)
    output = folder / "output"
    verdict: dict[str, Any] = {"failed": None, "ran": 0}
    if (folder / "verdict").exists():
        verdict = json.loads((folder / "verdict").read_text())
    elif status == FAILED_ITSELF:
        raise RuntimeError(f"the tests could not be run:\n{output.read_text(errors='replace')}")
    elif status is not None:
        verdict["failed"] = f"the process ended with {status}"
    verdict["hung"] = status is None
    verdict["seconds"] = time.monotonic() - began
    verdict["output"] = output.read_text(errors="replace")[-4000:] if output.exists() else ""
    shutil.rmtree(folder, ignore_errors=True)
    return verdict


def _in_fork(seconds: dict[str, float], folder: Path) -> None:
    """Be the process that runs the tests. It never returns."""
    status = FAILED_ITSELF
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        output = os.open(folder / "output", os.O_CREAT | os.O_WRONLY, 0o600)
        for standard in (1, 2):
            os.dup2(output, standard)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        # Two texts of one length, written within a second, would share what was compiled of the first.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        import pytest  # noqa: PLC0415

        chosen = Chosen(seconds)
        files = sorted({name.partition("::")[0] for name in seconds})
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--hypothesis-seed=0"]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of plugins that are imported by now
        arguments = [*options, f"--basetemp={folder / 'tmp'}", "--tb=short", *files]
        try:
            ended = int(pytest.main(arguments, plugins=[chosen]))
        except Exception as error:  # such as a warning, which is an error, about what a test left open
            if not chosen.started:
                raise
            ended = 1
            chosen.failed = chosen.failed or f"pytest ended with {type(error).__name__}"
        if ended not in {0, pytest.ExitCode.NO_TESTS_COLLECTED}:
            chosen.failed = chosen.failed or f"pytest ended with {ended}"
        partial = folder / "verdict.part"
        partial.write_text(json.dumps({"failed": chosen.failed, "ran": chosen.ran}))
        partial.rename(folder / "verdict")
        sys.stdout.flush()
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it must not go on as if it were the process that forked
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _wait(child: int, limit: float) -> int | None:
    """How a process ended; None if it had not by the time limit."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _end_servers(folder: Path) -> None:
    """A killed run cannot stop its PostgreSQL, which is in a session of its own."""
    for pid_file in folder.glob("*/postmaster.pid"):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)


def judge(tree: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Run tests on a module that holds other bytes than the tree's; without `source`, on the tree as it is."""
    if job.get("source") is None:
        return run(job["tests"], job["limit"])
    path = tree / job["path"]
    whole, times = path.read_bytes(), path.stat()
    compiled = Path(importlib.util.cache_from_source(str(path)))
    hidden = compiled.with_suffix(".hidden")
    with contextlib.suppress(FileNotFoundError):
        compiled.rename(hidden)
    try:
        path.write_text(job["source"], encoding="utf-8")
        return run(job["tests"], job["limit"])
    finally:
        path.write_bytes(whole)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        with contextlib.suppress(FileNotFoundError):
            hidden.rename(compiled)


def main(arguments: Sequence[str]) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warm_up()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(judge(Path(arguments[0]), json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
