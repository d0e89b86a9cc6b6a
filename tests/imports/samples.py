"""The larger samples, and ways of cutting them into files and commands, as people export a community."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
_WEEK = timedelta(weeks=1)
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)

Commands = list[list[Path]]


@dataclass(frozen=True)
class Sample:
    """A folder of exports with the people who manage its guild."""

    name: str
    guild_id: int
    managers: tuple[int, ...]

    @property
    def folder(self) -> Path:
        """Where its files are, if they are."""
        return SHARED / self.name

    def files(self) -> list[Path]:
        """Its files that can be read as JSON, in order."""
        return sorted(path for path in self.folder.glob("*.json") if path.stat().st_size)


SAMPLES = (
    Sample("forge", 1338715593307199691, (1329767395471659287, 421905984642345381, 974674265817651310)),
    Sample("mesh", 1343720936119996449, (195860800208736343, 1008123520288059042)),
)


def cut(files: Sequence[Path], folder: Path) -> Iterator[tuple[str, Commands]]:
    """Every way of cutting some files, each written to a folder of its own in `folder`."""
    documents = {path: json.loads(path.read_text(encoding="utf-8-sig")) for path in files}
    yield "by file", [[path] for path in files]
    yield "shuffled", [[path] for path in _shuffled(files)]
    weeks = _by_week(documents, _made(folder / "weeks"))
    yield "by week", [weeks[monday] for monday in sorted(weeks)]
    yield "weeks from the last to the first", [weeks[monday] for monday in sorted(weeks, reverse=True)]
    every = _shuffled([path for paths in weeks.values() for path in paths])
    yield "shuffled files of a week each", [every[start : start + 25] for start in range(0, len(every), 25)]
    halves = _in_halves(documents, _made(folder / "halves"))
    yield "in halves that overlap", [[path] for path in halves]
    yield "in shuffled halves that overlap", [[path] for path in _shuffled(halves)]


def mondays(files: Iterable[Path]) -> list[date]:
    """The weeks in which something was written."""
    found = {_monday(entry) for path in files for entry in json.loads(path.read_text(encoding="utf-8-sig"))["messages"]}
    return sorted(moment.date() for moment in found)


def _by_week(documents: Mapping[Path, dict[str, Any]], folder: Path) -> dict[datetime, list[Path]]:
    """Each week's files. The first of a channel has everything up to its end, as a first export without a date has."""
    weeks: defaultdict[datetime, list[Path]] = defaultdict(list)
    for path, document in documents.items():
        parts: defaultdict[datetime, list[dict[str, Any]]] = defaultdict(list)
        for entry in document["messages"]:
            parts[_monday(entry)].append(entry)
        if not parts:
            weeks[_EPOCH].append(path)
        for monday, entries in parts.items():
            after = None if monday == min(parts) else monday.isoformat()
            dates = {"after": after, "before": (monday + _WEEK).isoformat()}
            weeks[monday].append(_written(folder / f"{monday:%Y-%m-%d} {path.name}", document, entries, dates))
    return weeks


def _in_halves(documents: Mapping[Path, dict[str, Any]], folder: Path) -> list[Path]:
    halves = []
    for path, document in documents.items():
        entries, middle = document["messages"], len(document["messages"]) // 2
        shared = max(1, middle // 5)
        halves.append(_written(folder / f"1 {path.name}", document, entries[: middle + shared], document["dateRange"]))
        start = max(0, middle - shared)
        if middle + shared < len(entries):
            after = (_sent_at(entries[start]) - timedelta(seconds=1)).isoformat() if start else None
            dates = {"after": after, "before": None}
            halves.append(_written(folder / f"2 {path.name}", document, entries[start:], dates))
    return halves


def _written(path: Path, document: dict[str, Any], entries: Sequence[object], dates: object) -> Path:
    path.write_text(
        json.dumps({**document, "dateRange": dates, "messages": entries, "messageCount": len(entries)}),
        encoding="utf-8",
    )
    return path


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _shuffled(paths: Sequence[Path]) -> list[Path]:
    ordered = list(paths)
    Random(1).shuffle(ordered)
    return ordered


def _sent_at(entry: Mapping[str, Any]) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(entry["id"]) >> 22)


def _monday(entry: Mapping[str, Any]) -> datetime:
    moment = _sent_at(entry)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=moment.weekday())
