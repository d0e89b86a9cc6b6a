"""Export files with something wrong: each is read whole or named, with one sentence and nothing half-recorded."""

import json
from pathlib import Path
from random import Random
from typing import Any

from bot.exports.archive import Archive
from tests.unit.test_exports_fuzz import COMPACT, INDENTED, ROUGH, VALID, paths_in

_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp1252")
_VALUES: tuple[object, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        2**63,
        2**64,
        10**40,
        1e308,
        "",
        "0",
        "-5",
        "item",
        "\x00",
        "\ud800",
        "\uff19\uff10",
    ),
    *("900000000000000001", 900000000000000001, [], {}, [[]], [None], {"id": None}, {"": {"": []}}, "9" * 30),
)


def fuzz(rng: Random, folder: Path) -> None:
    """One broken file beside a sound one: the sound one loses nothing by it."""
    sound, broken = folder / "sound.json", folder / "broken.json"
    sound.write_bytes(COMPACT)
    broken.write_bytes(_broken(rng))
    with Archive([sound]) as archive:
        alone = archive.messages
    for paths in ([sound, broken], [broken]):
        with Archive(paths) as archive:
            named = archive.broken_files
            late = sum("from after the export" in file.reason for file in named)  # the rest of such a file is read
            assert len(named) - late + archive.files == len(paths)
            for file in named:
                assert file.path == broken, file
                assert file.reason.endswith("."), file.reason
                assert "\n" not in file.reason
                assert len(file.reason) < 200, file.reason
            read = sum(
                len(piece) for channel in archive.channels() for piece in archive.pieces(channel.place.channel_id)
            )
            if len(named) > late:
                assert archive.messages == (alone if sound in paths else 0)
                assert read == archive.messages
            else:
                assert read >= archive.messages


def _broken(rng: Random) -> bytes:
    content = rng.choice((COMPACT, INDENTED))
    way = rng.randrange(6)
    if way == 0:
        return content[: rng.randrange(len(content))]
    if way == 1:
        return content.decode().encode(rng.choice(_ENCODINGS), errors="replace")
    if way == 2:
        depth = rng.choice((50, 99, 101, 5000))
        nested = b"[" * depth + b"]" * rng.choice((depth, depth - 1))
        return content.replace(b'"topic":null', b'"topic":' + nested).replace(b'"topic": null', b'"topic": ' + nested)
    if way == 3:
        key = rng.choice([b'"id"', b'"messages"', b'"guild"', b'"author"', b'"type"'])
        value = rng.choice((b'"1"', b"null", b"[]", b"{}", b'"200000000000000001"'))
        return content.replace(key, key + b": " + value + b", " + key, rng.choice((1, -1)))
    if way == 4:
        return json.dumps(_other_values(rng)).encode()
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(content) + 1)
        content = content[:at] + rng.choice((*ROUGH, rng.randbytes(4))) + content[at + rng.randrange(40) :]
    return content


def _other_values(rng: Random) -> Any:
    document = json.loads(COMPACT)
    for path in rng.sample(paths_in(VALID), rng.randrange(1, 4)):
        holder = document
        try:
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = rng.choice(_VALUES)
        except (TypeError, KeyError, IndexError):  # an earlier change took the place away
            continue
    return document
