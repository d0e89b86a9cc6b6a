"""The log: lines on standard error, as text or JSON, with secrets redacted.

The formatters are our own because redaction comes between formatting and JSON encoding.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from bot.redaction import redact

# The lowest level of these loggers, whatever the settings say. Those of discord log whole payloads, and so message
# content, or a line for each try to connect, where Spade has a line for each outage. The others log every tick
# or statement, and a tick that waits for Discord once more.
_QUIETER = {
    "discord.client": logging.WARNING,
    "discord.gateway": logging.WARNING,
    "discord.http": logging.INFO,
    "discord.webhook": logging.INFO,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "apscheduler": logging.ERROR,
}


def start_log(level: str = "info", form: str = "text") -> None:
    """Log to standard error, from a level on, as "text" or "json". A second call replaces the first.

    Handlers that others have added are left alone.
    """
    handler = _StandardError()
    handler.setFormatter(_JsonLines() if form == "json" else _TextLines())
    root = logging.getLogger()
    for earlier in [known for known in root.handlers if isinstance(known, _StandardError)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    lowest = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(lowest)
    for name, quieter in _QUIETER.items():
        logging.getLogger(name).setLevel(max(lowest, quieter))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to the current `sys.stderr`, which a progress bar replaces while it is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _TextLines(logging.Formatter):
    """A line for people. The finished text is redacted, so that secrets in arguments and tracebacks are covered."""

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
        # Redacted before encoding: JSON's escapes could hide a secret from the patterns.
        return json.dumps({key: redact(text) for key, text in entry.items()}, ensure_ascii=False)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _details(record: logging.LogRecord) -> list[str]:
    plain = logging.Formatter()
    exception = plain.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else record.exc_text
    return [part for part in (exception, record.stack_info) if part]
