"""The commands of `spade`. Each is imported when it is run: all together take seconds, and a hundred megabytes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command is, as a module of this package and a function in it, and what its help begins with."""

    module: str
    function: str
    summary: str


COMMANDS = {
    "demo": CommandEntry("demo", "demo", "See Spade do its whole job on a real community's record."),
    "init": CommandEntry("init", "init", "Write a configuration with every key explained."),
    "import": CommandEntry("imports", "import_exports", "Put exports of DiscordChatExporter on record."),
    "run": CommandEntry("run", "run", "Run the bot until it is stopped."),
    "backfill": CommandEntry("backfill", "backfill", "Read history from before the bot came."),
    "backup": CommandEntry("backup", "backup", "Copy the database, also while the bot runs, and check the copy."),
    "restore": CommandEntry("backup", "restore", "Put a backup in the place of the database."),
    "migrate": CommandEntry("backup", "migrate", "Bring the database to this version's schema."),
    "digest": CommandEntry("digest", "digest", "Show a week's digest: the team's figures and each manager's."),
    "export": CommandEntry("export", "export", "Write the team's relationships and weekly figures as CSV files."),
    "nudges": CommandEntry("nudges", "nudges", "Preview a manager's nudge at any moment, by the record alone."),
    "privacy": CommandEntry("privacy", "privacy", "Print all that is stored about a person as JSON, or erase it."),
    "check": CommandEntry("check", "check", "Check that everything is in place to start the bot."),
}


class CommandGroup(TyperGroup):
    """Commands that are known by their entries alone until one of them is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401 - Typer's
        """The command that the arguments name, imported now, and the arguments after its name."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else _loaded(name), rest


def new_app() -> typer.Typer:
    """An app with an entry for each command."""
    app = _bare_app(cls=CommandGroup)
    for name, entry in COMMANDS.items():
        app.command(name, help=entry.summary)(_not_imported)
    return app


def function_of(name: str) -> Any:  # noqa: ANN401 - each command has parameters of its own
    """The function of a command."""
    entry = COMMANDS[name]
    with _kept():
        return getattr(import_module(f"bot.cli.{entry.module}"), entry.function)


@contextmanager
def _kept() -> Iterator[None]:
    """Leave what is made in the block to no garbage collection, neither now nor later.

    Modules last as long as the process; to look through them while they are loaded takes a fifth of the time.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collected:
            gc.enable()


def _loaded(name: str) -> Any:  # noqa: ANN401 - a command of Typer's
    app = _bare_app()
    app.command(name)(function_of(name))
    return typer.main.get_command(app)


def _bare_app(cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    return typer.Typer(
        name="spade",
        cls=cls,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _not_imported() -> None:
    """Stands for a command in the list of all."""
