"""What work costs: CPU seconds of this process or of its children, memory, and pairs that take turns."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from tests.bench.usage import in_bytes

MEGABYTE = 1_000_000
ROOT = Path(__file__).resolve().parents[2]
_QUICKLY = 0.5
"""What takes less CPU than this many seconds is done once before, so that caches are as they mostly are."""
_Result = TypeVar("_Result")

Work = Callable[[], Awaitable[object]]


def cpu() -> float:
    """The CPU seconds of this process, with all its threads, and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


async def cpu_of(work: Work) -> float:
    """The CPU seconds of some work in this process."""
    before = cpu()
    await work()
    return cpu() - before


async def in_turn(ours: Work, theirs: Work, pairs: int, seconds: float) -> list[tuple[float, float]]:
    """The CPU seconds of both, one after the other, up to so many times; at least once, and no more after `seconds`."""
    found: list[tuple[float, float]] = []
    began = time.monotonic()
    while len(found) < pairs and not (found and time.monotonic() - began > seconds):
        pair = await cpu_of(ours), await cpu_of(theirs)
        if not found and pair[0] < _QUICKLY and pairs > 1:
            pair = await cpu_of(ours), await cpu_of(theirs)
        found.append(pair)
    return found


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process has cost: seconds on the wall and of CPU, and at most this many bytes of memory."""

    wall: float
    cpu: float
    peak: int


_STARTER = """
import json, os, sys, time
output, *arguments = sys.argv[1:]
began = time.perf_counter()
opened = [(os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]
child = os.posix_spawn(arguments[0], arguments, os.environ, file_actions=opened)
_, status, used = os.wait4(child, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.perf_counter() - began, used.ru_utime + used.ru_stime,
    used.ru_maxrss]))
"""
"""Starts a process and tells what it cost. A process inherits the peak of the one that starts it, so that is small."""


def process(arguments: Sequence[str], folder: Path) -> Spent:
    """Run a process of this Python in a folder to its end; RuntimeError if it fails."""
    output = folder / "output.txt"
    started = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _STARTER, str(output), sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    status, wall, spent, peak = json.loads(started.stdout)
    if status:
        said = output.read_text(encoding="utf-8", errors="replace").strip()
        raise RuntimeError(f"{' '.join(arguments[:3])} ended with {status}: {said[-300:]}")
    return Spent(wall, spent, in_bytes(peak))


def apart(work: Callable[[], _Result]) -> _Result:
    """Do something in a fresh process, so that its memory and its caches are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work).result()
