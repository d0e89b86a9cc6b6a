"""An import of export files, beside `msgspec` decoding the same bytes."""

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bot.domain.snowflake import first_id_at, moment_of
from tests.bench.guild import GUILD, NOW, channel_id, manager_id, member_id
from tests.bench.measure import Spent, apart, cpu, process

MANAGERS = 5
_MEMBERS = 4_000
_SPAN = timedelta(days=365)
_LINES_IN_A_BLOCK = 40_000
_WORDS = "words " * 25
_HEAD = """{{
  "guild": {{
    "id": "{guild}",
    "name": "A server",
    "iconUrl": "https://cdn.example/icons/1.png"
  }},
  "channel": {{
    "id": "{channel}",
    "type": "GuildTextChat",
    "categoryId": "1",
    "category": "Talk",
    "name": "general",
    "topic": null
  }},
  "dateRange": {{
    "after": null,
    "before": null
  }},
  "exportedAt": "{exported_at}",
  "messages": [
"""
_MESSAGE = """    {{
      "id": "{message_id}",
      "type": "{kind}",
      "timestamp": "{moment}",
      "timestampEdited": null,
      "callEndedTimestamp": null,
      "isPinned": false,
      "content": "{content}",
      "author": {{
        "id": "{author_id}",
        "name": "somebody",
        "discriminator": "0000",
        "nickname": "Somebody",
        "color": null,
        "isBot": false,
        "roles": [
          {{
            "id": "1",
            "name": "A role",
            "color": null,
            "position": 1
          }}
        ],
        "avatarUrl": "https://cdn.example/avatars/1.png"
      }},
      "attachments": [],
      "embeds": [],
      "stickers": [],
      "reactions": [],
      "mentions": [],
{reference}      "inlineEmojis": []
    }}"""
_REFERENCE = """      "reference": {{
        "messageId": "{message_id}",
        "channelId": "{channel}",
        "guildId": "{guild}"
      }},
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs of bytes per CPU second: the whole command `spade import`, and `msgspec` into plain objects.

    `imports` are what the command cost each time, `size` is the file's in bytes.
    """

    pairs: tuple[tuple[float, float], ...]
    imports: tuple[Spent, ...]
    size: int


def compare(messages: int, pairs: int, seconds: float = 60.0) -> Compared:
    """Write one file of so many messages as DiscordChatExporter does, and read it in turn, each in a fresh process.

    No further pair is begun after `seconds`. Raises ModuleNotFoundError without msgspec.
    """
    import_module("msgspec")
    with TemporaryDirectory(prefix="spade-bench-") as place:
        folder = Path(place)
        path = folder / "export.json"
        write(path, messages)
        size, began = path.stat().st_size, time.monotonic()
        imports: list[Spent] = []
        speeds: list[tuple[float, float]] = []
        while len(speeds) < pairs and not (speeds and time.monotonic() - began > seconds):
            imports.append(_imported(path, folder, len(imports)))
            speeds.append((size / imports[-1].cpu, size / apart(partial(_decoded, path))))
    return Compared(tuple(speeds), tuple(imports), size)


def write(path: Path, messages: int) -> None:
    """Write the file of one busy channel, laid out as the tool lays it out."""
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEAD.format(guild=GUILD, channel=channel_id(5), exported_at=NOW.isoformat()))
        for number, one in enumerate(_messages(messages)):
            file.write(",\n" if number else "")
            file.write(one)
        file.write(f'\n  ],\n  "messageCount": {messages}\n}}')


def _messages(count: int) -> Iterator[str]:
    rng, newest = Random(5), [0] * 20
    first = first_id_at(NOW - _SPAN)
    step = (first_id_at(NOW) - first) // (count + 1)
    for number in range(count):
        message_id = first + step * number + rng.randrange(step)
        target = newest[rng.randrange(20)] if rng.random() < 0.3 else 0
        author = (
            manager_id(rng.randrange(MANAGERS)) if rng.random() < 0.1 else member_id(int(_MEMBERS * rng.random() ** 2))
        )
        newest[number % 20] = message_id
        yield _MESSAGE.format(
            message_id=message_id,
            kind="Reply" if target else "Default",
            moment=moment_of(message_id).isoformat(timespec="milliseconds"),
            content=_WORDS[: 6 * rng.randrange(1, 25)],
            author_id=author,
            reference=_REFERENCE.format(message_id=target, channel=channel_id(5), guild=GUILD) if target else "",
        )


def _imported(path: Path, folder: Path, number: int) -> Spent:
    managers = [word for each in range(MANAGERS) for word in ("--manager", str(manager_id(each)))]
    database = f"sqlite:///{folder}/import-{number}.db"
    return process(("-m", "bot", "import", str(path), *managers, "--database", database), folder)


def _decoded(path: Path) -> float:
    """The CPU seconds of decoding all messages of a file, a thousand or so at a time."""
    gc.disable()  # it would look through what was decoded again and again
    decode = import_module("msgspec.json").decode
    took = 0.0
    with path.open("rb") as file:
        block: list[bytes] = []
        begun = False
        for line in file:
            if not begun:
                begun = line.startswith(b'  "messages"')
                continue
            block.append(line)
            if line.startswith(b"    }") and (len(block) > _LINES_IN_A_BLOCK or line == b"    }\n"):
                took += _decoding(decode, b"[" + b"".join(block).rstrip(b",\n") + b"]")
                block = []
    return took


def _decoding(decode: Callable[[bytes], object], text: bytes) -> float:
    before = cpu()
    assert decode(text)
    return cpu() - before
