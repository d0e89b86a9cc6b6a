"""The database's URL: SQLite or PostgreSQL, in one form.

SQLAlchemy's `make_url` is no substitute: it accepts most of the mistakes that are named here, such as two slashes.
"""

from pathlib import Path
from urllib.parse import urlsplit

from bot.config_error import ConfigError
from bot.redaction import redact
from bot.strict_yaml import legible

_DATABASE_EXAMPLES = "sqlite:///spade.db or postgresql://user@host/name"


def database_url(text: str) -> str:
    """The URL in the form that the rest of Spade expects: `sqlite:///path` or `postgresql://…`, without a driver.

    Does not check that the database exists.

    Raises:
        ConfigError: What is wrong and what to write instead. It does not name the source of the URL, and contains no
            password.
    """
    url = text.strip()
    if not url:
        raise ConfigError(f"there is no database URL; write {_DATABASE_EXAMPLES}")
    if not url.isprintable():
        raise ConfigError(f"a database URL has no such characters: {legible(redact(url))}; write {_DATABASE_EXAMPLES}")
    scheme, colon, rest = url.partition(":")
    kind, plus, _ = scheme.lower().partition("+")
    if not colon or (len(scheme) == 1 and rest.startswith(("\\", "/"))):  # C:\spade.db also has a colon
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
    """The file of a SQLite URL as `database_url` returns it, relative to the working directory; None for PostgreSQL."""
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
        _ = parts.port  # the access validates it
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
