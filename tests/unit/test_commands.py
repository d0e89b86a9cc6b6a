"""The list of commands: what it says of each, and what it costs to show it."""

import inspect
import subprocess
import sys

import pytest

from bot.cli.commands import COMMANDS, function_of

HEAVY = ("alembic", "discord", "pydantic", "resvg_py", "rich", "sqlalchemy")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_sentence_of_its_help(name: str) -> None:
    assert (inspect.getdoc(function_of(name)) or "").startswith(COMMANDS[name].summary)
    assert COMMANDS[name].summary.endswith(".")


def test_the_list_is_shown_without_importing_what_commands_need() -> None:
    code = f"""
import sys
from bot.cli.main import exit_status
assert exit_status(["--help"]) == 0
print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "import    Put exports of DiscordChatExporter on record." in found.stdout
    assert found.stderr.strip() == ""
