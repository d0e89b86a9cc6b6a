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
    ended = subprocess.run([sys.executable, "-c", moment + MAIN], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "spade: stopped\n")


def test_a_command_in_the_background_of_a_script_is_not_interrupted():
    """There the shell has it ignore Ctrl-C, which is meant for what runs in front."""
    ended = subprocess.run(
        [sys.executable, "-c", ENDING + MAIN],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
