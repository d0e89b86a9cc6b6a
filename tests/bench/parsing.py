"""Importing one large export, against msgspec decoding the same bytes with the fields that an import needs.

`python -m tests.bench.parsing [--messages N] [--pairs N]` makes the export in a temporary folder, laid out as the tool
writes it, and prints the CPU time of both, interleaved, and their memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

_GUILD, _CHANNEL = 900_000_000_000_000_001, 900_000_000_000_000_007
_MANAGERS = tuple(110_000_000_000_000_000 + number for number in range(5))
_MEMBERS = tuple(220_000_000_000_000_000 + 977 * number for number in range(4000))
_BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SAID = (
    "the a build fails with this version on my machine and I do not know why does anybody see it too thanks it works "
    "now after an update of the firmware but the other node is still silent could you post your log please? "
    '\N{SLIGHTLY SMILING FACE} https://example.invalid/wiki/page#part `make flash` "quoted" na\xefve'
)
_WORDS = tuple(_SAID.split())
_DECODE = """
import sys
from pathlib import Path
import msgspec

class Person(msgspec.Struct):
    id: str
    isBot: bool = False

class Reference(msgspec.Struct):
    messageId: str | None = None
    type: str | None = None

class Entry(msgspec.Struct):
    id: str
    author: Person
    type: str = "Default"
    content: str = ""
    mentions: list[Person] = []
    reference: Reference | None = None

class Export(msgspec.Struct):
    messages: list[Entry]

BOUNDARY = b"\\n    },\\n    {\\n"
decoder = msgspec.json.Decoder(list[Entry])
count, left = 0, b""
with Path(sys.argv[1]).open("rb") as file:
    file.readline()
    while not file.readline().startswith(b'  "messages": ['):
        pass
    while chunk := file.read(1 << 20):
        left += chunk
        end = left.rfind(BOUNDARY)
        if end >= 0:
            count += len(decoder.decode(b"[" + left[: end + 6] + b"]"))
            left = left[end + 7 :]
count += len(decoder.decode(b"[" + left[: left.rindex(b"\\n  ]")] + b"]"))
print(count)
"""
"""What it is held against: the same chunks, decoded into the same fields, and dropped."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a process used: CPU seconds of its own and of the system for it, and the most memory it had, in bytes."""

    seconds: float
    peak: int


def write_export(path: Path, messages: int, *, seed: int = 5, newline: str = "\n") -> None:
    """An export of one busy channel as DiscordChatExporter lays it out, about 930 bytes a message."""
    head = {
        "guild": {"id": str(_GUILD), "name": "A server", "iconUrl": "https://cdn.example/icons/1.png"},
        "channel": {
            "id": str(_CHANNEL),
            "type": "GuildTextChat",
            "categoryId": "900000000000000003",
            "category": "Talk",
            "name": "general",
            "topic": None,
        },
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-06-01T00:00:00+00:00",
    }
    with path.open("w", encoding="utf-8", newline=newline) as file:
        file.write(json.dumps(head, indent=2, ensure_ascii=False)[:-2])
        file.write(',\n  "messages": [')
        for number, entry in enumerate(_entries(messages, Random(seed))):
            text = json.dumps(entry, indent=2, ensure_ascii=False).replace("\n", "\n    ")
            file.write(f"{',' if number else ''}\n    {text}")
        file.write(f'\n  ],\n  "messageCount": {messages}\n}}')


def _entries(messages: int, rng: Random) -> Iterator[dict[str, object]]:
    moment, recent = _BEGAN, list[tuple[int, int]]()
    for number in range(messages):
        moment += rng.randrange(1, 120_000) * _MILLISECOND
        message_id = ((moment - _EPOCH) // _MILLISECOND << 22) + number % 4096
        author = rng.choice(_MANAGERS) if rng.random() < 0.05 else rng.choice(_MEMBERS)
        target = rng.choice(recent) if recent and rng.random() < 0.25 else None
        shown = moment.isoformat()
        named = [target[1]] if target and rng.random() < 0.7 else []
        yield {
            "id": str(message_id),
            "type": "Reply" if target else "Default",
            "timestamp": shown,
            "timestampEdited": None,
            "callEndedTimestamp": None,
            "isPinned": False,
            "content": " ".join(rng.choices(_WORDS, k=rng.randrange(1, 24))),
            "author": _person(author, roles=author % 3 == 0),
            "attachments": [],
            "embeds": [_embed(rng)] if rng.random() < 0.06 else [],
            "stickers": [],
            "reactions": [],
            "mentions": [_person(one, roles=False) for one in named],
            **({"reference": _reference(target[0])} if target else {}),
            "inlineEmojis": [],
        }
        recent = [*recent[-20:], (message_id, author)]


def _reference(message_id: int) -> dict[str, str]:
    return {"type": "Default", "messageId": str(message_id), "channelId": str(_CHANNEL), "guildId": str(_GUILD)}


def _person(person_id: int, *, roles: bool) -> dict[str, object]:
    role = {"id": "900000000000000009", "name": "Regular", "color": "#1F8B4C", "position": 3}
    return {
        "id": str(person_id),
        "name": f"person{person_id % 10_007}",
        "discriminator": "0000",
        "nickname": f"Person {person_id % 10_007}",
        "color": "#1F8B4C" if roles else None,
        "isBot": False,
        "roles": [role] if roles else [],
        "avatarUrl": f"https://cdn.example/avatars/{person_id}/0123456789abcdef0123456789abcdef.png?size=512",
    }


def _embed(rng: Random) -> dict[str, object]:
    return {
        "title": "A page",
        "url": "https://example.invalid/wiki/page",
        "timestamp": None,
        "description": " ".join(rng.choices(_WORDS, k=40)),
        "color": "#5865F2",
        "thumbnail": {"url": "https://example.invalid/thumb.png", "width": 400, "height": 300},
        "images": [],
        "fields": [],
        "inlineEmojis": [],
    }


def measure_import(messages: int = 100_000, pairs: int = 3) -> dict[str, float]:
    """Import an export of so many messages, and have msgspec decode it, in turns, each in a process of its own.

    Returns the medians: CPU seconds of both, the decoding divided by the import, and the import's peak memory and the
    size of the file and of the database in bytes.
    """
    with tempfile.TemporaryDirectory(prefix="spade-bench-") as folder:
        export, database = Path(folder, "export.json"), Path(folder, "spade.db")
        write_export(export, messages)
        managers = [option for one in _MANAGERS for option in ("--manager", str(one))]
        decoding, importing = [], []
        for _ in range(pairs):
            decoding.append(_used([sys.executable, "-c", _DECODE, str(export)]))
            database.unlink(missing_ok=True)
            importing.append(
                _used(
                    [
                        *(sys.executable, "-m", "bot", "import", str(export), *managers, "--json"),
                        *("--time-zone", "Europe/Berlin", "--database", f"sqlite:///{database}"),
                    ]
                )
            )
        decoded = statistics.median(one.seconds for one in decoding)
        imported = statistics.median(one.seconds for one in importing)
        return {
            "messages": messages,
            "export_bytes": export.stat().st_size,
            "database_bytes": database.stat().st_size,
            "decode_seconds": decoded,
            "import_seconds": imported,
            "ratio": decoded / imported,
            "import_peak_bytes": max(one.peak for one in importing),
        }


def _used(command: Sequence[str]) -> Used:
    """What a command used, by the account that the system keeps of this very process."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Used(used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.parsing", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    found = measure_import(given.messages, given.pairs)
    print(
        f"{found['messages']:,.0f} messages, {found['export_bytes'] / 1e6:,.0f} MB: "
        f"import {found['import_seconds']:.1f} s CPU, {found['import_peak_bytes'] / 2**20:.0f} MB; "
        f"msgspec {found['decode_seconds']:.2f} s; ratio {found['ratio']:.3f}; "
        f"database {found['database_bytes'] / found['messages']:.0f} bytes a message"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
