"""The database's URL: SQLite or PostgreSQL, in one form."""

from pathlib import Path
from urllib.parse import urlsplit

from bot.config_error import ConfigError
from bot.redaction import redact
from bot.strict_yaml import legible

_DATABASE_EXAMPLES = "sqlite:///spade.db or postgresql://user@host/name"


def database_url(text: str) -> str:
    """The URL in the form that the rest of Spade relies on: `sqlite:///path` or `postgresql://…`, no driver.

    It does not look whether there is such a database, and never repeats a password.

    Raises:
        ConfigError: What is wrong with it and what to write instead, without naming where it was found.
    """
    url = text.strip()
    if not url:
        raise ConfigError(f"there is no database URL; write {_DATABASE_EXAMPLES}")
    if not url.isprintable():
        raise ConfigError(f"a database URL has no such characters: {legible(redact(url))}; write {_DATABASE_EXAMPLES}")
    scheme, colon, rest = url.partition(":")
    kind, plus, _ = scheme.lower().partition("+")
    if not colon or (len(scheme) == 1 and rest.startswith(("\\", "/"))):  # C:\spade.db has a colon, too
        path = url.replace("\\", "/")
        raise ConfigError(f"{legible(redact(url))} is a path, not a URL; write sqlite:///{path}")
    if kind == "postgres":
        kind = "postgresql"
    if kind not in ("sqlite", "postgresql"):
        raise ConfigError(
            f"Spade keeps its record in SQLite or PostgreSQL, not {legible(scheme)}; write {_DATABASE_EXAMPLES}"
        )
    if plus:
        raise ConfigError(f"Spade chooses the driver itself; write {kind}:// in place of {legible(scheme)}://")
    return _sqlite_url(rest) if kind == "sqlite" else _postgresql_url(rest)


def database_file(url: str) -> Path | None:
    """The file of a SQLite URL as `database_url` returns it, relative to the working directory; else None."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def _sqlite_url(rest: str) -> str:
    path = rest.removeprefix("///")
    if path == rest:
        name = rest.lstrip("/")
        if name:
            raise ConfigError(
                f"sqlite:{legible(rest)} does not have three slashes before its path; write sqlite:///{name} "
                f"(or sqlite:////{name} for the absolute path /{name})"
            )
        path = ""
    if path in ("", ":memory:"):
        raise ConfigError("a SQLite database needs a file, or all would be forgotten; write sqlite:///spade.db")
    if path.startswith("~/"):
        raise ConfigError("~ does not stand for the home folder in a URL; write it out: sqlite:////home/me/spade.db")
    if "?" in path:
        raise ConfigError(f"a SQLite URL takes no options; write sqlite:///{path.partition('?')[0]}")
    if path.endswith("/"):
        raise ConfigError(f"sqlite:///{path} names a folder; write sqlite:///{path}spade.db")
    return f"sqlite:///{path}"


def _postgresql_url(rest: str) -> str:
    if not rest.startswith("//"):
        raise ConfigError("a PostgreSQL URL has two slashes; write postgresql://user@host/name")
    url = f"postgresql:{rest}"
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise ConfigError(
            "the host or port of the PostgreSQL URL cannot be read; write postgresql://user:password@host:5432/name, "
            "with / ? # @ and : in the password escaped as %2F %3F %23 %40 and %3A"
        ) from None
    named = bool(parts.path.strip("/"))
    if parts.fragment or "@" in parts.path or ("@" in parts.query and not named):
        raise ConfigError(
            "the password of the PostgreSQL URL ends too early; write / ? # @ and : in it as %2F %3F %23 %40 and %3A"
        )
    if not named:
        raise ConfigError(
            f"the PostgreSQL URL names no database; write {redact(url.partition('?')[0]).rstrip('/')}/name"
        )
    return url
