"""One export file: what it gives for every version of the tool, and one sentence for everything else."""

import json
import os
import re
import socket
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bot.domain.message import DELETED_USER_ID, Message, MessageKind
from bot.exports.error import ExportError
from bot.exports.export_file import ExportFile
from bot.exports.facts import message_of
from bot.exports.file_search import BrokenFile, FoundFile, find_exports
from bot.exports.reader import ExportReader

ANN, BEN, BOT = 100000000000000001, 100000000000000002, 100000000000000003
GUILD, CHANNEL = 200000000000000001, 300000000000000001
FIRST = 900000000000000000


def user(user_id: int, **more: Any) -> dict[str, Any]:
    return {"id": str(user_id), "name": "somebody", "discriminator": "0000", "isBot": False} | more


def entry(number: int = 0, author: int = ANN, **more: Any) -> dict[str, Any]:
    """A message as version 2.47 writes it, less what nobody reads."""
    return {
        "id": str(FIRST + number),
        "type": "Default",
        "timestamp": "2026-01-17T20:54:18.275+00:00",
        "content": "something to say",
        "author": user(author),
        "attachments": [],
        "embeds": [],
        "stickers": [],
        "reactions": [],
        "mentions": [],
    } | more


def export(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "guild": {"id": str(GUILD), "name": "A guild", "iconUrl": "https://example.invalid/0.png"},
        "channel": {"id": str(CHANNEL), "type": "GuildTextChat", "categoryId": "5", "category": "c", "name": "n"},
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-04-24T06:10:00.0000000+00:00",
        "messages": list(messages),
        "messageCount": len(messages),
    } | more


def oldest_version(*messages: dict[str, Any]) -> dict[str, Any]:
    """As the first JSON exports were: no exportedAt, no mentions, no references, no stickers, no roles."""
    header = export()
    channel = {"id": str(CHANNEL), "type": "GuildTextChat", "name": "n", "topic": None}
    kept = ("id", "type", "timestamp", "content", "author", "attachments", "embeds", "reactions")
    return {
        "guild": header["guild"],
        "channel": channel,
        "dateRange": header["dateRange"],
        "messages": [{key: message[key] for key in kept} for message in messages],
        "messageCount": len(messages),
    }


def written(folder: Path, content: object, name: str = "export.json", *, indent: int | None = 2) -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        separators = None if indent else (",", ":")
        path.write_text(json.dumps(content, indent=indent, separators=separators), encoding="utf-8")
    return path


def messages_of(path: Path) -> list[Message]:
    return list(ExportFile(path).messages())


def refusal(path: Path) -> str:
    """The sentence with which a file is refused."""

    def read() -> None:
        ExportFile(path).header()
        messages_of(path)

    with pytest.raises(ExportError) as caught:
        read()
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


# One message


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"type": "Default"}, MessageKind.DEFAULT),
        ({"type": "0"}, MessageKind.DEFAULT),
        ({"type": 0}, MessageKind.DEFAULT),
        ({"type": None}, MessageKind.DEFAULT),
        ({"type": "Reply", "reference": {"type": "Default", "messageId": "7"}}, MessageKind.REPLY),
        ({"type": "19", "reference": {"messageId": "7"}}, MessageKind.REPLY),
        ({"type": 19}, MessageKind.REPLY),
        ({"type": "Reply", "content": "", "reference": {"messageId": "7"}}, MessageKind.REPLY),
        ({"type": "GuildMemberJoin"}, MessageKind.OTHER),
        ({"type": "21", "reference": {"type": "Default", "messageId": "7"}}, MessageKind.STARTER),
        ({"type": "ThreadStarterMessage"}, MessageKind.STARTER),
        ({"type": "20"}, MessageKind.OTHER),
        ({"type": ["Default"]}, MessageKind.OTHER),
        ({"type": "24"}, MessageKind.NOTICE),
        ({"type": 36}, MessageKind.NOTICE),
        ({"type": "37"}, MessageKind.NOTICE),
        ({"type": "GuildIncidentReportRaid"}, MessageKind.NOTICE),
        ({"type": "39"}, MessageKind.NOTICE),
        ({"type": "AutoModerationAction", "reference": {"type": "Forward"}}, MessageKind.NOTICE),
        ({"forwardedMessage": {"content": ""}, "reference": {"messageId": "7"}}, MessageKind.FORWARD),
        ({"reference": {"type": "Forward", "messageId": "7"}}, MessageKind.FORWARD),
        ({"reference": {"type": "1", "messageId": "7"}}, MessageKind.FORWARD),
        ({"reference": {"type": 1, "messageId": "7"}}, MessageKind.FORWARD),
        ({"content": "", "reference": {"messageId": "7"}}, MessageKind.FORWARD),
        ({"content": "", "reference": {"type": "Default", "messageId": "7"}}, MessageKind.DEFAULT),
        ({"content": "text", "reference": {"messageId": "7"}}, MessageKind.DEFAULT),
        ({"content": "", "stickers": [{}], "reference": {"messageId": "7"}}, MessageKind.DEFAULT),
        ({"content": "", "embeds": [{}], "reference": {"messageId": "7"}}, MessageKind.DEFAULT),
        ({"content": "", "attachments": [{}], "reference": {"messageId": "7"}}, MessageKind.DEFAULT),
        ({"content": ""}, MessageKind.DEFAULT),
    ],
)
def test_kind(changes: dict[str, Any], kind: MessageKind) -> None:
    assert message_of(entry() | changes).kind is kind


def test_a_reply_names_its_target_and_nothing_else_does() -> None:
    reference = {"type": "Default", "messageId": "77", "channelId": "1"}
    assert message_of(entry(type="Reply", reference=reference)).reply_to_id == 77
    assert message_of(entry(type="Reply", reference={"messageId": 77})).reply_to_id == 77
    assert message_of(entry(type="Reply", reference={"messageId": None})).reply_to_id is None
    assert message_of(entry(type="Reply")).reply_to_id is None
    assert message_of(entry(type="ThreadCreated", reference=reference)).reply_to_id is None
    assert message_of(entry(reference={"type": "Forward", "messageId": "77"})).reply_to_id is None


def test_bots_webhooks_and_the_deleted_user_are_no_authors() -> None:
    assert message_of(entry(author=ANN)).author_id == ANN
    assert message_of(entry() | {"author": {"id": ANN}}).author_id == ANN
    assert message_of(entry() | {"author": user(BOT, isBot=True)}).author_id is None
    assert message_of(entry(author=DELETED_USER_ID)).author_id is None
    assert message_of(entry(author=ANN, type="GuildMemberJoin")).author_id == ANN


def test_mentions_are_people_and_note_that_others_are_there() -> None:
    assert message_of(entry(mentions=[user(ANN), user(BEN), user(BEN)])).mentions == {ANN, BEN}
    assert not message_of(entry(mentions=[user(ANN)])).mentions_no_person
    with_bot = message_of(entry(mentions=[user(ANN), user(BOT, isBot=True)]))
    assert (with_bot.mentions, with_bot.mentions_no_person) == (frozenset({ANN}), True)
    with_deleted = message_of(entry(mentions=[user(DELETED_USER_ID)]))
    assert (with_deleted.mentions, with_deleted.mentions_no_person) == (frozenset(), True)
    assert message_of(entry(mentions=None)).mentions_nobody


@pytest.mark.parametrize(
    ("content", "crowd"),
    [
        ("hello @everyone", True),
        ("@here", True),
        ("see <@&123>", True),
        ("<@123> and @admins", False),
        ("", False),
        (None, False),
    ],
)
def test_crowds_are_read_from_the_text(content: str | None, crowd: bool) -> None:
    assert message_of(entry(content=content)).mentions_crowd is crowd


# Whole files


@pytest.mark.parametrize("indent", [2, None])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_indented_or_compact_with_or_without_a_byte_order_mark(tmp_path: Path, indent: int | None, mark: bytes) -> None:
    content = export(entry(0), entry(1, BEN))
    plain = written(tmp_path, content, indent=indent).read_bytes()
    path = written(tmp_path, mark + plain)
    assert ExportFile(path).header().guild_id == GUILD
    assert [(message.message_id, message.author_id) for message in messages_of(path)] == [
        (FIRST, ANN),
        (FIRST + 1, BEN),
    ]


def test_the_oldest_version(tmp_path: Path) -> None:
    path = written(tmp_path, oldest_version(entry(0), entry(1, BEN, type="19")))
    header = ExportFile(path).header()
    assert (header.guild_id, header.channel_id, header.exported_at) == (GUILD, CHANNEL, None)
    assert (header.is_thread, header.is_private_thread, header.is_direct) == (False, False, False)
    assert [message.kind for message in messages_of(path)] == [MessageKind.DEFAULT, MessageKind.REPLY]


def test_ids_may_be_numbers_and_keys_in_any_order(tmp_path: Path) -> None:
    content = export(entry() | {"id": FIRST, "author": {"id": ANN, "isBot": False}})
    content["guild"]["id"], content["channel"]["id"] = GUILD, CHANNEL
    path = written(tmp_path, {"messages": content.pop("messages"), **dict(reversed(content.items()))})
    header = ExportFile(path).header()
    assert (header.guild_id, header.channel_id) == (GUILD, CHANNEL)
    assert messages_of(path) == [Message(FIRST, ANN)]


@pytest.mark.parametrize(
    ("channel_type", "thread", "private", "direct"),
    [
        ("GuildTextChat", False, False, False),
        ("GuildVoiceChat", False, False, False),
        ("GuildNews", False, False, False),
        ("GuildPublicThread", True, False, False),
        ("GuildNewsThread", True, False, False),
        ("GuildPrivateThread", True, True, False),
        ("DirectTextChat", False, False, True),
        ("DirectGroupTextChat", False, False, True),
        ("0", False, False, False),
        ("10", True, False, False),
        (11, True, False, False),
        ("12", True, True, False),
        ("1", False, False, True),
        (3, False, False, True),
    ],
)
def test_channel_types(tmp_path: Path, channel_type: object, thread: bool, private: bool, direct: bool) -> None:
    header = ExportFile(written(tmp_path, export(channel={"id": CHANNEL, "type": channel_type}))).header()
    assert (header.is_thread, header.is_private_thread, header.is_direct) == (thread, private, direct)


def test_a_guild_of_zero_is_direct_messages_whatever_the_type(tmp_path: Path) -> None:
    assert ExportFile(written(tmp_path, export(guild={"id": "0"}))).header().is_direct


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-04-24T06:10:00.0000000+00:00", datetime(2026, 4, 24, 6, 10, tzinfo=UTC)),
        ("2026-04-24T06:10:00Z", datetime(2026, 4, 24, 6, 10, tzinfo=UTC)),
        ("2026-04-24T06:10:00.1234567+02:00", datetime(2026, 4, 24, 4, 10, 0, 123456, UTC)),
        ("2026-04-24T06:10:00", datetime(2026, 4, 24, 6, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (5, None),
        (None, None),
    ],
)
def test_exported_at(tmp_path: Path, text: object, moment: datetime | None) -> None:
    assert ExportFile(written(tmp_path, export(exportedAt=text))).header().exported_at == moment


def test_the_time_of_a_message_comes_from_its_id() -> None:
    message = message_of(entry() | {"id": str(1462188305917025119), "timestamp": "1999-01-01T00:00:00+00:00"})
    assert message.sent_at == datetime(2026, 1, 17, 20, 54, 18, 275000, timezone(timedelta(0)))


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, export(*(entry(number) for number in range(1000))))
    told: list[int] = []
    assert len(list(ExportFile(path).messages(told.append))) == 1000
    assert told == sorted(set(told))
    assert len(told) > 3
    assert told[-1] <= path.stat().st_size


# What is refused


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \n", "The file is empty."),
        (b"hello", "not valid JSON"),
        (b"\xff\xfe{\x00}\x00", "The file is UTF-16: save it as UTF-8, or export it again."),
        ("\ufeff{}".encode("utf-16-be"), "The file is UTF-16: save it as UTF-8"),
        ("{}".encode("utf-16-le"), "The file is UTF-16: save it as UTF-8"),
        ("{}".encode("utf-16-be"), "The file is UTF-16: save it as UTF-8"),
        ("{}".encode("utf-32"), "The file is UTF-32: save it as UTF-8"),
        ("{}".encode("utf-32-be"), "The file is UTF-32: save it as UTF-8"),
        (b"\x00" * 100, "not valid JSON"),
        (b"{'guild': 1}", "not valid JSON"),
        (b"[1, 2]", "not an export"),
        (b"5", "not an export"),
        (b"{}", "not an export"),
        (b'{"messages": []}', "not an export"),
        (b'{"messages": {"item": {}}, "guild": {"id": "1"}, "channel": {"id": "1"}}', "not an export"),
        (b'{"messages": null, "guild": {"id": "1"}, "channel": {"id": "1"}}', "not an export"),
        (b'{"guild": "1", "channel": "2", "messages": []}', "not an export"),
        (b'<!DOCTYPE html>\n<html lang="en">', "HTML export: choose JSON"),
        (b"\xef\xbb\xbfAuthorID,Author,Date,Content,Attachments,Reactions\n", "CSV export: choose JSON"),
        (b"=" * 62 + b"\nGuild: A guild\nChannel: c / n\n", "text export: choose JSON"),
        (b"PK\x03\x04rest", "unpack it first"),
        (b"\x1f\x8brest", "unpack it first"),
        (b"[" * 200_000, "nest too deep"),
        (b'{"a":' * 200_000, "nest too deep"),
        (b"[" * 200 + b"]" * 200, "nest too deep"),
    ],
)
def test_files_that_are_no_exports(tmp_path: Path, content: bytes, sentence: str) -> None:
    assert sentence in refusal(written(tmp_path, content))


@pytest.mark.parametrize("piece", [7, 1024 * 1024])
@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            b"something to say",
            rb"\n \ude00",
            "Line {line} has half a character, a lone surrogate (byte {byte} of the file)",
        ),
        (
            b"something to say",
            rb"\\\ud83d\ude00\ude00",
            "Line {line} has half a character, a lone surrogate (byte {byte} of the file)",
        ),
        (
            b"something to say",
            rb"\ud83d\ud83d\ude00\ude00",
            "Line {line} has half a character, a lone surrogate (byte {byte} of the file)",
        ),
        (
            b"something to say",
            b"gr\xfc\xdfe",
            "not UTF-8 text (line {line}, byte {byte} of the file): save it as UTF-8",
        ),
        (b"something to say", b"\xc3\xbcber \xc3", "not UTF-8 text (line {line}, byte {byte} of the file)"),
    ],
)
def test_what_makes_the_text_unusable_is_said_with_its_place(
    tmp_path: Path, before: bytes, after: bytes, sentence: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.exports.diagnosis._READ_SIZE", piece)
    content = written(tmp_path, export(entry(), entry(1))).read_bytes()
    start, _, end = content.rpartition(before)
    bad = re.search(rb"(?<!\\ud83d)\\u(de00|d83d(?!\\ude00))|\xfc\xdf|\xc3$", after)
    assert bad is not None
    place = len(start) + bad.start()
    said = refusal(written(tmp_path, start + after + end))
    assert sentence.format(line=(start + after).count(b"\n") + 1, byte=place + 1) in said


@pytest.mark.parametrize("cut_after", [b'"mentions": []', b'"isBot": false', b'"content": "some'])
def test_an_export_that_was_closed_after_it_broke_off(tmp_path: Path, cut_after: bytes) -> None:
    """The tool writes the end of the file even when it gives up in the middle of a message."""
    content = written(tmp_path, export(entry(), entry(1))).read_bytes()
    cut = content[: content.rindex(cut_after) + len(cut_after)]
    said = refusal(written(tmp_path, cut + b'\n],"messageCount":1}'))
    assert said == "The export broke off, although its end was written: export it again."


def test_an_export_that_was_closed_between_two_brackets_is_cut_off(tmp_path: Path) -> None:
    content = written(tmp_path, export(entry())).read_bytes()
    cut = content[: content.rindex(b'"attachments": [') + 16]
    assert refusal(written(tmp_path, cut + b'\n],"messageCount":1}')).endswith("export it again.")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"guild": {"id": "me"}}, "The guild's id"),
        ({"guild": {"id": -1}}, "The guild's id"),
        ({"channel": {"id": "0"}}, "The channel's id"),
        ({"channel": {"id": 1.5}}, "The channel's id"),
        ({"messages": [entry(), entry() | {"id": "x"}]}, "Message 2 of the file cannot be used: an id"),
        ({"messages": [entry() | {"id": None}]}, "Message 1"),
        ({"messages": [entry() | {"id": "99999999999999999999"}]}, "Message 1"),
        ({"messages": [entry() | {"id": "\uff19"}]}, "Message 1"),
        ({"messages": [entry() | {"id": True}]}, "Message 1"),
        ({"messages": [entry() | {"author": None}]}, "no author"),
        ({"messages": [entry() | {"author": {"id": ""}}]}, "Message 1"),
        ({"messages": [entry(mentions=[{}])]}, "Message 1"),
        ({"messages": [entry(mentions=[5])]}, "mentions"),
        ({"messages": [entry(mentions="all")]}, "mentions"),
        ({"messages": [entry(reference=5)]}, "reference"),
        ({"messages": [entry(type="Reply", reference={"messageId": "x"})]}, "Message 1"),
        ({"messages": [5]}, "not a message"),
    ],
)
def test_contents_that_are_no_exports(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(written(tmp_path, export() | changes))


def test_an_absurdly_long_number_does_not_crash_the_parser(tmp_path: Path) -> None:
    path = written(tmp_path, export(entry()))
    number = b"9" * 10_000
    path.write_bytes(path.read_bytes().replace(b'"name": "somebody"', b'"name": ' + number))
    assert refusal(path) == "The file is not valid JSON."


def test_a_file_cut_anywhere_is_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path, export(entry(0), entry(1, isPinned=True, reactions=[{"count": 12}])))
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        assert refusal(path) == "The file is cut off before its end: export it again.", length


def test_a_sentence_never_repeats_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, export(entry(content="my secret")))
    path.write_bytes(path.read_bytes().replace(b'"my secret"', b'"my secret"!'))
    assert "secret" not in refusal(path)


def test_what_follows_the_export_is_no_part_of_it(tmp_path: Path) -> None:
    path = written(tmp_path, export(entry()))
    path.write_bytes(path.read_bytes() * 2)
    assert refusal(path) == "The file goes on after the end of the export."


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.json") == "There is no such file or folder."
    assert refusal(tmp_path) == "This is a folder, not a file."
    os.mkfifo(tmp_path / "pipe.json")
    assert refusal(tmp_path / "pipe.json") == "This is not a regular file."
    (tmp_path / "loop.json").symlink_to("loop.json")
    assert refusal(tmp_path / "loop.json").startswith("It cannot be read: ")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, export())

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(path) == "It cannot be read: permission denied."


# Brackets


def nesting(text: bytes, size: int, folder: Path) -> int:
    """The depth at the end of a text read in pieces of `size`."""
    path = written(folder, text)
    with ExportReader(path) as reader:
        while reader.read(size):
            pass
        return reader._nesting._depth


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_brackets_in_text_and_after_escapes_do_not_count(tmp_path: Path, size: int) -> None:
    hard = ['[[[[ {"', "\\", '\\"[', "\\\\", '"{', "]]]]", "", "\n[", '""[']
    text = json.dumps({"a": [hard, hard], "[": {"{": hard}}).encode()
    assert nesting(text, size, tmp_path) == 0
    assert nesting(text[:-2] + b', "x": [[{"y\\\\": [', size, tmp_path) == 6


# Finding files


def found_under(*paths: Path) -> list[tuple[str, str]]:
    return [
        (found.path.name, found.reason if isinstance(found, BrokenFile) else f"{found.size}")
        for found in find_exports(paths)
    ]


def test_folders_are_searched_in_order_and_each_file_counts_once(tmp_path: Path) -> None:
    for name in ("b.json", "a.JSON", "c.txt", ".hidden.json", "sub/d.json", ".git/e.json", "a.json_Files/f.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path, b"123", name)
    (tmp_path / "z.json").symlink_to("b.json")
    wanted = [("a.JSON", "3"), ("b.json", "3"), ("d.json", "3")]
    assert found_under(tmp_path) == wanted
    assert found_under(tmp_path, tmp_path / "b.json", tmp_path / "sub") == wanted
    assert found_under(tmp_path / "c.txt") == [("c.txt", "3")]
    assert isinstance(next(iter(find_exports([tmp_path]))), FoundFile)


def test_a_folder_of_media_is_told_by_the_names_in_it(tmp_path: Path) -> None:
    for name in (
        "list-12345.json",
        "emoji-a1B2f.svg",
        "noending-00000",
        ".DS_Store",
        "deep/x.json",
        "deep/p-12345.png",
    ):
        (tmp_path / "media" / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / "media", b"123", name)
    written(tmp_path, b"123", "export-12345.json")
    written(tmp_path, b"123", "other.json")
    found = {found.path.name: found.among_media for found in find_exports([tmp_path]) if isinstance(found, FoundFile)}
    assert found == {"export-12345.json": False, "other.json": False, "list-12345.json": True, "x.json": False}
    (named,) = find_exports([tmp_path / "media/list-12345.json"])
    assert isinstance(named, FoundFile)
    assert not named.among_media


def test_paths_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling.json").symlink_to("nothing")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's path may have 107 bytes only
        try:
            listener.bind("socket.json")
        finally:
            os.chdir(here)
    found = dict(found_under(tmp_path / "missing", tmp_path / "empty", tmp_path))
    assert found == {
        "missing": "There is no such file or folder.",
        "empty": "There are no .json files in this folder: choose JSON as the format of the export.",
        "dangling.json": "There is no such file or folder.",
        "socket.json": "This is not a regular file.",
    }


def test_a_folder_that_may_not_be_searched_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    written(tmp_path, b"123", "a.json")
    scan = os.scandir

    def refuse(path: str) -> Any:
        if re.search("locked$", os.fspath(path)):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found_under(tmp_path) == [("a.json", "3"), ("locked", "It cannot be read: permission denied.")]
    assert found_under(tmp_path / "locked") == [("locked", "It cannot be read: permission denied.")]
