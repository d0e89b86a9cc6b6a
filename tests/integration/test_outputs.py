"""What commands write: over nothing that is no such output, unless told, and never over a database or the config."""

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli.failure import Failure
from bot.cli.main import exit_status
from bot.cli.output import PAGE, PICTURE, Outputs
from bot.config import Settings

GUILD, MIA = 900000000000000001, 100000000000000001
Ended = tuple[int, str]
Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPADE_DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ended:
        status = exit_status(arguments)
        return status, capsys.readouterr().err

    Path("export.json").write_text(
        json.dumps({"guild": {"id": str(GUILD)}, "channel": {"id": "5"}, "messages": []}), encoding="utf-8"
    )
    assert run("import", "export.json", "--manager", str(MIA))[0] == 0
    Path("config.yaml").write_text("log: {level: error}\n", encoding="utf-8")
    return run


def outputs_of(name: str) -> list[tuple[str, ...]]:
    """Every command that writes a file, told to write it there."""
    folder = str(Path(name).parent)
    return [
        ("digest", "--guild", str(GUILD), "--week", "2026-06-01", "--html", name),
        ("backup", "--to", name),
        ("init", "--config", name),
        *([("export", "--guild", str(GUILD), "--to", folder)] if Path(name).name == "weeks.csv" else []),
    ]


def names_in(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_each_output_is_written_over_what_is_no_such_output_only_if_told(run: Run) -> None:
    for number, command in enumerate(outputs_of("out/weeks.csv")):
        Path("out").mkdir(exist_ok=True)
        target = Path("out/weeks.csv")
        target.write_text("Dear Mia", encoding="utf-8")
        status, said = run(*command)
        assert status == 1, command
        assert "already" in said
        assert "--force" in said
        assert target.read_text(encoding="utf-8") == "Dear Mia"
        assert names_in("out") == ["weeks.csv"]
        assert run(*command, "--force")[0] == 0
        first = target.read_bytes()
        assert first != b"Dear Mia"
        again = run(*command)  # over its own, but for a configuration, which may have been edited
        assert again[0] == (1 if "init" in command else 0), again
        for earlier in outputs_of("out/weeks.csv")[:number]:  # and not over one another's
            assert run(*earlier)[0] == 1
        shutil.rmtree("out")


def test_no_output_is_written_over_the_database_what_belongs_to_it_or_the_configuration(run: Run) -> None:
    Path("link").symlink_to("spade.db")
    os.link("spade.db", "hard")
    Path("twin").symlink_to("config.yaml")
    with closing(sqlite3.connect("other.db")) as connection:
        connection.execute("CREATE TABLE a (b)")
    Path("other.db-wal").touch()
    content = {name: Path(name).read_bytes() for name in ("spade.db", "config.yaml", "other.db")}
    names = (
        "spade.db",
        "./spade.db",
        str(Path("spade.db").absolute()),
        "link",
        "hard",
        "spade.db-wal",
        "spade.db.lock",
    )
    for name in (*names, "other.db", "other.db-wal", "config.yaml", "twin"):
        for command in outputs_of(name):
            for force in ((), ("--force",)):
                if command[0] == "init" and name in {"config.yaml", "twin", "spade.db-wal"}:
                    continue  # the configuration is its own output, and a file that is not there is made
                if command[0] == "backup" and force and name.startswith("other.db"):
                    continue  # a backup is a database, too
                assert run(*command, *force)[0] == 1, (command, force)
    assert {name: Path(name).read_bytes() for name in content} == content
    assert exit_status(["check"]) == 1  # without a token; the database is sound
    assert not list(Path().glob("*.part"))


def test_a_backup_is_not_written_over_a_database_that_is_no_backup(run: Run) -> None:
    assert run("backup", "--to", "copy")[0] == 0
    assert run("backup", "--to", "copy")[0] == 0
    assert run("import", "export.json", "--database", "sqlite:///second.db")[0] == 0
    for force in ((), ("--force",)):
        assert "second.db is a database that Spade writes to" in run("backup", "--to", "second.db", *force)[1]
    os.mkfifo("pipe")
    assert "pipe is no file that can be written over" in run("backup", "--to", "pipe", "--force")[1]


def test_a_digest_goes_where_a_link_leads_and_keeps_its_mode(run: Run) -> None:
    digest = outputs_of("latest.html")[0]
    Path("web").mkdir()
    Path("web/page.html").touch(0o644)  # an empty file holds nothing
    Path("latest.html").symlink_to("web/page.html")
    assert run(*digest)[0] == 0
    assert Path("latest.html").is_symlink()
    assert Path("web/page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Path("web/page.html").stat().st_mode & 0o777 == 0o644
    Path("web/page.html").chmod(0o640)
    assert run(*digest)[0] == 0
    assert Path("web/page.html").stat().st_mode & 0o777 == 0o640
    assert names_in("web") == ["page.html"]
    assert "it is a folder" in run(*outputs_of("web")[0])[1]
    assert "the folder no does not exist" in run(*outputs_of("no/x.html")[0])[1]
    Path("loop").symlink_to("loop")
    assert run(*outputs_of("loop")[0], "--force")[0] == 1


def test_tables_are_private_and_both_or_none_are_written(run: Run) -> None:
    export = ("export", "--guild", str(GUILD), "--to", "out")
    Path("out").mkdir()
    Path("out/weeks.csv").write_text("week,mine\r\n", encoding="utf-8")
    status, said = run(*export)
    assert (status, "weeks.csv is there already and is not a table of Spade's" in said) == (1, True)
    assert names_in("out") == ["weeks.csv"]
    assert run(*export, "--force")[0] == 0
    assert {Path("out", name).stat().st_mode & 0o777 for name in names_in("out")} == {0o600}
    assert run(*export)[0] == 0


def test_a_pipe_is_written_to_and_one_that_nobody_reads_does_not_hold_up(folder: Path) -> None:
    outputs = Outputs(Settings(), None, force=False)
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(Failure, match="cannot be written: No such device or address"):
        outputs.write(pipe, b"words", PAGE)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    content = b"words" * 100_000  # more than a pipe holds
    while not heard:
        try:
            outputs.write(pipe, content, PAGE)
        except Failure:
            continue  # the reader has not opened it yet
        reader.join(5)
    assert heard == [content]
    outputs.write(Path(os.devnull), content, PAGE)


def test_a_picture_is_known_by_its_maker(folder: Path) -> None:
    outputs = Outputs(Settings(), None, force=False)
    foreign = b"\x89PNG\r\n\x1a\n" + b"holiday"
    (folder / "a.png").write_bytes(foreign)
    with pytest.raises(Failure, match="is not a picture of Spade's: name another file, or add --force"):
        outputs.write(folder / "a.png", b"picture", PICTURE)
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n....tEXtSoftware\x00spade....")
    outputs.write(folder / "b.png", b"picture", PICTURE)
    assert (folder / "b.png").read_bytes() == b"picture"
    assert (folder / "a.png").read_bytes() == foreign
