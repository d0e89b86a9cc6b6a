"""Starting the bot as a process quickly and repeatedly, and killing it."""

from __future__ import annotations

import asyncio
import multiprocessing
from typing import TYPE_CHECKING

from tests.faults.child import live

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from bot.sandbox import Sandbox

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.child"])


class BotProcess:
    """`spade run` against a sandbox: one process at a time, on one database."""

    def __init__(self, sandbox: Sandbox, folder: Path, defect: str | None = None) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._defect = defect
        self._process: BaseProcess | None = None
        self.ended_by_itself = 0

    @property
    def running(self) -> bool:
        """Whether there is a process now."""
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Start the bot, as a supervisor would; counts a process that had ended by itself."""
        if self._process is not None and self._process.exitcode is not None:
            self.ended_by_itself += 1
        arguments = ["run", "--discord-url", self._sandbox.url, "--database", f"sqlite:///{self._folder}/spade.db"]
        self._process = _FORKS.Process(
            target=live,
            args=(arguments, self._sandbox.token, str(self._folder), "bot.log", self._defect),
            daemon=True,
        )
        self._process.start()

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            while process.is_alive():
                await asyncio.sleep(0.002)
            process.close()
