"""The archive over real exports: totals by a plain count, and the same however the files are ordered or cut."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.evidence import Copy
from bot.domain.message import MessageKind
from bot.exports.archive import Archive

COUNTED = ("Default", "Reply")
DATA = Path(__file__).parents[2].parent / "shared" / "data"


def sample(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the sample {name} is not beside the repository, in {folder}")
    return folder


def plain(folder: Path) -> dict[Path, dict[str, Any]]:
    return {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


@pytest.mark.parametrize("name", ["forge", "mesh", "irc/ubuntu", "irc/rust"])
def test_totals_and_links_are_those_of_a_plain_count(name: str) -> None:
    folder = sample(name)
    exports = plain(folder)
    entries = [entry for export in exports.values() for entry in export["messages"]]
    known = {entry["id"] for entry in entries}
    authors = {entry["id"]: entry["author"]["id"] for entry in entries if not entry["author"]["isBot"]}
    replies = [entry for entry in entries if entry["type"] == "Reply" and not entry["author"]["isBot"]]
    paths = [folder] if "irc" not in name else [folder / "export.json"]
    with Archive(paths) as archive:
        assert archive.broken_files == ()
        assert archive.files == len(exports)
        assert archive.messages == len(known)
        assert archive.count_members() == len(
            {authors[e["id"]] for e in entries if e["id"] in authors and e["type"] in COUNTED}
        )
        assert archive.unresolved_replies == sum(reply["reference"]["messageId"] not in known for reply in replies)
        read = [copy.message for copies in contents(archive).values() for copy in copies]
    assert {message.message_id for message in read} == set(map(int, known))
    targets = {int(entry["id"]): authors.get(entry["reference"]["messageId"]) for entry in replies}
    joined = {m.message_id: m.reply_to_author_id for m in read if m.kind is MessageKind.REPLY}
    assert joined == {reply: target and int(target) for reply, target in targets.items()}


@pytest.mark.parametrize("name", ["forge", "mesh"])
def test_reversed_files_give_identical_messages(name: str) -> None:
    paths = sorted(sample(name).glob("*.json"))
    with Archive(paths) as one, Archive(paths[::-1]) as other:
        assert one.unresolved_replies == other.unresolved_replies
        found = contents(one)
        assert found == contents(other)
        assert one.channels() == other.channels()
    assert len(found) > len(paths) / 2


def contents(archive: Archive) -> dict[int, list[Copy]]:
    return {
        channel.place.channel_id: [
            copy for piece in archive.pieces(channel.place.channel_id) for copy, _ in piece.copies()
        ]
        for channel in archive.channels()
    }


def test_a_file_in_three_parts_gives_the_same_messages(tmp_path: Path) -> None:
    exports = plain(sample("forge"))
    path, export = max(exports.items(), key=lambda item: len(item[1]["messages"]))
    third = len(export["messages"]) // 3
    parts = []
    for number, bounds in enumerate([(2 * third, None), (0, third), (third, 2 * third)]):
        part = tmp_path / f"part {number}.json"
        part.write_text(json.dumps(export | {"messages": export["messages"][slice(*bounds)]}), encoding="utf-8")
        parts.append(part)
    with Archive([path]) as whole, Archive(parts) as cut, Archive([*parts, path]) as both:
        assert contents(cut) == contents(both) == contents(whole)
        assert len(next(iter(contents(whole).values()))) > 300
