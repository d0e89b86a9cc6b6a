"""What a run found, as a table, as JSON, as a line of the history, and in the documentation."""

import json
import math
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measure import ROOT
from tests.bench.row import Figure, Of, Row

BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- written by `make bench` from here -->", "<!-- to here -->"
_HEAD = ("Work", "Figure", "Measured", "Beside it", "Ratio", "Pairs", "Goal", "Met")


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: on which code, on what machine, how long it took in seconds, and its rows."""

    commit: str
    committed_at: str
    machine: str
    seconds: float
    full: bool
    rows: Sequence[Row]

    @property
    def figures(self) -> list[Figure]:
        return [figure for row in self.rows for figure in row.figures]

    def last_line(self) -> str:
        """What came of it."""
        judged = [figure.met for figure in self.figures if figure.met is not None]
        unmeasured = sum(not row.figures for row in self.rows)
        return (
            f"bench: rows={len(self.rows)} figures={len(self.figures)} goals={len(judged)} met={sum(judged)} "
            f"missed={len(judged) - sum(judged)} unmeasured={unmeasured} seconds={self.seconds:.0f} "
            f"commit={self.commit}"
        )

    def as_json(self) -> dict[str, Any]:
        """For `latest.json`."""
        return {
            "commit": self.commit,
            "committed_at": self.committed_at,
            "machine": self.machine,
            "seconds": round(self.seconds),
            "full": self.full,
            "rows": [row.as_json() for row in self.rows],
        }


def this_commit() -> tuple[str, str]:
    """The commit that is measured, with a + if files were changed since, and its date; both empty without git."""
    shown = _git("show", "--no-patch", "--format=%h %cs", "HEAD")
    commit, _, committed_at = shown.strip().partition(" ")
    changed = _git("status", "--porcelain", "--", "bot", "cogs", "tests/bench", "requirements.lock")
    return commit + ("+" if commit and changed else ""), committed_at


def _git(*arguments: str) -> str:
    asked = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout if asked.returncode == 0 else ""


def this_machine() -> str:
    """Cores, system and Python."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def lines(row: Row) -> Iterator[Sequence[str]]:
    """The cells of a row of the table, a line for each figure."""
    if not row.figures:
        yield (row.name, f"not measured: {row.why}", *[""] * 6)
    for number, figure in enumerate(row.figures):
        yield (
            "" if number else row.name,
            figure.what,
            amount(figure.measured, figure.unit),
            "" if figure.beside is None else f"{amount(figure.beside, figure.unit)} ({figure.yardstick})",
            "" if figure.ratio is None or not math.isfinite(figure.ratio) else number_text(figure.ratio),
            str(figure.pairs),
            _goal(figure),
            {None: "", True: "yes", False: "no"}[figure.met],
        )


def amount(value: float, unit: str) -> str:
    """A number with its unit."""
    return f"{number_text(value)} {unit}".strip()


def number_text(value: float) -> str:
    """Three digits, for more would say nothing."""
    if value == round(value):
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(digits, 4)}f}"


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    sign, limit = "≥" if figure.goal.at_least else "≤", figure.goal.limit
    about = {
        Of.MEASURED: f"{amount(limit, figure.unit)}",
        Of.RATIO: f"ratio {number_text(limit)}",
        Of.MORE: f"{amount(limit, figure.unit)} more",
    }
    return f"{sign} {about[figure.goal.of]}"


def table(rows: Iterable[Row]) -> str:
    """The table as Markdown, its columns in line."""
    cells = [_HEAD, *(line for row in rows for line in lines(row))]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    rule = "-|-".join("-" * width for width in widths)
    return "\n".join(f"| {line} |" for line in (padded[0], rule, *padded[1:])).replace(f"| {rule} |", f"|-{rule}-|")


def save(report: Report, benchmarks: Path = BENCHMARKS, page: Path = PAGE) -> None:
    """Write `latest.json`; of a full run also its line in the history, and the table into the page."""
    benchmarks.mkdir(exist_ok=True)
    latest = json.dumps(report.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
    (benchmarks / "latest.json").write_text(latest + "\n", encoding="utf-8")
    if report.full:
        _remember(report, benchmarks / "history.jsonl")
        _tell(report, page)


def _remember(report: Report, history: Path) -> None:
    """A line for each commit; a further run of the same commit takes the place of the one before."""
    before = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
    kept = [line for line in before if json.loads(line)["commit"] != report.commit]
    line = {
        "commit": report.commit,
        "committed_at": report.committed_at,
        "machine": report.machine,
        "figures": {
            f"{row.name}: {figure['what']}": {"measured": figure["measured"], "ratio": figure["ratio"]}
            for row in report.rows
            for figure in row.as_json()["figures"]
        },
    }
    history.write_text("\n".join([*kept, json.dumps(line, ensure_ascii=False)]) + "\n", encoding="utf-8")


def _tell(report: Report, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    told = (
        f"{BEGIN}\n\nCommit {report.commit} ({report.committed_at}), {report.machine}; {report.seconds:.0f} seconds. "
        f"`{report.last_line()}`\n\n{table(report.rows)}\n\n{END}"
    )
    changed, places = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: told, text, flags=re.DOTALL)
    if places != 1:
        raise ValueError(f"{page.name} has {places} places for the table")
    page.write_text(changed, encoding="utf-8")
