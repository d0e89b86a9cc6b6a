"""The house rules of the code itself: words, layout, what is stored (docs/rules.md#privacy)."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from bot.cli.main import app
from bot.store.tables import metadata

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for folder in ("bot", "cogs") for path in (ROOT / folder).rglob("*.py"))
LONGEST_MODULE = 450
VAGUE = {"utils", "util", "helpers", "helper", "core", "common", "misc", "base"}
SQLALCHEMYS_OWN = {"process_bind_param", "process_result_value"}
TEXTUAL = re.compile(r"name|nick|content|text|title|topic|avatar|email|message_body|subject")
TEXT_COLUMNS = {
    ("guild", "time_zone"),
    ("guild", "language"),
    ("manager", "time_zone"),
    ("manager", "nudge_weekdays"),
    ("touch", "kind"),
    ("delivery", "delivery_id"),
    ("delivery", "kind"),
    ("delivery", "state"),
    ("delivery", "nonce"),
    ("delivery", "problem"),
    ("nudge_member", "delivery_id"),
    ("nudge_member", "reason"),
    ("nudge_member", "action"),
    ("digest", "delivery_id"),
    ("digest", "figures"),
    ("summary", "question"),  # which period, by which rules
    ("summary", "document"),  # numbers, and whose: managers' ids
    ("fact_change", "kind"),
    ("known_gap", "reason"),
    ("hand_over", "delivery_id"),
    ("imported_message", "kind"),
    ("imported_message", "mentions"),  # ids, divided by spaces
    ("history_job", "kind"),
    ("history_job_channel", "left_out"),
    ("forgotten", "mark"),
    ("installation", "name"),
    ("installation", "value"),
}
"""Every column that holds text. Anything new must be thought about: nobody's name, no message's content."""
WALL_TIME = {("datetime", name) for name in ("now", "utcnow", "today")} | {("date", "today"), ("time", "time")}
NOT_ABOUT_PEOPLE = {("installation", "name")}
"""The name of a setting of the installation itself."""


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    return [(path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert len(MODULES) > 100
    assert [path for path in MODULES if path.stem in VAGUE or path.parent.name in VAGUE] == []


def test_no_function_is_called_by_what_every_function_does() -> None:
    found = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and re.match(r"_*(handle|process)_", node.name)
        and node.name not in SQLALCHEMYS_OWN
    ]
    assert found == []


def test_every_module_says_what_it_is_for_and_can_be_read_in_one_go() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > LONGEST_MODULE} == {}
    migrations = Path("bot", "store", "migrations", "versions")
    assert [path for path, tree in trees() if not ast.get_docstring(tree) and path.parent != migrations] == []


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add(node.module or "")
    return found


def test_the_domain_is_the_standard_library_alone_and_never_waits() -> None:
    for path, tree in trees():
        if path.parts[:2] != ("bot", "domain"):
            continue
        foreign = {
            name
            for name in imported(tree)
            if name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("bot.domain")
        }
        assert foreign == set(), path
        waits = [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef)]
        assert waits == [], path


def test_the_sandbox_knows_nothing_of_the_rest() -> None:
    for path, tree in trees():
        if path.parts[:2] == ("bot", "sandbox"):
            assert {
                name
                for name in imported(tree)
                if name.startswith(("bot", "cogs")) and not name.startswith("bot.sandbox")
            } == set(), path


def test_only_the_clock_reads_wall_time() -> None:
    """`datetime.now`, `datetime.today`, `date.today`, `time.time`: in bot/clock.py, and in the sandbox's own house."""
    found: list[str] = []
    for path, tree in trees():
        if path == Path("bot", "clock.py") or path.parts[:2] == ("bot", "sandbox"):
            continue
        found += [
            f"{path}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in WALL_TIME
        ]
    assert found == []


def test_nothing_is_defined_in_a_cog_that_others_import() -> None:
    """A cog imported and loaded as an extension would be two different classes; only the root builds them."""
    importers = {str(path) for path, tree in trees() if any(name.startswith("cogs") for name in imported(tree))}
    assert importers <= {"bot/app.py", *(name for name in importers if name.startswith("cogs/"))}
    for path, tree in trees():
        if path.parts[0] == "cogs":
            assert not any(name.startswith("cogs") for name in imported(tree)), path


# What is stored.


def test_no_column_could_hold_a_name_or_what_somebody_wrote() -> None:
    columns = {(table.name, column.name): column for table in metadata.sorted_tables for column in table.columns}
    named = {key for key in columns if TEXTUAL.search(key[1])} - NOT_ABOUT_PEOPLE
    assert named == set()
    texts = {key for key, column in columns.items() if column.type.python_type is str}
    assert texts <= TEXT_COLUMNS
    assert not {key for key in TEXT_COLUMNS if key not in columns}


def test_the_words_of_the_columns_say_what_they_hold() -> None:
    """`*_at` is a moment, `*_on` a local date, `*_id` a number (a delivery's is a random text)."""
    kinds = {"_at": "Moment", "_on": "Day", "_id": "Id"}
    for table in metadata.sorted_tables:
        for column in table.columns:
            for ending, kind in kinds.items():
                if not column.name.endswith(ending) or column.name in {"delivery_id", "job_id"}:
                    continue
                found = type(column.type).__name__
                assert found == ("BigInteger" if kind == "Id" else kind) or (found, kind) == ("DayNumber", "Day"), (
                    f"{table.name}.{column.name}"
                )


# What is shipped.


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_no_host_and_pin_everything_with_its_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|--trusted-host)\b", text, re.MULTILINE)
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_readme_tells_of_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [
        command.name or command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback is not None and not command.hidden
    ]
    assert len(names) >= 6
    told = re.compile(r"(?:\bspade |`(?!spade\b))([a-z]+)")
    assert sorted(set(names) - set(told.findall(readme))) == []
