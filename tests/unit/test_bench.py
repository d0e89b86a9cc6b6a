"""The benchmark measures every row and writes it down. How fast anything is, no test says."""

import asyncio
import json
import math
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import aiosqlite
import pytest

from tests.bench import answers, filesize, report, run
from tests.bench.client import Probe
from tests.bench.clients import Report as Cost
from tests.bench.commands import DIGEST, HELP
from tests.bench.commands import row as commands_row
from tests.bench.counting import Counts, counting
from tests.bench.demo import Played
from tests.bench.demo import row as demo_row
from tests.bench.gateway import Measured, Spans, Window
from tests.bench.gateway import rows as gateway_rows
from tests.bench.measure import Spent, process
from tests.bench.row import Figure, Of, Row, alone, at_least, at_most, beside
from tests.bench.sizes import FULL, QUICK, TINY, Sizes

WITH_OTHER_PROGRAMS = {"demo", "gateway", "import", "commands"}
"""They start bots and sandboxes, which takes seconds: their rows are made of samples here."""


def cost(**changed: float) -> Cost:
    numbers = {"cpu": 1.0, "resident": 50e6, "peak": 60e6, "threads": 2, "stalls": 0, "worst": 0.001, "messages": 0}
    return Cost(**numbers | changed)


def of_samples(name: str, sizes: Sizes) -> tuple[Row, ...]:
    match name:
        case "demo":
            return (demo_row(Played(9.0, 10, 24, Counts(3, 2, 1)), Played(1.0, 10, 0), Played(2.0, 10, 0), sizes),)
        case "gateway":
            window = Window(10.0, (cost(), cost(cpu=2.0, stalls=5)), (cost(), cost(cpu=1.5, stalls=3, worst=0.03)))
            found = Measured(
                starts=[(4.0, 2.0)],
                idle=(cost(resident=110e6), cost()),
                hundred=[window],
                two_hundred=[window],
                latencies=[1.0, 1.2, 3.0],
                floods=[(500.0, 4000.0), (1000.0, 4000.0)],
                memory=(200.0, 100.0),
            )
            return gateway_rows(found, sizes)
        case "commands":
            pairs = [(Spent(1.0, 0.8, 80_000_000), Spent(0.1, 0.05, 10_000_000))]
            return (commands_row({HELP: pairs, DIGEST: pairs}),)
        case _:
            return (Row("import", why="msgspec is not installed"),)


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> tuple[Row, ...]:
    found: list[Row] = []
    with pytest.MonkeyPatch.context() as patch:
        for module in (answers, filesize):  # a process of its own is for the memory and the caches
            patch.setattr(module, "apart", lambda work: work())
        for name, measure in run.ROWS.items():
            samples = name in WITH_OTHER_PROGRAMS
            made = of_samples(name, TINY) if samples else measure(TINY, tmp_path_factory.mktemp(name))
            found += made if isinstance(made, tuple) else (made,)
    return tuple(found)


def test_every_row_of_the_table_is_measured_beside_its_yardstick(rows: tuple[Row, ...]) -> None:
    assert [row.name.partition(",")[0] for row in rows] == [
        "one SQL statement",
        "demo",
        "intake at full flood",
        "200 messages a second",
        "running bot",
        "idle tick",
        "figures (50 members",
        "pages and files of the same record",
        "growth of the record a hundredfold",
        "import",
        "database bytes per message",
        "commands",
    ]
    for row in rows:
        assert row.figures or row.why
        for figure in row.figures:
            assert math.isfinite(figure.measured)
            assert (figure.beside is None) == (figure.ratio is None) == (not figure.yardstick)
            assert figure.ratio is None or math.isfinite(figure.ratio)


def test_the_ratio_is_the_median_of_the_pairs_ratios() -> None:
    figure = beside("work", "s", "other", [(1.0, 1.0), (8.0, 2.0), (3.0, 1.0)])
    assert (figure.measured, figure.beside, figure.ratio, figure.more) == (3.0, 1.0, 3.0, 2.0)


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (at_most(6.0), True),
        (at_most(5.9), False),
        (at_least(6.0), True),
        (at_most(3.0, Of.RATIO), True),
        (at_most(2.9, Of.RATIO), False),
        (at_most(3.9, Of.MORE), False),
        (None, None),
    ],
)
def test_a_goal_is_about_the_figure_its_ratio_or_the_difference(goal, met) -> None:
    assert beside("work", "s", "other", [(6.0, 2.0)], goal).met is met


def test_a_flood_is_judged_by_the_median_of_its_ratios() -> None:
    flood = gateway_figure("messages recorded")
    assert (flood.ratio, flood.met) == (0.1875, False)
    assert gateway_figure("CPU", of="200").more == pytest.approx(5.0)
    assert gateway_figure("stalls over 25 ms").more == pytest.approx(12.0)


def gateway_figure(what: str, of: str = "") -> Figure:
    return next(
        figure
        for row in of_samples("gateway", FULL)
        for figure in row.figures
        if figure.what == what and row.name.startswith(of)
    )


def found(rows: tuple[Row, ...], commit: str, *, full: bool = True) -> report.Report:
    return report.Report(commit, "2026-03-06", "2 cores", 12.0, full, rows)


def test_the_history_has_a_line_for_each_commit(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    for commit, measured in (("aaa", 1.0), ("bbb", 2.0), ("aaa", 3.0)):
        row = Row("row", (alone("work", "s", [measured], at_most(2.5)),))
        report.save(found((row,), commit), tmp_path, page)
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["commit"], line["figures"]["row: work"]["measured"]) for line in lines] == [
        ("bbb", 2.0),
        ("aaa", 3.0),
    ]
    latest = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert (latest["commit"], latest["rows"][0]["figures"][0]["met"]) == ("aaa", False)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| 3 s" in text


def test_a_quick_run_leaves_history_and_page_alone(tmp_path: Path) -> None:
    report.save(found((Row("row", why="not today"),), "aaa", full=False), tmp_path, tmp_path / "none.md")
    assert [path.name for path in tmp_path.iterdir()] == ["latest.json"]


def test_every_row_is_in_the_table_and_in_the_json(rows: tuple[Row, ...], tmp_path: Path) -> None:
    text = report.table(rows)
    widths = {len(line) for line in text.splitlines()}
    assert len(widths) == 1
    assert "not measured: msgspec is not installed" in text
    assert all(row.name in text for row in rows)
    report.save(found(rows, "aaa", full=False), tmp_path)
    assert len(json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))["rows"]) == len(rows)


def test_the_last_line_says_what_came_of_it(rows: tuple[Row, ...]) -> None:
    row = Row(
        "row", (alone("a", "s", [1.0], at_most(2.0)), alone("b", "s", [3.0], at_most(2.0)), alone("c", "", [1.0]))
    )
    said = found((row, Row("other", why="no")), "abc").last_line()
    assert said == "bench: rows=2 figures=3 goals=2 met=1 missed=1 unmeasured=1 seconds=12 commit=abc"


def test_a_row_that_fails_says_why(monkeypatch) -> None:
    monkeypatch.setattr(run, "apart", lambda work: work())
    rows = run.measured(TINY, {"broken": _broken})
    assert [(row.name, row.figures, row.why) for row in rows] == [("broken", (), "ValueError: no such thing")]


def _broken(_sizes: Sizes, _folder: Path) -> Row:
    raise ValueError("no such thing")


def test_a_process_tells_what_it_cost(tmp_path: Path) -> None:
    spent = process(("-c", "bytearray(60_000_000)"), tmp_path)
    assert spent.peak > 50_000_000
    assert process(("-c", "pass"), tmp_path).peak < spent.peak - 30_000_000
    with pytest.raises(RuntimeError, match="ended with 3: so it is"):
        process(("-c", "print('so it is'); raise SystemExit(3)"), tmp_path)


async def test_what_reaches_sqlite_is_counted_from_the_outside(tmp_path: Path) -> None:
    with counting() as counter:
        async with aiosqlite.connect(tmp_path / "any.db") as database:
            await database.execute("CREATE TABLE any (number INTEGER)")
            before = counter.now()
            await database.executemany("INSERT INTO any VALUES (?)", [(1,), (2,)])
            await database.commit()
            found = counter.now() - before
    assert (found.commits, found.hops) == (1, 2)
    assert found.statements == 2  # for two rows, and COMMIT
    with closing(sqlite3.connect(tmp_path / "any.db")) as plain:
        assert plain.execute("SELECT count(*) FROM any").fetchone() == (2,)
    assert counter.now().statements == 3  # not what was asked after the block


async def test_a_client_tells_of_its_stalls_once_it_is_asked_to_look(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Probe(theirs, lambda: 7).start()

        async def asked(what: bytes) -> dict[str, float]:
            ours.send(what)
            told: dict[str, float] = json.loads(await asyncio.to_thread(ours.recv, 1000))
            return told

        time.sleep(0.1)
        told = await asked(b"!")
        assert (told["messages"], told["stalls"]) == (7, 0)
        assert told["peak"] >= told["resident"] > 10_000_000
        await asyncio.sleep(0.02)
        time.sleep(0.1)
        await asyncio.sleep(0.02)
        told = await asked(b"?")
        assert told["stalls"] >= 1
        assert told["worst"] > 0.05
        ours.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.02)


def test_messages_are_noted_when_they_are_on_record(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    with closing(sqlite3.connect(path)) as database, closing_spans(database, path) as spans:
        for message_id in (10, 20):
            spans.said(SimpleNamespace(channel_id=1, id=message_id))
        spans.look()
        assert (spans.latencies, spans.open) == ([], True)
        database.execute("INSERT INTO span VALUES (1, 1, 10), (2, 1, 99)")
        database.commit()
        spans.look()
        assert (len(spans.latencies), spans.open) == (1, True)
        database.execute("UPDATE span SET last_id = 20")
        database.commit()
        spans.look()
        assert (len(spans.latencies), spans.open) == (2, False)


@contextmanager
def closing_spans(database: sqlite3.Connection, path: Path) -> Iterator[Spans]:
    database.execute("CREATE TABLE span (channel_id INTEGER, first_id INTEGER, last_id INTEGER)")
    with closing(Spans(path)) as spans:
        yield spans


def test_a_quick_run_is_smaller_in_everything() -> None:
    assert all(getattr(QUICK, name) < getattr(FULL, name) for name in Sizes.__slots__ if name != "parts")
    assert QUICK.parts > FULL.parts
