"""The command line: how every command ends, and the commands `init` and `check`."""

import errno
import importlib.util
import json
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Annotated, NamedTuple

import pytest
import typer

from bot import __version__
from bot.cli import backfill, main
from bot.cli.commands import COMMANDS, CommandEntry
from bot.cli.failure import Failure
from bot.cli.init import example
from bot.cli.options import ConfigOption, DatabaseOption, settings_of
from bot.config import Settings, load
from bot.domain.history_job import HistoryJob, JobKind, LeftOut
from bot.domain.snowflake import EPOCH
from bot.services.record.job_progress import JobProgress

ROOT = Path(__file__).parents[2]
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789_-"  # made up
NO_TOKEN = (
    "spade: SPADE_TOKEN is not set; put the bot's token into that environment variable "
    "(Discord Developer Portal, your application, Bot, Reset Token)\n"
)


class Ended(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory and environment; the log is put back afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPADE_TOKEN", raising=False)
    monkeypatch.delenv("SPADE_DATABASE_URL", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield tmp_path
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ended:
        status = main.exit_status(arguments)
        return Ended(status, *capsys.readouterr())

    return run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., object]], None]:
    """Adds a command named `try` for the length of a test."""
    monkeypatch.setattr(main.app, "registered_commands", main.app.registered_commands[:])

    def add(function: Callable[..., object]) -> None:
        main.app.command("try")(function)
        monkeypatch.setitem(COMMANDS, "try", CommandEntry("main", "try_out", "Try."))
        monkeypatch.setattr(main, "try_out", function, raising=False)

    return add


# How commands end


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"spade {__version__}\n", "")


def test_help_is_what_one_gets_for_nothing(run: Run) -> None:
    for arguments in ((), ("--help",), ("-h",)):
        ended = run(*arguments)
        assert ended.status == 0
        assert ended.err == ""
        for name in ("init", "check"):
            assert f"\n  {name} " in ended.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["chekc"], "No such command 'chekc'. Did you mean 'check'? (see spade --help)"),
        (
            ["check", "--databse", "x"],
            "No such option: --databse (Possible options: --database) (see spade check --help)",
        ),
        (["check", "x"], "Got unexpected extra argument(s) (x) (see spade check --help)"),
        (["check", "--config"], "Option '--config' requires an argument"),
        *(
            (
                [*command, "--guild", number],
                f"Invalid value for '--guild': {number} is no id of Discord's (see spade {command[0]} --help)",
            )
            for command in (["digest", "--week", "2026-03-02"], ["export"])
            for number in ("0", "-5", "99999999999999999999")
        ),
        (
            ["import", "x.json", "--manager", "7", "--manager", "99999999999999999999"],
            "Invalid value for '--manager': 99999999999999999999 is no id of Discord's (see spade import --help)",
        ),
        *(
            (
                ["digest", "--guild", "1", "--week", week],
                f"{week!r} is outside the years that Discord's ids can name: 2015 to 2150",
            )
            for week in ("0001-01-01", "9999-12-27")
        ),
        (
            ["check", "--database", "mysql://u:s3cret@h/d"],
            (
                "Invalid value for '--database': Spade keeps its record in SQLite or PostgreSQL, not mysql; "
                "write sqlite:///spade.db or postgresql://user@host/name (see spade check --help)"
            ),
        ),
        (
            ["check", "--database", "spade.db"],
            (
                "Invalid value for '--database': spade.db is a path, not a URL; write sqlite:///spade.db "
                "(see spade check --help)"
            ),
        ),
    ],
)
def test_wrong_use(run: Run, arguments: list[str], sentence: str) -> None:
    assert run(*arguments) == (2, "", f"spade: {sentence}\n")


@pytest.mark.parametrize("status", [1, 2])
def test_a_failure_is_a_sentence(run: Run, command: Callable[..., None], status: int) -> None:
    @command
    def _fail() -> None:
        raise Failure("it rains on https://u:s3cret@h/", status=status)

    assert run("try") == (status, "", "spade: it rains on https://u:***@h/\n")


def test_each_line_of_a_failure_is_marked(run: Run, command: Callable[..., None]) -> None:
    @command
    def _fail() -> None:
        raise Failure("one\ntwo")

    assert run("try") == (1, "", "spade: one\nspade: two\n")


@pytest.mark.parametrize(("outcome", "status"), [(None, 0), ("text", 0)])
def test_a_command_that_returns_is_done(run: Run, command: Callable[..., None], outcome: object, status: int) -> None:
    command(lambda: outcome)
    assert run("try") == (status, "", "")


def test_a_command_can_name_its_status(run: Run, command: Callable[..., None]) -> None:
    @command
    def _exit() -> None:
        raise typer.Exit(1)

    assert run("try") == (1, "", "")


def test_interrupted(run: Run, command: Callable[..., None]) -> None:
    @command
    def _interrupted() -> None:
        raise KeyboardInterrupt

    assert run("try") == (130, "", "spade: stopped\n")


def test_a_full_disk_is_no_fault_of_spade(run: Run, command: Callable[..., None]) -> None:
    @command
    def _write() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert run("try") == (1, "", "spade: the disk is full, so not all that there is to say was written\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_at_the_end_too() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "bot", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (
        1,
        "spade: the disk is full, so not all that there is to say was written\n",
    )


def test_a_question_answered_with_no(run: Run, command: Callable[..., None]) -> None:
    @command
    def _ask() -> None:
        raise typer.Abort

    assert run("try") == (1, "", "spade: stopped\n")


def test_a_fault_leaves_its_trace_in_the_log(run: Run, command: Callable[..., None]) -> None:
    @command
    def _break() -> None:
        raise KeyError(TOKEN)

    status, out, err = run("try")
    assert (status, out) == (1, "")
    lines = err.splitlines()
    assert "CRITICAL bot.cli.main: A fault in Spade" in lines[0]
    assert lines[-2] == "KeyError: '***'"
    assert lines[-1] == "spade: this is a fault in Spade (KeyError); please report the lines above"


def test_settings_of_a_command(run: Run, command: Callable[..., None]) -> None:
    """The options override the file, and the log follows the file."""
    Path("other.yaml").write_text("database: sqlite:///file.db\nlog: {format: json}\n", encoding="utf-8")
    seen: list[Settings] = []

    @command
    def _look(config: ConfigOption = None, database: DatabaseOption = None) -> None:
        seen.append(settings_of(config, database))
        logging.getLogger("bot").warning("here")

    assert run("try").status == 0
    assert json.loads(run("try", "--config", "other.yaml").err)["message"] == "here"
    run("try", "--config", "other.yaml", "--database", "postgres://h/d")
    assert [settings.database for settings in seen] == ["sqlite:///spade.db", "sqlite:///file.db", "postgresql://h/d"]


def test_options_of_a_command_are_not_lost_on_annotations(run: Run, command: Callable[..., None]) -> None:
    @command
    def _count(number: Annotated[int, typer.Option("--number")]) -> None:
        print(number)

    assert run("try", "--number", "3").out == "3\n"
    assert run("try").err == "spade: Missing option '--number' (see spade try --help)\n"
    assert run("try", "--number", "x").status == 2


# The process


def process(*arguments: str, **environment: str) -> Ended:
    ended = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=60,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def test_as_a_process() -> None:
    assert process("--version") == (0, f"spade {__version__}\n", "")
    assert process("check", "--config", "nope.yaml") == (
        1,
        "",
        "spade: nope.yaml does not exist; `spade init --config nope.yaml` writes one\n",
    )
    assert process("nope").status == 2


def test_a_terminal_that_cannot_show_a_character(folder: Path) -> None:
    (folder / "é").mkdir()
    ended = process("check", "--database", "sqlite:///é/ü.db", PYTHONIOENCODING="ascii", SPADE_TOKEN=TOKEN)
    assert ended.status == 0
    assert r"\xe9/\xfc.db" in ended.out


def test_a_reader_that_leaves() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        ended = subprocess.run(
            [sys.executable, "-m", "bot", "--help"],
            stdout=nobody,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=60,
        )
    assert ended.stderr == b""


# init


def test_init_writes_the_example(run: Run) -> None:
    ended = run("init")
    assert ended.status == 0
    assert ended.err == ""
    assert ended.out.startswith("Wrote config.yaml.")
    for step in ("SPADE_TOKEN", "  3. spade check ", "  4. spade run ", "/setup"):
        assert step in ended.out
    assert Path("config.yaml").read_text(encoding="utf-8") == (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    assert stat.S_IMODE(Path("config.yaml").stat().st_mode) == 0o600
    assert load(environment={}) == Settings()


def test_init_elsewhere(run: Run) -> None:
    ended = run("init", "--config", "other.yaml")
    assert ended.status == 0
    assert "spade check --config other.yaml " in ended.out
    assert Path("other.yaml").exists()
    assert not Path("config.yaml").exists()


def test_init_writes_over_nothing_unless_forced(run: Run, folder: Path) -> None:
    Path("config.yaml").write_text("log: {level: debug}\n", encoding="utf-8")
    Path("config.yaml").chmod(0o644)
    assert run("init") == (1, "", "spade: config.yaml is already there; --force writes over it\n")
    assert load(environment={}).log.level == "debug"
    assert run("init", "--force").status == 0
    assert load(environment={}) == Settings()
    assert stat.S_IMODE(Path("config.yaml").stat().st_mode) == 0o600
    assert list(folder.iterdir()) == [folder / "config.yaml"]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_init_where_it_cannot_write(run: Run, folder: Path, force: tuple[str, ...]) -> None:
    (folder / "config.yaml").mkdir()
    assert run("init", *force) == (1, "", "spade: config.yaml cannot be written: it is a folder; name a file\n")
    assert run("init", "--config", "no/config.yaml", *force) == (
        1,
        "",
        "spade: no/config.yaml cannot be written: the folder no does not exist; make it first\n",
    )


def test_an_import_of_nothing_usable_says_what_is_wrong_and_no_figures(run: Run, folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "letter.json").write_text("Dear Mia")
    assert run("import", "empty", "letter.json", "gone.json") == (
        1,
        "",
        (
            "spade: left out empty: There are no .json files in this folder: choose JSON as the format of the export.\n"
            "spade: left out letter.json: The file is not valid JSON.\n"
            "spade: left out gone.json: There is no such file or folder.\n"
        ),
    )


def test_an_import_takes_one_server_of_several(run: Run, folder: Path) -> None:
    (folder / "all").mkdir()
    for name, guild in (("a", 5), ("b", 6), ("c", 6)):
        content = {"guild": {"id": f"{guild}"}, "channel": {"id": f"{guild}"}, "messages": []}
        (folder / f"all/{name}.json").write_text(json.dumps(content), encoding="utf-8")
    several = (
        "spade: The files are from 2 servers: 5 (1 file), 6 (2 files). Import one at a time: name it with --guild\n"
    )
    assert run("import", "all", "--json") == (2, "", several)
    assert not (folder / "spade.db").exists()
    left_out = "spade: left out all/b.json and 1 more: of the server 6\n"
    ended = run("import", "all", "--guild", "5", "--json")
    assert (ended.status, json.loads(ended.out)["guild_id"]) == (0, "5")
    assert ended.err.endswith(left_out)
    strange = "spade: None of the files is from the server 7; they are from 5 (1 file), 6 (2 files).\n"
    assert run("import", "all", "--guild", "7", "--json") == (1, "", strange)


def test_the_example_is_found_in_a_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extract("bot/config.example.yaml", folder)
    (folder / "bot" / "config.example.yaml").write_text("# of the wheel\n", encoding="utf-8")
    monkeypatch.setattr(resources, "files", lambda package: folder / "bot")
    assert example() == "# of the wheel\n"


# check


def test_check_when_all_is_well(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPADE_TOKEN", TOKEN)
    assert run("check") == (
        0,
        (
            "configuration  none: what is not told here has its default\n"
            "token          SPADE_TOKEN is set and has the shape of a token\n"
            f"database       {folder}/spade.db (will be made at the first start)\n"
        ),
        "",
    )
    assert list(folder.iterdir()) == []


def test_check_says_what_is_set(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPADE_TOKEN", TOKEN)
    Path("config.yaml").write_text(
        "rules: {nudge: {snooze_days: 7}, verdict_weeks: 2}\nlog: {level: warning}\n", encoding="utf-8"
    )
    assert run("migrate").status == 0
    size = Path("spade.db").stat().st_size
    assert run("check") == (
        0,
        (
            f"configuration  {folder}/config.yaml\n"
            "               log.level: warning\n"
            "               rules.verdict_weeks: 2\n"
            "               rules.nudge.snooze_days: 7\n"
            "token          SPADE_TOKEN is set and has the shape of a token\n"
            f"database       {folder}/spade.db ({size:,} bytes)\n"
        ),
        "",
    )


def test_check_compares_what_is_kept_of_past_weeks(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPADE_TOKEN", TOKEN)
    assert run("migrate").status == 0
    assert run("check", "--deep").out.endswith("past weeks     0 sums are kept, and all are what their facts come to\n")
    with closing(sqlite3.connect("spade.db")) as connection:
        connection.execute("INSERT INTO summary VALUES (1, '{\"format\":0,\"rules\":\"\"}', '2026-01-04', 0, 0, '{}')")
        connection.execute("DROP TRIGGER touch_added")
        connection.commit()
    ended = run("check", "--deep")
    assert (ended.status, ended.err) == (
        1,
        (
            "spade: the trigger touch_added is missing, so a change of facts can go unnoticed; "
            "restore a backup that has it\n"
        ),
    )
    ended = run("check", "--rebuild")
    assert ended.status == 0
    assert "past weeks     1 sums were dropped; they are worked out again when they are needed\n" in ended.out


def test_check_with_a_wrong_configuration(run: Run) -> None:
    Path("config.yaml").write_text("log:\n  levle: info\n", encoding="utf-8")
    assert run("check") == (1, "", "spade: config.yaml, line 2: there is no key log.levle; did you mean log.level?\n")


def test_check_without_a_token(run: Run, folder: Path) -> None:
    ended = run("check")
    assert ended.status == 1
    assert ended.err == NO_TOKEN
    assert f"database       {folder}/spade.db" in ended.out


def test_check_tells_of_all_that_is_missing(run: Run, folder: Path) -> None:
    ended = run("check", "--database", "sqlite:///no/spade.db")
    assert ended.status == 1
    assert ended.err == NO_TOKEN + (
        f"spade: the folder {folder}/no for the database does not exist; make it: mkdir -p {folder}/no\n"
    )


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (f"Bot {TOKEN}", "SPADE_TOKEN begins with the word Bot; give it the token alone"),
        (f'"{TOKEN}"', "SPADE_TOKEN has quotes around the token; give it without them"),
        *(
            (
                wrong,
                (
                    "SPADE_TOKEN does not have the shape of a bot token, three parts joined by dots; copy it from the "
                    "page Bot of your application (the application id, the public key and the client secret are "
                    "something else)"
                ),
            )
            for wrong in ("1329767395471659287", "?!", TOKEN[:-20])
        ),
    ],
)
def test_check_of_the_token(run: Run, monkeypatch: pytest.MonkeyPatch, token: str, sentence: str) -> None:
    monkeypatch.setenv("SPADE_TOKEN", token)
    ended = run("check")
    assert ended.status == 1
    assert ended.err == f"spade: {sentence}\n"
    assert token not in ended.out + ended.err


def test_check_of_the_database_file(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPADE_TOKEN", TOKEN)
    Path("folder.db").mkdir()
    Path("text.db").write_text("not a database at all", encoding="utf-8")
    Path("empty.db").touch()
    assert run("check", "--database", "sqlite:///empty.db").status == 0
    assert run("check", "--database", "sqlite:///folder.db").err == (
        f"spade: the database {folder}/folder.db is not a file; name another one\n"
    )
    assert run("check", "--database", "sqlite:///text.db").err == (
        f"spade: {folder}/text.db is not a SQLite database; name another file, or restore a backup\n"
    )
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder / "empty.db")
    assert run("check", "--database", "sqlite:///empty.db").err == (
        f"spade: the database {folder}/empty.db cannot be read and written by this user; change its owner or mode\n"
    )
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert run("check", "--database", "sqlite:///empty.db").err == (
        f"spade: the folder {folder} is not writable; SQLite keeps files beside the database and must write there\n"
    )


def test_check_of_postgresql(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPADE_TOKEN", TOKEN)
    monkeypatch.setenv("SPADE_DATABASE_URL", "postgresql://spade:s3cret@db/spade")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    ended = run("check")
    assert ended.status == 0
    assert "database       postgresql://spade:***@db/spade (not asked: that would need the network)" in ended.out
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run("check").err == "spade: for PostgreSQL the package asyncpg is missing; install spade[postgres]\n"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_check_warns_of_a_password_others_can_read(run: Run, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    monkeypatch.setenv("SPADE_TOKEN", TOKEN)
    Path("config.yaml").write_text("database: postgresql://u:s3cret@h/d\n", encoding="utf-8")
    Path("config.yaml").chmod(mode)
    ended = run("check")
    assert "s3cret" not in ended.out
    assert "database: postgresql://u:***@h/d" in ended.out
    assert ("others can read the password" in ended.out) == (mode == 0o644)
    assert "others can read" not in run("check", "--database", "postgresql://h/d").out


@pytest.mark.parametrize(("finished", "left_out", "status"), [(True, False, 0), (False, True, 1), (False, False, 1)])
def test_a_backfill_that_has_something_left_to_read_has_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch, finished: bool, left_out: bool, status: int
) -> None:
    """Where a channel cannot be read, or the server went out of sight."""
    job = HistoryJob(1, 7, JobKind.BACKFILL, EPOCH, None, EPOCH)
    ended = JobProgress(job, 2, 1, 5, running=False, finished=finished)
    if left_out:
        ended = replace(ended, left_out={LeftOut.FORBIDDEN: (20,)})

    async def read(*_arguments: object) -> JobProgress:
        return ended

    monkeypatch.setenv("SPADE_TOKEN", TOKEN)
    monkeypatch.setattr(backfill, "_run", read)
    told = run("backfill", "--guild", "7", "--since", "2026-03-01")
    assert (told.status, told.out.startswith("Done")) == (status, finished)
