"""The process that draws a digest's picture: drawn, failed, hanging."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import painter
from bot.drawing import rasterised
from bot.painter import ProcessPainter
from bot.views.digest import canvas
from bot.views.digest.canvas import draw_digest
from bot.views.digest.chart import digest_picture
from tests.support.loop_time import pass_seconds

from .test_views_digest import draft_of


async def paint():
    return await ProcessPainter().paint(draft_of())


def stand_in(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


async def test_a_picture_is_drawn_wherever_the_bot_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    picture = digest_picture(draft_of())
    assert picture is not None
    assert await paint() == rasterised(draw_digest(picture))


async def test_a_picture_that_fails_is_told_in_one_line_and_missed(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path / "fails", "echo two >&2; echo lines >&2; exit 3"))
    assert await paint() is None
    assert [record.getMessage() for record in caplog.records] == [
        "The digest's picture could not be drawn, and it goes without: lines"
    ]


async def test_a_renderer_that_ends_its_process_costs_the_picture_alone(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path / "aborts", "kill -ABRT $$"))
    assert await paint() is None
    assert [record.getMessage() for record in caplog.records] == [
        "The digest's picture could not be drawn, and it goes without: signal 6"
    ]


async def test_without_the_font_a_digest_goes_without_its_picture(monkeypatch, tmp_path, caplog):
    def missing(**_):
        return (tmp_path / "gone.ttf").read_bytes()

    monkeypatch.setattr(canvas, "typeface", missing)
    assert await paint() is None
    assert "gone.ttf" in caplog.text


async def test_a_drawing_that_hangs_is_ended(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(painter, "DRAWING_SECONDS", 600)
    noted = tmp_path / "pid"
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path / "hangs", f"echo $$ >{noted}; exec sleep 600"))
    drawing = asyncio.create_task(paint())
    while not (noted.exists() and noted.read_text()):
        await asyncio.sleep(0.01)
    pass_seconds(601)
    assert await drawing is None
    assert "took too long to draw" in caplog.text
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


async def test_the_process_that_draws_is_given_no_secret_and_no_open_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SPADE_TOKEN", "a.secret.token")
    monkeypatch.setenv("SPADE_DATABASE_URL", "postgresql://spade:secret@db/spade")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    seen, files = tmp_path / "environment", tmp_path / "files"
    kept = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(kept, True)
    script = f"env >{seen}; ls /proc/$$/fd >{files}"
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path / "looks", script))
    try:
        await paint()
    finally:
        os.close(kept)
    environment = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert "secret" not in str(environment)
    assert environment["LANG"] == "de_DE.UTF-8"
    assert environment["PATH"] == os.environ["PATH"]
    if Path("/proc/self/fd").exists():
        assert str(kept) not in files.read_text().split()


async def test_few_draw_at_once_and_beyond_the_queue_a_digest_goes_without(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(painter, "MOST_WAITING", 3)
    begun, done = tmp_path / "begun", tmp_path / "done"
    script = f"echo >>{begun}; while [ ! -e {done} ]; do sleep 0.02; done; echo drawn"
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path / "waits", script))
    shared = ProcessPainter()
    wanted = [asyncio.create_task(shared.paint(draft_of())) for _ in range(30)]
    while not begun.exists() or begun.read_text().count("\n") < painter.AT_ONCE:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    assert begun.read_text().count("\n") == painter.AT_ONCE
    assert [task.result() for task in wanted if task.done()] == [None] * (30 - painter.AT_ONCE - 3)
    assert "Too many pictures are wanted at once" in caplog.text
    done.touch()
    drawn = await asyncio.gather(*wanted)
    assert drawn.count(b"drawn\n") == painter.AT_ONCE + 3
    assert await shared.paint(draft_of()) == b"drawn\n"


def test_drawing_has_limits_of_its_own():
    code = (
        "import resource, bot.drawing as d; d.limit(resource.RLIMIT_AS, d.MEMORY_BYTES); "
        "d.limit(resource.RLIMIT_AS, 4 * d.MEMORY_BYTES); bytearray(2 * d.MEMORY_BYTES)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MemoryError" in done.stderr


def test_the_process_that_draws_does_not_load_the_bot():
    code = "import sys, bot.drawing; print(*(name for name in sys.modules if name.partition('.')[0] == 'bot'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["bot", "bot.views", "bot.views.digest", "bot.views.digest.typeface", "bot.drawing"]


def test_the_bot_does_not_load_the_renderer():
    code = "import sys, bot.painter; sys.exit('resvg_py' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code]).returncode == 0
