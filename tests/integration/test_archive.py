"""Many files as one archive: order, overlap, re-exports, parts and broken files change nothing they should not."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from bot.domain.evidence import Copy, ImportedChannel
from bot.domain.message import Message, MessageKind
from bot.domain.snowflake import first_id_at
from bot.domain.stretch import Place
from bot.exports.archive import Archive
from bot.exports.error import ExportError, SeveralGuildsError
from bot.store import staging
from bot.store.database import StoreError

ANN, BEN, CAT, BOT = 100000000000000001, 100000000000000002, 100000000000000003, 100000000000000009
GUILD, OTHER_GUILD = 200000000000000001, 200000000000000002
CHANNEL, THREAD = 300000000000000001, 300000000000000002
FIRST = 900000000000000000


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where archives keep their temporary files; nothing may be left there."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def entry(number: int, author: int = ANN, **more: Any) -> dict[str, Any]:
    person = {"id": str(author), "isBot": author == BOT}
    return {"id": str(FIRST + number), "type": "Default", "content": "x", "author": person, "mentions": []} | more


def reply(number: int, author: int, to: int | None, **more: Any) -> dict[str, Any]:
    target = None if to is None else str(FIRST + to)
    return entry(number, author, type="Reply", reference={"type": "Default", "messageId": target}) | more


def written(
    path: Path,
    *messages: dict[str, Any],
    channel: int = CHANNEL,
    guild: int = GUILD,
    at: str | None = "2026-01-01T00:00:00+00:00",
    channel_type: str = "GuildTextChat",
    category: str | None = None,
    **more: object,
) -> Path:
    about = {"id": str(channel), "type": channel_type} | ({"categoryId": category} if category else {})
    header = {"guild": {"id": str(guild)}, "channel": about} | more
    content = header | ({"exportedAt": at} if at else {}) | {"messages": messages}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def contents(*paths: Path) -> dict[int, list[Copy]]:
    """Every message of every channel, as Spade takes them over."""
    with Archive(paths) as archive:
        return read(archive)


def read(archive: Archive) -> dict[int, list[Copy]]:
    return {
        channel.place.channel_id: [
            copy for piece in archive.pieces(channel.place.channel_id) for copy, _ in piece.copies()
        ]
        for channel in archive.channels()
    }


def messages(*paths: Path) -> list[Message]:
    """The messages of the only channel."""
    (copies,) = contents(*paths).values()
    return [copy.message for copy in copies]


def numbers(found: Iterable[Message]) -> list[int]:
    return [message.message_id - FIRST for message in found]


def test_an_archive_of_one_channel(tmp_path: Path) -> None:
    messages = [entry(1, ANN), reply(2, BEN, 1), entry(3, BOT), reply(4, ANN, 3), reply(5, CAT, 99)]
    path = written(tmp_path / "a.json", *messages)
    with Archive([path]) as archive:
        assert (archive.guild_id, archive.files, archive.broken_files) == (GUILD, 1, ())
        assert (archive.messages, archive.count_members(), archive.unresolved_replies) == (5, 3, 1)
        assert archive.channels() == (ImportedChannel(Place(GUILD, CHANNEL), begins=True),)
        (piece,) = archive.pieces(CHANNEL)
        found = piece.copies()
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert found == [
        (Copy(Message(FIRST + 1, ANN), moment), False),
        (Copy(Message(FIRST + 2, BEN, MessageKind.REPLY, reply_to_id=FIRST + 1, reply_to_author_id=ANN), moment), True),
        (Copy(Message(FIRST + 3, None), moment), False),
        (Copy(Message(FIRST + 4, ANN, MessageKind.REPLY, reply_to_id=FIRST + 3), moment), True),
        (Copy(Message(FIRST + 5, CAT, MessageKind.REPLY, reply_to_id=FIRST + 99), moment), False),
    ]


def test_every_fact_survives_staging(tmp_path: Path) -> None:
    others = [{"id": str(BEN)}, {"id": str(CAT)}, {"id": str(BOT), "isBot": True}]
    path = written(
        tmp_path / "a.json",
        entry(1, mentions=others, content="@here"),
        entry(2, mentions=others[:1]),
        entry(3, reference={"type": "Forward", "messageId": "1"}),
        entry(4, type="GuildMemberJoin"),
        reply(5, BEN, 4),
        reply(6, BEN, None),
    )
    assert messages(path) == [
        Message(FIRST + 1, ANN, mentions=frozenset({BEN, CAT}), mentions_no_person=True, mentions_crowd=True),
        Message(FIRST + 2, ANN, mentions=frozenset({BEN})),
        Message(FIRST + 3, ANN, MessageKind.FORWARD),
        Message(FIRST + 4, ANN, MessageKind.OTHER),
        Message(FIRST + 5, BEN, MessageKind.REPLY, reply_to_id=FIRST + 4, reply_to_author_id=ANN),
        Message(FIRST + 6, BEN, MessageKind.REPLY),
    ]


def test_unresolved_replies_are_those_of_people(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", reply(1, ANN, 50), reply(2, BOT, 50), reply(3, BEN, None), reply(4, CAT, 1))
    with Archive([path]) as archive:
        assert archive.unresolved_replies == 2


def test_members_need_a_counted_message(tmp_path: Path) -> None:
    forward = entry(3, CAT, reference={"type": "Forward"})
    path = written(tmp_path / "a.json", entry(1, ANN), entry(2, BEN, type="GuildMemberJoin"), forward)
    with Archive([path]) as archive:
        assert (archive.messages, archive.count_members()) == (3, 2)
        assert archive.count_members({ANN, BEN}) == 1


def test_replies_find_their_targets_in_any_file_in_any_order(tmp_path: Path) -> None:
    early = written(tmp_path / "early.json", entry(1, ANN))
    late = written(tmp_path / "late.json", reply(10, BEN, 1))
    elsewhere = written(tmp_path / "elsewhere.json", reply(5, CAT, 1), channel=THREAD, channel_type="11")
    results = [contents(*paths) for paths in permutations([early, late, elsewhere])]
    assert all(result == results[0] for result in results)
    of_channel, of_thread = results[0][CHANNEL], results[0][THREAD]
    assert [copy.message.reply_to_author_id for copy in (*of_channel, *of_thread)] == [None, ANN, ANN]
    with Archive([late, elsewhere]) as archive:
        assert archive.unresolved_replies == 2


def test_a_threads_copy_of_its_starting_message_is_the_same_message(tmp_path: Path) -> None:
    parent = written(tmp_path / "parent.json", entry(1, ANN), reply(3, BEN, 1))
    copy = entry(1, ANN, type="21", reference={"type": "Default", "messageId": str(FIRST + 1)})
    thread = written(tmp_path / "thread.json", copy, reply(2, BEN, 1), channel=THREAD, channel_type="GuildPublicThread")
    with Archive([thread, parent]) as archive:
        assert (archive.messages, archive.unresolved_replies) == (3, 0)
        found = read(archive)
    assert [copy.message.kind for copy in found[THREAD]] == [MessageKind.STARTER, MessageKind.REPLY]
    assert [copies[1].message.reply_to_author_id for copies in found.values()] == [ANN, ANN]


def test_a_reply_is_to_the_message_and_not_to_its_copy_by_whoever_started_a_thread(tmp_path: Path) -> None:
    parent = written(tmp_path / "parent.json", entry(1, ANN))
    copy = entry(1, CAT, type="21", reference={"type": "Default", "messageId": str(FIRST + 1)})
    thread = written(tmp_path / "thread.json", copy, reply(2, BEN, 1), channel=THREAD, channel_type="GuildPublicThread")
    assert contents(parent, thread)[THREAD][1].message.reply_to_author_id == ANN
    assert contents(thread)[THREAD][1].message.reply_to_author_id == CAT  # there is no other
    with Archive([thread]) as archive:
        (piece,) = archive.pieces(THREAD)
        (_, (_, known)) = piece.copies()
        assert not known  # so a member's reply is kept, until it is known to be no manager's message


@pytest.mark.parametrize(
    ("name", "after", "begins"),
    [
        ("thread.json", None, True),
        ("thread.json", "2015-01-01T00:00:00Z", True),
        ("thread.json", "2026-06-01T00:00:00+02:00", False),
        ("thread.json", "no date", False),
        ("thread [part 1].json", None, True),
        ("thread [part 2].json", None, False),
        ("thread [part 12].json", None, False),
    ],
)
def test_a_file_begins_at_the_start_of_a_channel_unless_something_says_otherwise(
    tmp_path: Path, name: str, after: str | None, begins: bool
) -> None:
    dates = {"dateRange": {"after": after, "before": None}}
    path = written(tmp_path / name, entry(1), channel=THREAD, channel_type="11", **dates)
    with Archive([path]) as archive:
        assert [channel.begins for channel in archive.channels()] == [begins]
    whole = written(tmp_path / "whole.json", channel=THREAD, channel_type="11")
    with Archive([path, whole]) as archive:
        assert [channel.begins for channel in archive.channels()] == [True]


def test_a_threads_category_is_its_channel(tmp_path: Path) -> None:
    unnamed = written(tmp_path / "1.json", entry(1), channel=THREAD, channel_type="11")
    named = written(tmp_path / "2.json", entry(2), channel=THREAD, channel_type="11", category="5")
    in_category = written(tmp_path / "3.json", entry(1), category="6")
    for paths in permutations([unnamed, named, in_category]):
        with Archive(paths) as archive:
            assert [channel.place.parent_id for channel in archive.channels()] == [None, 5]


def test_messages_from_after_their_export_are_left_out_and_their_file_is_named(tmp_path: Path) -> None:
    late = {"id": str(first_id_at(datetime(2026, 1, 1, 0, 10, tzinfo=UTC)))}
    just_in_time = {"id": str(first_id_at(datetime(2026, 1, 1, 0, 10, tzinfo=UTC)) - 1)}
    from_2083 = {"id": str(2**63 - 1)}
    path = written(tmp_path / "a.json", entry(1), entry(2) | just_in_time, entry(3) | late, entry(4) | from_2083)
    undated = written(tmp_path / "b.json", entry(5), entry(6) | from_2083, at=None)
    with Archive([path, undated], now=datetime(2026, 2, 1, tzinfo=UTC)) as archive:
        assert (archive.files, archive.messages) == (2, 3)
        assert [(one.path, one.reason) for one in archive.broken_files] == [
            (path, "2 messages have ids from after the export: left out. The rest of the file is imported."),
            (undated, "1 message has an id from after the export: left out. The rest of the file is imported."),
        ]


def test_of_a_message_exported_again_the_newest_export_counts(tmp_path: Path) -> None:
    old = written(tmp_path / "old.json", entry(1, ANN), entry(2, ANN), at="2026-01-01T00:00:00.0010001+00:00")
    new = written(tmp_path / "new.json", entry(2, BEN), entry(3, ANN), at="2026-01-01T02:30:00+02:00")
    undated = written(tmp_path / "undated.json", entry(1, CAT), entry(3, CAT), entry(4, CAT), at=None)
    for paths in permutations([old, new, undated]):
        assert [message.author_id for message in messages(*paths)] == [ANN, BEN, ANN, CAT]


def test_two_exports_of_the_same_moment_give_the_same_in_either_order(tmp_path: Path) -> None:
    one = written(tmp_path / "1.json", entry(1, ANN, mentions=[{"id": str(CAT)}]), entry(2, BEN))
    two = written(tmp_path / "2.json", entry(1, ANN), entry(2, CAT))
    assert contents(one, two) == contents(two, one)


def test_pieces_hold_so_many_messages_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "PIECE", 60)
    path = written(tmp_path / "a.json", *(entry(2 * number) for number in range(1, 131)))
    with Archive([path]) as archive:
        pieces = list(archive.pieces(CHANNEL))
    assert [len(piece) for piece in pieces] == [60, 60, 10]
    assert [one - FIRST for piece in pieces for one in piece.ids] == list(range(2, 261, 2))


def test_channels_come_by_rising_id(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{channel}.json", entry(1), channel=channel) for channel in (7, 3, 5)]
    assert list(contents(*paths)) == [3, 5, 7]


# Broken files


def test_broken_files_are_named_and_leave_nothing_behind(tmp_path: Path) -> None:
    good = written(tmp_path / "in/good.json", entry(1), entry(2))
    cut = written(tmp_path / "in/cut.json", *(entry(number) for number in range(3, 3000)))
    cut.write_bytes(cut.read_bytes()[:-1])
    direct = written(tmp_path / "in/direct.json", entry(4), guild=0, channel_type="DirectTextChat")
    private = written(tmp_path / "in/private.json", entry(5), channel=THREAD, channel_type="GuildPrivateThread")
    (tmp_path / "in/settings.json").write_text("{}", encoding="utf-8")
    missing = tmp_path / "missing.json"
    with Archive([missing, good.parent]) as archive:
        assert [(broken.path, broken.reason) for broken in archive.broken_files] == [
            (missing, "There is no such file or folder."),
            (cut, "The file is cut off before its end: export it again."),
            (direct, "Exports of direct messages are not imported: Spade records the channels of a guild."),
            (private, "Private threads are not recorded."),
            (good.parent / "settings.json", "The file is JSON, but not an export of DiscordChatExporter."),
        ]
        assert (archive.files, archive.messages, archive.guild_id) == (1, 2, GUILD)
        found = read(archive)
    assert found == contents(good)


def test_a_re_export_that_breaks_takes_nothing_back(tmp_path: Path) -> None:
    good = written(tmp_path / "1.json", entry(1, ANN), entry(2, ANN))
    newer = written(tmp_path / "2.json", entry(1, BEN), entry(2, BEN), entry(3) | {"id": "x"}, at="2027-01-01T00:00Z")
    assert contents(good, newer) == contents(newer, good) == contents(good)


def test_nothing_usable(tmp_path: Path) -> None:
    with Archive([tmp_path / "missing"]) as archive:
        assert (archive.guild_id, archive.files, archive.messages, archive.count_members()) == (None, 0, 0, 0)
        assert archive.channels() == ()
        assert len(archive.broken_files) == 1
    with Archive([]) as archive:
        assert (archive.guild_id, archive.broken_files) == (None, ())


def test_an_export_without_messages_is_usable(tmp_path: Path) -> None:
    with Archive([written(tmp_path / "a.json")]) as archive:
        assert (archive.guild_id, archive.files, archive.messages) == (GUILD, 1, 0)
        assert read(archive) == {CHANNEL: []}


def test_two_guilds_are_one_error_that_lists_both(tmp_path: Path) -> None:
    one = written(tmp_path / "1.json", entry(1))
    two = written(tmp_path / "2.json", entry(2), guild=OTHER_GUILD)
    three = written(tmp_path / "3.json", entry(3), guild=OTHER_GUILD)
    listed = rf"from 2 servers: {GUILD} \(1 file\), {OTHER_GUILD} \(2 files\)\."
    with pytest.raises(SeveralGuildsError, match=listed):
        Archive([one, two, three]).__enter__()
    two.write_bytes(two.read_bytes()[:-1])
    with Archive([one, two]) as archive:  # a broken file of another guild is a broken file only
        assert (archive.guild_id, len(archive.broken_files)) == (GUILD, 1)


def test_one_guild_of_several_is_read_and_the_files_of_others_are_named(tmp_path: Path) -> None:
    one = written(tmp_path / "1.json", entry(1))
    two = written(tmp_path / "2.json", entry(2), guild=OTHER_GUILD, channel=THREAD)
    broken = tmp_path / "3.json"
    broken.write_text("{}", encoding="utf-8")
    with Archive([tmp_path], guild_id=OTHER_GUILD) as archive:
        assert (archive.guild_id, archive.files, archive.messages) == (OTHER_GUILD, 1, 1)
        assert archive.left_out == {GUILD: (one,)}
        assert [file.path for file in archive.broken_files] == [broken]
        assert read(archive) == contents(two)
    with pytest.raises(ExportError, match=rf"None of the files is from the server 5; they are from {GUILD} \(1 file\)"):
        Archive([one], guild_id=5).__enter__()
    with Archive([broken], guild_id=5) as archive:
        assert (archive.guild_id, archive.left_out, len(archive.broken_files)) == (None, {}, 1)


def test_attachments_in_a_folder_of_media_are_passed_over_and_broken_exports_are_not(tmp_path: Path) -> None:
    written(tmp_path / "export.json", entry(1))
    media = tmp_path / "media"
    media.mkdir()
    for name, content in (
        ("list-12345.json", b"[1, 2]"),
        ("package-ABCDE.json", b'{"name": "x"}'),
        ("e-00000.json", b""),
    ):
        (media / name).write_bytes(content)
    with Archive([tmp_path]) as archive:
        assert (archive.files, archive.broken_files) == (1, ())
    exported = (tmp_path / "export.json").read_bytes()
    (media / "part-12345.json").write_bytes(exported[:-5])
    (media / "wide-12345.json").write_bytes(exported.decode().encode("utf-16"))
    with Archive([tmp_path]) as archive:
        assert [file.path.name for file in archive.broken_files] == ["part-12345.json", "wide-12345.json"]
    (media / "notes.json").write_bytes(b"[]")  # so this is no folder of media
    with Archive([tmp_path]) as archive:
        assert len(archive.broken_files) == 6


# The temporary database


def test_the_temporary_database_is_private_and_removed(tmp_path: Path, temporary: Path) -> None:
    with Archive([written(tmp_path / "a.json", entry(1))]):
        (folder,) = temporary.iterdir()
        files = list(folder.iterdir())
        assert files
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_interrupted_reading_leaves_no_temporary_files(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", *(entry(number) for number in range(2000)))

    def interrupt(done: int, total: int) -> None:
        if 0 < done < total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Archive([path], interrupt).__enter__()


def test_no_room_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StoreError, match="temporary files of the import"):
        Archive([written(tmp_path / "a.json", entry(1))]).__enter__()


def test_progress_goes_from_nothing_to_everything(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{n}.json", *(entry(number) for number in range(1000))) for n in range(3)]
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    total = sum(path.stat().st_size for path in paths)
    told: list[tuple[int, int]] = []
    with Archive([tmp_path], lambda done, of: told.append((done, of))):
        pass
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert len(told) > 6


# Size

MEASURED = """
import sys
from pathlib import Path
from bot.exports.archive import Archive
with Archive([Path(sys.argv[1])]) as archive:
    seen = sum(len(piece) for channel in archive.channels() for piece in archive.pieces(channel.place.channel_id))
status = Path("/proc/self/status").read_text()
print(seen, archive.messages, status.split("VmHWM:")[1].split()[0])
"""


def large(path: Path, count: int) -> Path:
    """An indented export of `count` messages, written as plain text because that is quick."""
    pattern = json.dumps(entry(0, ANN, content="words " * 30, embeds=[{"title": "t", "fields": []}]), indent=2)
    head = json.dumps({"guild": {"id": str(GUILD)}, "channel": {"id": str(CHANNEL), "type": "0"}})[:-1]
    with path.open("w", encoding="utf-8") as file:
        file.write(head + ', "messages": [')
        for number in range(count):
            file.write((",\n" if number else "") + pattern.replace(str(FIRST), str(FIRST + number), 1))
        file.write(f'], "messageCount": {count}}}')
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = {}
    for count in (2_000, 200_000):
        path = large(tmp_path / "large.json", count)
        size = path.stat().st_size
        root = Path(__file__).parents[2]
        started = time.perf_counter()
        result = subprocess.run(
            [sys.executable, "-c", MEASURED, path],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - started
        seen, messages, peak = map(int, result.stdout.split())
        assert seen == messages == count
        peaks[count] = peak
        print(f"{count} messages, {size / 1e6:.0f} MB: peak {peak / 1024:.0f} MiB, {seconds:.1f} s with start and end")
    # The temporary database may use up to 16 MB of memory as its cache.
    assert peaks[200_000] - peaks[2_000] < 40_000
