"""The process that draws a digest's picture: drawn, failed, hanging."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import painter
from bot.painter import ProcessPainter

from .test_views_digest import draft_of


async def paint():
    return await ProcessPainter().paint(draft_of())


def stand_in(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


async def test_a_picture_is_drawn_wherever_the_bot_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert (await paint()).startswith(b"\x89PNG")


async def test_a_picture_that_fails_is_told_in_one_line_and_missed(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path / "fails", "echo two >&2; echo lines >&2; exit 3"))
    assert await paint() is None
    assert [record.getMessage() for record in caplog.records] == [
        "The digest's picture could not be drawn, and it goes without: lines"
    ]


async def test_a_drawing_that_hangs_is_ended(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(painter, "DRAWING_SECONDS", 0.2)
    noted = tmp_path / "pid"
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path / "hangs", f"echo $$ >{noted}; exec sleep 60"))
    assert await paint() is None
    assert "took too long to draw" in caplog.text
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


def test_the_process_that_draws_does_not_load_the_bot():
    code = "import sys, bot.drawing; sys.exit(any(name in sys.modules for name in ('discord', 'sqlalchemy', 'rich')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
