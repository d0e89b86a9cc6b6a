"""The log: lines on standard error, as text or JSON, with secrets taken out."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from bot.config import LogSettings
from bot.redaction import redact

# However much is asked for, these stay at their own level or above. The first group prints whole payloads, and
# with them what people wrote; the others tell of every tick, statement or font.
_QUIETER = {
    "discord.gateway": logging.INFO,
    "discord.http": logging.INFO,
    "discord.webhook": logging.INFO,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    "matplotlib": logging.WARNING,
    "PIL": logging.WARNING,
}


def start_log(settings: LogSettings) -> None:
    """Send what the process logs to standard error, as the settings say; a second call replaces the first.

    It touches no other handler, so that whoever embeds Spade keeps their own.
    """
    handler = _StandardError()
    handler.setFormatter(_JsonLines() if settings.format == "json" else _TextLines())
    root = logging.getLogger()
    for earlier in [known for known in root.handlers if isinstance(known, _StandardError)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root.setLevel(level)
    for name, quieter in _QUIETER.items():
        logging.getLogger(name).setLevel(max(level, quieter))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment: a progress bar puts itself before it for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _TextLines(logging.Formatter):
    """A line for people. Secrets are taken out of the finished text, and so wherever they came from."""

    def format(self, record: logging.LogRecord) -> str:
        time = _moment(record).strftime("%Y-%m-%d %H:%M:%SZ")
        lines = [f"{time} {record.levelname:<8} {record.name}: {record.getMessage()}", *_details(record)]
        return redact("\n".join(lines))


class _JsonLines(logging.Formatter):
    """One JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if details := _details(record):
            entry["exception"] = "\n".join(details)
        # Before it becomes JSON: a secret is not to be recognised by how JSON writes it.
        return json.dumps({key: redact(text) for key, text in entry.items()}, ensure_ascii=False)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _details(record: logging.LogRecord) -> list[str]:
    plain = logging.Formatter()
    exception = plain.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else record.exc_text
    return [part for part in (exception, record.stack_info) if part]
