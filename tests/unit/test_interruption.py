"""Ctrl-C before a command has begun, and after it has ended."""

import signal
import subprocess
import sys

import pytest

INTERRUPT = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
LOADING = f"""
import sys
class Loading:
    def find_spec(self, name, *_):
        if name == "bot.cli.main":
            {INTERRUPT}
sys.meta_path.insert(0, Loading())
"""
ENDING = f"""
import atexit, sys, types
def end():
    {INTERRUPT}
atexit.register(end)
sys.modules["bot.cli.main"] = types.SimpleNamespace(run_command=lambda: 0)
"""
MAIN = "from bot.__main__ import main\nmain()\n"


@pytest.mark.parametrize("moment", [LOADING, ENDING])
def test_ctrl_c_is_one_calm_line(moment):
    ended = run(moment + MAIN, signal.SIG_DFL)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "spade: stopped\n")


def test_a_command_in_the_background_of_a_script_is_not_interrupted():
    """There the shell has it ignore Ctrl-C, which is meant for what runs in front."""
    ended = run(ENDING + MAIN, signal.SIG_IGN)
    assert (ended.returncode, ended.stderr) == (0, "")


def run(code, ctrl_c):
    """Run code in a process that treats Ctrl-C in a way, however the tests themselves were started."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, ctrl_c),
    )
