"""Writes the demo's sample from exports of a community's forum: ids, times and references, without any text.

Run as `python tools/sample.py FOLDER` with a folder of DiscordChatExporter files. People get made-up names.
"""

import gzip
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "bot" / "sandbox" / "sample" / "community.json.gz"
FIRST = """
    Ada Alma Amir Anouk Arlo Asha Ayo Bela Beni Bo Bruno Cai Carla Chidi Cleo Dana Dario Devi Ebba Eero Ela Emil
    Esme Fabi Faye Femi Finn Flora Gael Gita Goran Greta Hana Hugo Ida Iker Ilse Imani Ines Isak Jana Jiro Jola
    Juno Kai Kaja Kenji Kira Lale Lars Leila Lenny Lina Lior Lotta Luca Maja Malik Mara Mateo Mina Mira Moss
    Nadia Naoki Nell Nia Nils Noor Odil Ola Oskar Otis Pia Priya Quinn Rafa Rana Remy Rhea Romy Rosa Sami Sana
    Selma Sol Suki Tala Tariq Tess Theo Tilda Uma Vera Vito Wanda Wim Yara Yuki Zora
""".split()
LAST = """
    Alder Birch Brook Clover Fern Finch Hazel Heron Ivy Lark Linden Maple Moss Oak Reed Robin Rowan Sage Thorn
    Wren
""".split()
KINDS = {"Default": 0, "Reply": 1}
OTHER, FORWARD = 2, 3
CHANNEL_NAMES = {"firmware-development": "firmware", "software-development": "software"}


def name_of(person_id: str, taken: set[str]) -> str:
    """A made-up name that is not in `taken`; deterministic for the same ids in the same order. Adds it to `taken`."""
    for attempt in range(1000):
        digest = sha256(f"{person_id}:{attempt}".encode()).digest()
        name = f"{FIRST[digest[0] % len(FIRST)]} {LAST[digest[1] % len(LAST)]}"
        if name not in taken:
            taken.add(name)
            return name
    raise ValueError("there are more people than names")


def main() -> None:
    """Read the exports and write the sample."""
    exports = [json.loads(path.read_text()) for path in sorted(Path(sys.argv[1]).glob("*.json"))]
    people: dict[str, int] = {}
    bots: set[int] = set()

    def person(user: dict[str, Any]) -> int:
        number = people.setdefault(user["id"], len(people))
        if user["isBot"]:
            bots.add(number)
        return number

    forums: dict[str, str] = {}
    posts, messages = [], []
    for export in sorted(exports, key=lambda export: int(export["channel"]["id"])):
        channel = export["channel"]
        forums[channel["categoryId"]] = CHANNEL_NAMES.get(channel["category"], "forum")
        if not export["messages"]:
            continue
        posts.append([int(channel["id"]), int(channel["categoryId"]), person(export["messages"][0]["author"])])
        for message in export["messages"]:
            reference = message.get("reference") or {}
            forwarded = reference.get("type") == "Forward"
            kind = FORWARD if forwarded else KINDS.get(message["type"], OTHER)
            reply_to = int(reference["messageId"]) if kind == 1 and reference.get("messageId") else 0
            named = [person(user) for user in message["mentions"]]
            row: list[Any] = [int(message["id"]), len(posts) - 1, person(message["author"]), kind]
            messages.append([*row, reply_to, named] if reply_to or named else row)
    messages.sort(key=lambda row: row[0])
    taken: set[str] = set()
    sample = {
        "guild": {"id": int(exports[0]["guild"]["id"]), "name": "Mesh Community"},
        "forums": [[int(forum_id), name] for forum_id, name in forums.items()],
        "people": [[int(person_id), name_of(person_id, taken)] for person_id in people],
        "bots": sorted(bots),
        "posts": posts,
        "messages": messages,
    }
    text = json.dumps(sample, separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{TARGET.name}: {len(messages)} messages, {len(people)} people, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
