"""`spade import`: adds the files of DiscordChatExporter to the record."""

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli.confirmation import confirm
from bot.cli.failure import INTERRUPTED, Failure
from bot.cli.options import ConfigOption, DatabaseOption, JsonOption, checked_ids, settings_of, zone_named
from bot.clock import SystemClock
from bot.config import Settings
from bot.domain.retention import first_day_kept
from bot.exports.archive import Archive
from bot.exports.error import ExportError, SeveralGuildsError
from bot.exports.file_search import BrokenFile
from bot.services.record.imports import Imported, Importer
from bot.store import activity, guilds, history_jobs, managers
from bot.store.database import Database, StoreError, open_database

_REPLACE = "First forget all that is recorded. Settings, managers, opt-outs and erasures stay."
_UNPLACED = (
    "The file does not say in which channel its thread is, which may be one that this server excludes (/settings "
    "exclude): export it again with a newer version of DiscordChatExporter."
)


def import_exports(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Exports as JSON, or folders of them.")],
    manager: Annotated[
        list[int] | None,
        typer.Option(
            "--manager",
            metavar="ID",
            help="A manager's user id; repeat for more. Needed once, with the first files.",
            callback=checked_ids,
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone",
            metavar="ZONE",
            help="The guild's time zone, as Europe/Berlin; UTC if none is known. Needed once, with the first files.",
        ),
    ] = None,
    guild: Annotated[
        int | None,
        typer.Option("--guild", metavar="ID", help="Import this server alone, out of several.", callback=checked_ids),
    ] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help=_REPLACE)] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --replace.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put exports of DiscordChatExporter on record.

    Files may overlap and come in any order, in one command or in several: the record is the same. What is on record
    already is skipped. A command records all of its files or, if it is stopped, nothing.

    A file vouches for the messages in it and for no others: what a message filter of the exporter left out is added by
    a file that has it. Import a thread with its beginning and its channel, so that it is known who opened it.

    The managers and the time zone are those of /setup, or are named here with the first files. The bot must not be
    running.

    Broken files are named and left out; the exit status is 1 then, with everything else imported. The same holds for
    messages that would be from after their export, and for threads that may be in an excluded channel.
    """
    settings = settings_of(config, database)
    zone = None if time_zone is None else zone_named(time_zone)
    try:
        with (
            _few_collections(),
            _Bar() as bar,
            Archive(paths, bar.reading, guild_id=guild, now=SystemClock().now()) as archive,
        ):
            if archive.guild_id is not None:
                if replace and not yes:
                    bar.stop()
                    _ask(archive.guild_id)
                result = asyncio.run(
                    _run(archive, archive.guild_id, settings, frozenset(manager or ()), zone, bar, replace=replace)
                )
            else:
                result = _document(archive, Imported(), 0)
            left_out = archive.left_out
    except SeveralGuildsError as error:
        raise Failure(f"{error} Import one at a time: name it with --guild", status=2) from error
    except (ExportError, StoreError) as error:
        raise Failure(str(error)) from error
    except KeyboardInterrupt:
        raise Failure("stopped: nothing was recorded, the same command begins again", status=INTERRUPTED) from None
    _tell_left_out(left_out)
    if as_json:
        print(json.dumps(result))
    elif result["guild_id"] is not None:
        _print_summary(result)
    if result["broken_files"]:
        raise Failure("\n".join(f"left out {file['path']}: {file['reason']}" for file in result["broken_files"]))
    if result["guild_id"] is None:
        raise Failure("there is nothing to import: name export files, or a folder with some in it")


@contextmanager
def _few_collections() -> Iterator[None]:
    """Have Python look for unreachable cycles seldom: an import makes millions of objects, and hardly any cycle."""
    thresholds = gc.get_threshold()
    gc.freeze()  # what was loaded stays until the end
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


async def _run(
    archive: Archive,
    guild_id: int,
    settings: Settings,
    manager_ids: frozenset[int],
    zone: ZoneInfo | None,
    bar: "_Bar",
    *,
    replace: bool,
) -> dict[str, Any]:
    database = await open_database(settings.database, write=True)
    try:
        importer = Importer(database, settings.domain_rules(), SystemClock())
        progress = bar.recording(archive.messages)
        imported = await importer.run(archive, guild_id, manager_ids, zone, replace=replace, progress=progress)
        members = archive.count_members(await _managers(database, guild_id))
        await _tell_not_kept(database, guild_id)
        await _tell_unread(database, guild_id)
        if imported.excluded:
            print(
                f"spade: this server excludes {imported.excluded} of the channels and threads in the files (/settings "
                "exclude): nothing of them was imported",
                file=sys.stderr,
            )
    finally:
        await database.close()
    return _document(archive, imported, members)


async def _tell_not_kept(database: Database, guild_id: int) -> None:
    """Say that something is on record now that is older than the guild keeps."""
    async with database.reading() as connection:
        settings, first_on = (
            await guilds.settings_of(connection, guild_id),
            await activity.first_day(connection, guild_id),
        )
    day = None if settings is None else first_day_kept(settings, SystemClock().now())
    if settings is not None and day is not None and first_on is not None and first_on < day:
        print(
            f"spade: this server keeps {settings.keep_months} months of its record (/settings keep): what is older "
            f"than {day} goes again as soon as the bot runs",
            file=sys.stderr,
        )


async def _tell_unread(database: Database, guild_id: int) -> None:
    """Say that no managers are known, or that the past of some has still to be read."""
    async with database.reading() as connection:
        people, jobs = await managers.people(connection, guild_id), await history_jobs.unfinished(connection, guild_id)
    if not people:
        print("spade: no managers are known, so nothing counts as an answer: name them with --manager", file=sys.stderr)
    elif any(job.manager_id is not None for job in jobs):
        print(
            "spade: managers were named after a part of the record was made, which lacks their answers: the bot reads "
            "it again when it runs; or import those files again with --manager, all files of a channel in one command",
            file=sys.stderr,
        )


async def _managers(database: Database, guild_id: int) -> frozenset[int]:
    async with database.reading() as connection:
        return await managers.people(connection, guild_id)


def _document(archive: Archive, imported: Imported, members: int) -> dict[str, Any]:
    unplaced = [BrokenFile(path, _UNPLACED) for one in imported.unplaced for path in archive.paths_by_channel[one]]
    return {
        "guild_id": str(archive.guild_id) if archive.guild_id is not None else None,
        "files": archive.files,
        "broken_files": [
            {"path": str(file.path), "reason": file.reason} for file in (*archive.broken_files, *unplaced)
        ],
        "messages": archive.messages,
        "members": members,
        "touches": {kind.value: count for kind, count in sorted(imported.touches.items())},
        "unresolved_replies": archive.unresolved_replies,
        "skipped_known": imported.known,
    }


def _print_summary(result: dict[str, Any]) -> None:
    touches = ", ".join(f"{count} {kind}" for kind, count in result["touches"].items()) or "none"
    print(f"Files: {result['files']}. Messages: {result['messages']}, of members: {result['members']}.")
    print(f"Messages already on record: {result['skipped_known']}. New touches: {touches}.")
    if result["unresolved_replies"]:
        print(
            f"Replies to messages that are in none of these files: {result['unresolved_replies']} (other imports may "
            "have them)."
        )


def _tell_left_out(files: Mapping[int, Sequence[Path]]) -> None:
    for guild_id, paths in sorted(files.items()):
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        print(f"spade: left out {paths[0]}{more}: of the server {guild_id}", file=sys.stderr)


def _ask(guild_id: int) -> None:
    confirm(
        f"Forget all that is recorded of the server {guild_id}, also what no export brings back (contact that managers "
        "noted, nudges and digests that were sent)?",
        "--replace asks before it forgets a record",
    )


class _Bar(Progress):
    """Two bars on standard error, for reading and for recording; not shown if it is not a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._reading = self.add_task("Reading  ", total=None)

    def reading(self, done: int, total: int) -> None:
        """Show that `done` of `total` bytes were read."""
        self.update(self._reading, completed=done, total=max(total, 1))

    def recording(self, messages: int) -> Callable[[int], None]:
        """Start the second bar; the returned function is told how many more messages were recorded."""
        return partial(self.advance, self.add_task("Recording", total=max(messages, 1)))
