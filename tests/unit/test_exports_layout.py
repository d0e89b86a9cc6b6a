"""The fast reader of exports gives exactly what the general one gives, or leaves the file to it."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.exports.archive import Archive
from bot.exports.error import ExportError
from bot.exports.export_file import ExportFile
from bot.exports.layout import LayoutError
from bot.store.staged_piece import StagedMessage, staged
from tests.unit.test_exports import ANN, BEN, BOT, FIRST, GUILD, entry, export, oldest_version, user, written

SHARED = Path(__file__).resolve().parents[3] / "shared"
MUTATIONS = 400


def fast(path: Path) -> list[StagedMessage] | None:
    """What the fast reader gives; None if it leaves the file to the general one."""
    try:
        return [message for some in ExportFile(path).laid_out_messages() for message in some]
    except (LayoutError, ExportError):
        return None


def general(path: Path) -> list[StagedMessage] | str:
    """What the general reader gives, or its sentence."""
    try:
        return [staged(message) for message in ExportFile(path).messages()]
    except ExportError as error:
        return str(error)


ANYTHING = tuple(range(14))
USUAL = (0, 1, 8, 9, 13)
"""Without the messages that need all of their fields."""


def document(random: Random, count: int, kinds: Sequence[int] = ANYTHING) -> dict[str, Any]:
    """An export with everything in it that a message can have."""
    entries = []
    for number in range(count):
        one = entry(number, random.choice((ANN, BEN)), timestampEdited=None, isPinned=False)
        one["author"] |= {"nickname": "Zoë 🙂", "color": None, "roles": [{"id": "9", "name": "R", "position": 3}]}
        choice = random.choice(kinds)
        target = str(FIRST + random.randrange(-2, number + 1))
        if choice < 4:
            one |= {"type": "Reply", "reference": {"type": "Default", "messageId": target, "channelId": "1"}}
            one["mentions"] = [user(BEN), user(BEN), user(BOT, isBot=random.random() < 0.5)][: random.randrange(4)]
        elif choice == 4:
            one |= {"type": random.choice(("GuildMemberJoin", "21", "20", "24", "37", "AutoModerationAction", 7, None))}
        elif choice == 5:
            one |= {"content": random.choice(("@everyone", 'a "quote" \\ @here', "<@&55>", "é @", "", None))}
        elif choice == 6:
            one |= {"content": "", "reference": {"messageId": target}}
        elif choice == 7:
            one |= {"reference": {"type": "Forward"}, "forwardedMessage": {"content": "x"}}
        elif choice == 8:
            one["reactions"] = [{"emoji": {"id": "", "name": "👍"}, "count": 12, "users": [user(ANN)]}]
            one["attachments"] = [{"id": "5", "url": "https://example.invalid/a.png", "fileSizeBytes": 123456}]
        elif choice == 10:
            one |= {"type": "Reply", "reference": {"type": random.choice(("Forward", "1")), "messageId": target}}
        elif choice == 11:
            one |= {"forwardedMessage": random.choice(({}, None))}
        elif choice == 9:
            one["author"] = user(BOT, isBot=True)
        entries.append(one)
    return export(*entries)


def laid_out(content: object, *, escaped: bool = False, new_line: bytes = b"\n") -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=escaped).encode().replace(b"\n", new_line)


@pytest.mark.parametrize("new_line", [b"\n", b"\r\n"])
@pytest.mark.parametrize("escaped", [False, True])
def test_what_the_tool_writes_is_read_fast(tmp_path: Path, new_line: bytes, *, escaped: bool) -> None:
    """Small files, and such that are read in several pieces, cut at any place."""
    for count in (1, 2, 40, 700):
        path = written(tmp_path, laid_out(document(Random(count), count), escaped=escaped, new_line=new_line))
        found = fast(path)
        assert found == general(path)
        assert len(found) == count


@pytest.mark.parametrize("kind", ANYTHING)
def test_messages_of_one_kind_are_read_fast(tmp_path: Path, kind: int) -> None:
    path = written(tmp_path, laid_out(document(Random(kind), 30, (kind,))))
    assert fast(path) == general(path)


def test_an_import_reads_fast_what_is_laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, laid_out(document(Random(3), 50)))
    monkeypatch.delattr(ExportFile, "messages")
    told: list[int] = []
    with Archive([path], lambda done, _: told.append(done)) as archive:
        assert (archive.files, archive.messages, archive.guild_id) == (1, 50, GUILD)
    assert told == sorted(told)


def test_what_surprises_in_the_middle_is_read_anew_from_the_start(tmp_path: Path) -> None:
    """Nothing is staged twice or lost, and progress never goes back."""
    lines = laid_out(document(Random(4), 900)).split(b"\n")
    path = written(tmp_path, b"\n".join([*lines[:-30], b" " + lines[-30], *lines[-29:]]).replace(b"    }\n  ]", b"}]"))
    assert fast(path) is None
    told: list[int] = []
    with Archive([path], lambda done, _: told.append(done)) as archive:
        assert (archive.messages, archive.broken_files) == (900, ())
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"count": 12', b'"count": 1' + b"0" * 18),
        (b'"count": 12', b'"count": 9223372036854775808'),
        (b'"count": 12', b'"count": -' + b"9" * 400),
        (b'"count": 12', b'"count": 1e999'),
        (b'"count": 12', b'"count": 1.5E+400'),
        (b'"name": "n"', b'"name": ' + b"[" * 99 + b"]" * 99),
        (b'"position": 3', b'"position": ' + b"[" * 92 + b"]" * 92),
        (b'"position": 3', b'"position": ' + b"[" * 95 + b"]" * 95),
        (b'"position": 3', b'"position": ' + b"[" * 120 + b"]" * 120),
        (b'"position": 3', b'"position": ' + b"[" * 5000 + b"]" * 5000),
        ("Zoë".encode(), b"Zo\xeb"),
        ("Zoë".encode(), b"Zo\xed\xa0\x80"),
        ("Zoë".encode(), b"Zo\\ud800"),
        ("Zoë".encode(), b"Zo\\udc00\\ud800"),
        ("Zoë".encode(), b"Zo\\ud83d\\ude42"),
        ("Zoë".encode(), b"Zo\\u0000"),
        ("Zoë".encode(), b"Zo\n"),
        (b'"timestampEdited": null', b'"timestampEdited": nul'),
        (b'"timestampEdited": null', b'"id": "900000000000000077"'),
        (b'"timestampEdited": null', b'"author": {"id": "100000000000000009"}'),
        (b'"timestampEdited": null', b'"author": null'),
        (b'"timestampEdited": null', b'"\\u0069d": "900000000000000077"'),
        (b'"timestampEdited": null', b'"id": "' + b"0" * 5 + b'900000000000000077"'),
        (b'"timestampEdited": null', b'"id": "0900000000000000077"'),
        (b'"timestampEdited": null', b'"id": "9223372036854775808"'),
        (b'"timestampEdited": null', '"id": "٩"'.encode()),
        (b'"timestampEdited": null', b'"id": "9_9"'),
        (b'"timestampEdited": null', b'"id": " 99"'),
        (b'"timestampEdited": null', b'"id": ""'),
        (b'"timestampEdited": null', b'"id": 900000000000000077'),
        (b'"timestampEdited": null', b'"type": 19'),
        (b'"timestampEdited": null', b'"mentions": ""'),
        (b'"timestampEdited": null', b'"mentions": {"id": 5}'),
        (b'"timestampEdited": null', b'"reference": {"messageId": 5, "type": 0}'),
        (b'"timestampEdited": null', b'"forwardedMessage": null'),
        (b'"timestampEdited": null', b'"content": "\\u0040everyone"'),
        (b'"isBot": false', b'"isBot": "true"'),
        (b'"isBot": false', b'"isBot": 1'),
        (b'"isBot": false', b'"isBot": null'),
        (b'"messageCount"', b'"messages": [{"id": "5"}], "messageCount"'),
        (b'"messageCount"', b'"messageCount": 1, "other"'),
        (b'"exportedAt"', b'"messages": [{"id": "5", "author": {"id": "6"}}], "exportedAt"'),
        (b'"exportedAt"', b'"exportedAt": 1e999, "at"'),
        (b'"guild": {', b'"guild": {"messages": [], '),
        (b'"guild": {', b'"guild": {"deep": ' + b"[" * 300 + b"]" * 300 + b", "),
        (b"\n    },\n    {\n", b"\n    },\n    ,{\n"),
        (b"\n    },\n    {\n", b"\n    },,\n    {\n"),
        (b"\n    },\n    {\n", b"\n    },\n    {\n    },\n    {\n"),
        (b"\n    },\n    {\n", b"\n    },\n    5,\n    {\n"),
        (b"\n    },\n    {\n", b"\n    }, {}, \n    {\n"),
        (b"\n  ],", b"\n  ,],"),
        (b"\n  ],", b"\n  ],,"),
        (b"\n  ],", b",\n  ],"),
        (b"\n  ],", b'\n  ], "more": [\n    {\n    }\n  ],'),
    ],
)  # fmt: skip
def test_odd_files_are_judged_alike(tmp_path: Path, old: bytes, new: bytes) -> None:
    """Facts if the general reader has facts; if it refuses the file, it is left to it to say why."""
    for kinds in (ANYTHING, USUAL):
        whole = laid_out(document(Random(2), 60, kinds))
        assert old in whole
        for content in (whole.replace(old, new), whole.replace(old, new, 1)):
            path = written(tmp_path, content)
            found = fast(path)
            assert found is None or found == general(path)


ROUGH = (b'"', b"\\", b"{", b"}", b",", b"\xff", b"\\ud800", b"0", b"\n", b"\r")
VALUES = (b"9" * 30, b"[[]]", b"1e5", b"1e500", b"{}")


def mutated(random: Random, content: bytes) -> bytes:
    place = random.randrange(len(content))
    lines = content.split(b"\n")
    line = random.randrange(len(lines))
    choices: list[Callable[[], bytes]] = [
        lambda: content[:place],
        lambda: content[place:],
        lambda: content[:place] + bytes([random.randrange(256)]) + content[place + 1 :],
        lambda: content[:place] + bytes([content[place] ^ 1 << random.randrange(8)]) + content[place + 1 :],
        lambda: content[:place] + content[place + random.randrange(1, 40) :],
        lambda: content[:place] + random.choice(ROUGH) + content[place:],
        lambda: b"\n".join(lines[:line] + lines[line + 1 :]),
        lambda: b"\n".join([*lines[:line], lines[line], *lines[line:]]),
        lambda: b"\n".join([*lines[:line], b"  " + lines[line], *lines[line + 1 :]]),
        lambda: b"\n".join([*lines[:line], b'      "later": ' + random.choice(VALUES) + b",", *lines[line:]]),
        lambda: json.dumps(json.loads(content), indent=random.choice((None, 1, 4)), ensure_ascii=False).encode(),
        lambda: content.replace(b"\n", b"\r\n"),
        lambda: b"\xef\xbb\xbf" + content,
        lambda: content + random.choice((b" ", b"\n\n", b"x", b"\x0b", content)),
        lambda: content.replace(b'": "', b'": ', 1),
        lambda: content.replace(b": false", random.choice((b": 0", b": " + b"8" * 25, b": 2e400", b": []"))),
    ]  # fmt: skip
    return random.choice(choices)()


def test_random_mutations_are_judged_alike(tmp_path: Path) -> None:
    """Most of them break the file; some are read fast all the same, and others only by the general reader."""
    random, read_fast, sound = Random(7), 0, 0
    wholes = [laid_out(document(random, count, kinds)) for count in (3, 30) for kinds in (ANYTHING, USUAL)]
    old = oldest_version(*(entry(number) | {"reactions": []} for number in range(9)))
    wholes += [laid_out(old), laid_out(document(random, 20), escaped=True)]
    for _ in range(MUTATIONS):
        path = written(tmp_path, mutated(random, random.choice(wholes)))
        found, expected = fast(path), general(path)
        assert found is None or found == expected
        read_fast += found is not None
        sound += found is None and isinstance(expected, list)
    assert read_fast > MUTATIONS / 8
    assert sound > MUTATIONS / 40


def exports() -> Iterator[Path]:
    for folder in ("cases", "data"):
        yield from sorted((SHARED / folder).rglob("*.json"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the larger samples are not beside the repository")
def test_the_samples_are_read_alike(tmp_path: Path) -> None:
    """As they are, and laid out by us."""
    read_fast = 0
    for path in exports():
        found, expected = fast(path), general(path)
        assert found is None or found == expected, path
        if isinstance(expected, list) and path.stat().st_size < 400_000:
            again = written(tmp_path, laid_out(json.loads(path.read_text(encoding="utf-8-sig"))))
            found = fast(again)
            assert found == expected or not expected, path
            read_fast += found is not None
    assert read_fast
