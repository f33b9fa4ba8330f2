"""运行日志: one JSON object a line, of the run and of its children alike, in a file a day; old days are cleared.

Every line has `time`, `level`, `logger`, `process`, `message`, and where they are known `run`, `site`, `url`. Passwords
and personal numbers are in none of them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from checks.reading.masking import masked

FORMAT_VARIABLE = "INSPECT_LOG_FORMAT"  # of standard error: text or json
DAYS_VARIABLE = "INSPECT_LOG_DAYS"
KEPT_DAYS = 30
TOLD = ("run", "site", "url")
_CREDENTIALS = re.compile(r"(\w://)[^/\s@'\"]*@")
_SECRET = re.compile(r"(?i)\b(password|passwd|token|secret)=[^\s&'\"]+")
_FILE = re.compile(r"xuncha-(\d{4}-\d{2}-\d{2})\.jsonl")


def harmless(text: str) -> str:
    """Return the text without passwords, tokens and personal numbers."""
    return masked(_SECRET.sub(r"\1=***", _CREDENTIALS.sub(r"\1***@", text)))


class JsonLines(logging.Formatter):
    """Makes one JSON object of a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": harmless(record.getMessage()),
        }
        line |= {name: _plain(getattr(record, name)) for name in TOLD if getattr(record, name, None) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = harmless("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line, ensure_ascii=False)


class Text(logging.Formatter):
    """Makes one line for people of a record; what is wrong with the program itself keeps its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return harmless(super().format(record))


class DailyFile(logging.Handler):
    """Appends each line to the file of its day, which several processes share: a line is one write.

    A folder that cannot be written loses lines and stops nothing.
    """

    def __init__(self, folder: Path, kept_days: int) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JsonLines())
        self._folder, self._kept_days = folder, kept_days
        self._day: date | None = None
        self._descriptor = -1

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        day = datetime.fromtimestamp(record.created, UTC).astimezone().date()
        try:
            if day != self._day:
                self._turn_to(day)
            os.write(self._descriptor, (self.format(record) + "\n").encode(errors="replace"))
        except OSError:
            self._day = None

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()

    def _turn_to(self, day: date) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(self._folder / f"xuncha-{day}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._day = opened, day
        clear(self._folder, day - timedelta(days=self._kept_days))


class OfRun(logging.Filter):
    """Adds the run to the records of a process that works for one; `run` is None before it is known."""

    run: int | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if getattr(record, "run", None) is None:
            record.run = self.run
        return True


_of_run = OfRun()


def keep_logs(folder: Path, *, run: int | None = None, child: bool = False) -> None:
    """Send what this process logs to the folder, warnings also to standard error; calling it again changes the run.

    A child's standard error is a file of its own, for what breaks; its warnings stand in the common file alone.
    """
    note_run(run)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, DailyFile | _Shown)]:
        root.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [DailyFile(folder, _kept_days())]
    if not child:
        handlers.append(_Shown())
    for handler in handlers:
        handler.addFilter(_of_run)
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "alembic", "apscheduler.scheduler", "apscheduler.executors.default", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def note_run(run: int | None) -> None:
    """Say which run this process works for from now on."""
    _of_run.run = run


class _Shown(logging.StreamHandler):  # type: ignore[type-arg]
    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setLevel(logging.WARNING)
        as_json = os.environ.get(FORMAT_VARIABLE, "").lower() == "json"
        self.setFormatter(JsonLines() if as_json else Text("%(message)s"))


def clear(folder: Path, before: date) -> None:
    """Remove the logs of days before a day, those of single children too; what cannot be removed stays."""
    for path in folder.iterdir():
        dated = _FILE.fullmatch(path.name)
        try:
            day = date.fromisoformat(dated[1]) if dated else _last_written(path)
            if (dated or path.name.startswith("run-")) and day < before:
                path.unlink()
        except (OSError, ValueError):
            continue


def _last_written(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()


def _kept_days() -> int:
    wanted = os.environ.get(DAYS_VARIABLE, "")
    return max(1, int(wanted)) if wanted.isdecimal() else KEPT_DAYS


def _plain(value: object) -> object:
    return value if isinstance(value, int) else harmless(str(value))
