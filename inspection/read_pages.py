"""已读页面: the facts of the pages of one run, each read once, kept beside the run while it is under way.

The crawl reads a page to know where to go on, the probes to know what to ask, the checks to judge it: the same bytes,
asked the same. What was read lies in a file of its own, <data>/facts/<run>.sqlite3, by the digest of the bytes and all
else that reading depends on. It is no evidence and decides nothing: what is missing or damaged there is read from the
bytes again, with the same result, and the file goes when the run is done.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import logging
import pickle
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from checks.facts import model, page
from checks.facts.model import PageFacts, PageKind
from checks.facts.page import read_page

BATCH = 100  # pages a transaction
_LEFT_SECONDS = 7 * 86_400
_PATIENCE = 30.0  # seconds for another process that writes
_MANNERS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-2000")
_TABLE = "CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID"
_log = logging.getLogger(__name__)


class ReadPages:
    """The pages that were read in one run; for one process, and one thread of it."""

    def __init__(self, path: Path) -> None:
        self._pending: dict[bytes, bytes] = {}
        self._file: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            for statement in (*_MANNERS, _TABLE):
                self._file.execute(statement)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def read(
        self, body: bytes, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> PageFacts:
        """Return the facts of a page, as `read_page` does, and keep them."""
        key = _key(hashlib.sha256(body).hexdigest(), url, content_type, as_of, kind)
        if (known := self._known(key)) is not None:
            return known
        facts = read_page(body, url=url, content_type=content_type, as_of=as_of, kind=kind)
        self._keep(key, packed(facts))
        return facts

    def take(
        self,
        content: bytes,
        body: bytes,
        *,
        url: str | None,
        content_type: str | None,
        as_of: date,
        kind: PageKind | None,
    ) -> None:
        """Keep what another process has read and `packed`."""
        self._keep(_key(hashlib.sha256(body).hexdigest(), url, content_type, as_of, kind), content)

    def known(
        self, digest: str, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> PageFacts | None:
        """Return the facts that were read of these bytes; None where they have yet to be read."""
        return self._known(_key(digest.removeprefix("sha256:"), url, content_type, as_of, kind))

    def flush(self) -> None:
        """Let other processes see what this one has read."""
        pending, self._pending = self._pending, {}
        if self._file is None or not pending:
            return
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", pending.items())
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Keep what is pending and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _keep(self, key: bytes, content: bytes) -> None:
        self._pending[key] = content
        if len(self._pending) >= BATCH:
            self.flush()

    def _known(self, key: bytes) -> PageFacts | None:
        content = self._pending.get(key)
        try:
            if content is None and self._file is not None:
                row = self._file.execute("SELECT content FROM facts WHERE key = ?", (key,)).fetchone()
                content = row[0] if row else None
        except sqlite3.Error as error:
            self._give_up(error)
        return None if content is None else unpacked(content)

    def _give_up(self, error: Exception) -> None:
        """Go on without the file: every page can be read again."""
        _log.warning("pages are read again: %s", error)
        self._file = None


def path_of(data: Path, run_id: int) -> Path:
    """Return where the pages read in a run are kept."""
    return data / "facts" / f"{run_id}.sqlite3"


@contextmanager
def pages_read(data: Path, run_id: int) -> Iterator[ReadPages]:
    """Open the pages read in a run."""
    pages = ReadPages(path_of(data, run_id))
    try:
        yield pages
    finally:
        pages.close()


def forget(data: Path, run_id: int) -> None:
    """Remove what a run has read, for it is done; and what runs have left that nobody went on with."""
    mine = path_of(data, run_id)
    old = time.time() - _LEFT_SECONDS
    for path in mine.parent.glob("*.sqlite3*"):
        with suppress(FileNotFoundError):  # another run's last process has just closed it
            if path.name.partition(".")[0] == mine.stem or path.stat().st_mtime < old:
                path.unlink()


# ---------------------------------------------------------------- keys


@cache
def _reader() -> str:
    """What a page is read by: our code and the parser."""
    files = sorted(Path(page.__file__).parent.glob("*.py"))
    code = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    return f"{code} {version('lxml')} {version('beautifulsoup4')}"


def _key(digest: str, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None) -> bytes:
    asked = (digest, url, content_type, as_of.isoformat(), kind and kind.value, _reader())
    return hashlib.blake2b(repr(asked).encode("utf-8", "surrogatepass"), digest_size=20).digest()


# ---------------------------------------------------------------- facts as bytes

_VALUES = [value for value in vars(model).values() if is_dataclass(value) and value.__module__ == model.__name__]
_CHECK = 16  # bytes


def _parts(value: Any) -> tuple[type, tuple[Any, ...]]:
    return type(value), tuple([getattr(value, name) for name in _names(type(value))])


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


_REDUCERS = copyreg.dispatch_table | dict.fromkeys(_VALUES, _parts)


_READERS = "checks.facts."
_PLAIN = {("datetime", "date"): date, ("builtins", "frozenset"): frozenset}


class _Unpickler(pickle.Unpickler):
    """Makes facts and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class of facts; raises UnpicklingError for any other name."""
        if (module, name) in _PLAIN:
            return _PLAIN[module, name]
        found = getattr(sys.modules.get(module), name, None) if module.startswith(_READERS) else None
        if isinstance(found, type) and (issubclass(found, Enum) or is_dataclass(found)):
            return found
        raise pickle.UnpicklingError(f"no part of facts: {module}.{name}")


def packed(facts: PageFacts) -> bytes:
    """Return facts as bytes, behind a digest of them."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(facts)
    content = zlib.compress(out.getvalue(), 1)
    return hashlib.blake2b(content, digest_size=_CHECK).digest() + content


def unpacked(content: bytes) -> PageFacts | None:
    """Return the facts that `packed` made bytes of; None for anything else."""
    check, rest = content[:_CHECK], content[_CHECK:]
    if hashlib.blake2b(rest, digest_size=_CHECK).digest() != check:
        return None
    try:
        facts = _Unpickler(io.BytesIO(zlib.decompress(rest))).load()
    except (pickle.UnpicklingError, zlib.error, ValueError, TypeError, AttributeError, EOFError, LookupError):
        return None
    return facts if isinstance(facts, PageFacts) else None
