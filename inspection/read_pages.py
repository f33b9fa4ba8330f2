"""已读页面: the facts of pages, each read once, kept from night to night.

The crawl reads a page to know where to go on, the probes to know what to ask, the checks to judge it, and tomorrow
most pages are what they are tonight: the same bytes, asked the same. What was read lies in <data>/facts/pages.sqlite3,
by the digest of the bytes and all else that reading depends on: the code of the readers, and the day where the page's
facts hang on it. It is no evidence and decides nothing: what is missing or damaged there is read from the bytes again,
with the same result.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import logging
import pickle
import sqlite3
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cache, lru_cache, partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from checks.facts import model, page
from checks.facts.model import Link, PageFacts, PageKind
from checks.facts.page import read_page

BATCH = 100  # pages a transaction
MOST = 500_000  # pages kept, about 5 KB each; beyond, those go that were not used for the longest
_PATIENCE = 30.0  # seconds for another process that writes
_CHECK = 16  # bytes
_MANNERS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA cache_size=-2000")
_RUN = 16  # links, on average
_FORM = 2  # of the tables: those of another form go, with what lies in them
_TABLES = (
    "CREATE TABLE facts (key BLOB PRIMARY KEY, read_on TEXT NOT NULL, of_day INTEGER NOT NULL, content BLOB NOT NULL)",
    "CREATE TABLE uses (key BLOB PRIMARY KEY, used_on TEXT NOT NULL) WITHOUT ROWID",
)
_VALID = "FROM facts WHERE key = ? AND (read_on = ? OR (read_on < ? AND NOT of_day))"
_OLD = "(SELECT key FROM uses WHERE used_on < ?)"
_TOO_MANY = "(SELECT key FROM uses ORDER BY used_on DESC, key LIMIT -1 OFFSET ?)"
_log = logging.getLogger(__name__)


class ReadPages:
    """The pages that were read; for one process, and one thread of it. `day` is that of the run that uses them."""

    def __init__(self, path: Path, day: date) -> None:
        self._path, self._day = path, day
        self._pending: dict[bytes, tuple[date, bytes]] = {}
        self._used: set[bytes] = set()
        self._file: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            for statement in _MANNERS:
                self._file.execute(statement)
            if _form(self._file) != _FORM:
                self._make_tables(self._file)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def _make_tables(self, file: sqlite3.Connection) -> None:
        file.execute("BEGIN IMMEDIATE")
        if _form(file) != _FORM:  # and no other process was quicker
            for table in ("facts", "uses"):
                file.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in (*_TABLES, f"PRAGMA user_version={_FORM}"):
                file.execute(statement)
        file.execute("COMMIT")

    def read(
        self, body: bytes, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> PageFacts:
        """Return the facts of a page, as `read_page` does, and keep them."""
        key = _key(hashlib.sha256(body).hexdigest(), url, content_type, kind)
        if (known := self._known(key, as_of)) is not None:
            return known
        facts = read_page(body, url=url, content_type=content_type, as_of=as_of, kind=kind)
        self._keep(key, as_of, packed(facts))
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
        self._keep(_key(hashlib.sha256(body).hexdigest(), url, content_type, kind), as_of, content)

    def known(
        self, digest: str, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> PageFacts | None:
        """Return the facts that were read of these bytes; None where they have yet to be read."""
        return self._known(_key(digest.removeprefix("sha256:"), url, content_type, kind), as_of)

    def has(
        self, body: bytes, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> bool:
        """Tell whether a page was read, as far as can be told without looking at what was kept of it."""
        key = _key(hashlib.sha256(body).hexdigest(), url, content_type, kind)
        return self._row("1", key, as_of) is not None

    def flush(self) -> None:
        """Let other processes see what this one has read."""
        pending, self._pending = self._pending, {}
        used, self._used = self._used, set()
        if self._file is None or not (pending or used):
            return
        rows = (
            (key, as_of.isoformat(), bool(content[0]), _check(key, content) + content)
            for key, (as_of, content) in pending.items()
        )
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", rows)
            day = self._day.isoformat()
            self._file.executemany("INSERT OR REPLACE INTO uses VALUES (?, ?)", ((key, day) for key in used))
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def drop_unused(self, days: int) -> None:
        """Remove what was not used for so many days before this one, and what is too much."""
        self.flush()
        for which, bound in ((_OLD, (self._day - timedelta(days=days)).isoformat()), (_TOO_MANY, MOST)):
            if self._file is not None:
                try:
                    for table in ("facts", "uses"):
                        self._file.execute(f"DELETE FROM {table} WHERE key IN {which}", (bound,))  # noqa: S608 ours
                except sqlite3.Error as error:
                    self._give_up(error)

    def close(self) -> None:
        """Keep what is pending and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _keep(self, key: bytes, as_of: date, content: bytes) -> None:
        self._pending[key] = as_of, content
        self._use(key)

    def _use(self, key: bytes) -> None:
        self._used.add(key)
        if len(self._pending) >= BATCH or len(self._used) >= 10 * BATCH:
            self.flush()

    def _known(self, key: bytes, as_of: date) -> PageFacts | None:
        pending = self._pending.get(key)
        if pending is not None and pending[0] == as_of:
            return unpacked(pending[1])
        row = self._row("content", key, as_of)
        if row is None or not isinstance(row[0], bytes) or row[0][:_CHECK] != _check(key, row[0][_CHECK:]):
            return None
        self._use(key)
        return unpacked(row[0][_CHECK:])

    def _row(self, column: str, key: bytes, as_of: date) -> tuple[Any, ...] | None:
        day = as_of.isoformat()
        try:
            row: tuple[Any, ...] | None = (
                self._file and self._file.execute(f"SELECT {column} {_VALID}", (key, day, day)).fetchone()
            )
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return row

    def _give_up(self, error: Exception) -> None:
        """Go on without the file: every page can be read again. One that is damaged makes way for a new one."""
        _log.warning("pages are read again: %s", error)
        if self._file is not None:
            self._file.close()
        self._file = None
        if type(error) is sqlite3.DatabaseError:  # its kinds tell of locks, full disks and our own faults
            for ending in ("", "-wal", "-shm"):
                with suppress(OSError):
                    self._path.with_name(self._path.name + ending).unlink()


def path_of(data: Path) -> Path:
    """Return where the pages read are kept."""
    return data / "facts" / "pages.sqlite3"


@contextmanager
def pages_read(data: Path, day: date) -> Iterator[ReadPages]:
    """Open the pages read, for a run of a day."""
    pages = ReadPages(path_of(data), day)
    try:
        yield pages
    finally:
        pages.close()


def _form(file: sqlite3.Connection) -> int:
    """Return the form of the tables in a file; 0 where there are none, or of the time before forms were told apart."""
    return int(file.execute("PRAGMA user_version").fetchone()[0])


# ---------------------------------------------------------------- keys


@cache
def _reader() -> str:
    """What a page is read by: our code and the parser."""
    files = sorted(Path(page.__file__).parent.glob("*.py"))
    code = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    return f"{code} {version('lxml')} {version('beautifulsoup4')}"


def _key(digest: str, url: str | None, content_type: str | None, kind: PageKind | None) -> bytes:
    asked = (digest, url, content_type, kind and kind.value, _reader())
    return hashlib.blake2b(repr(asked).encode("utf-8", "surrogatepass"), digest_size=20).digest()


def _check(key: bytes, content: bytes) -> bytes:
    """Return what tells whether a content is the one that was kept under a key."""
    return hashlib.blake2b(content, key=key, digest_size=_CHECK).digest()


# ---------------------------------------------------------------- facts as bytes

_VALUES = [value for value in vars(model).values() if is_dataclass(value) and value.__module__ == model.__name__]


def _parts(value: Any) -> tuple[type, tuple[Any, ...]]:
    return type(value), tuple([getattr(value, name) for name in _names(type(value))])


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


_NAMES = [field.name for field in fields(PageFacts)]
_LINKS = _NAMES.index("links")
_link = partial(tuple.__new__, Link)


def _page_parts(page: PageFacts) -> tuple[Any, tuple[Any, ...]]:
    """Take a page apart, its links run by run: hundreds of values of our own would take the longest to make, and most
    of them a site's pages have alike."""
    values = [getattr(page, name) for name in _NAMES]
    values[_LINKS] = tuple(pickle.dumps(tuple(zip(*run, strict=True))) for run in _runs(page.links))
    return _page_of, tuple(values)


def _runs(links: Sequence[Link]) -> Iterator[Sequence[Link]]:
    """Cut links where they themselves say: what two pages list alike is then cut alike, whatever stands around it."""
    begun = 0
    for number, link in enumerate(links, 1):
        if not zlib.crc32(link.url.encode("utf-8", "surrogatepass")) % _RUN or number - begun == 4 * _RUN:
            yield links[begun:number]
            begun = number
    if begun < len(links):
        yield links[begun:]


@lru_cache(maxsize=1000)
def _links_of(run: bytes) -> tuple[Link, ...]:
    return tuple(map(_link, zip(*_Unpickler(io.BytesIO(run)).load(), strict=True)))


def _page_of(*values: Any) -> PageFacts:
    links = tuple(chain.from_iterable(map(_links_of, values[_LINKS])))
    return PageFacts(*values[:_LINKS], links, *values[_LINKS + 1 :])


_REDUCERS = copyreg.dispatch_table | dict.fromkeys(_VALUES, _parts) | {PageFacts: _page_parts}


_READERS = "checks.facts."
_PLAIN = {
    ("datetime", "date"): date,
    ("builtins", "frozenset"): frozenset,
    (Link.__module__, Link.__name__): Link,
    (__name__, _page_of.__name__): _page_of,
}


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
    """Return facts as bytes, of which the first tells whether they are `day_dependent`."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(facts)
    return bytes([facts.day_dependent]) + zlib.compress(out.getvalue(), 1)


def unpacked(content: bytes) -> PageFacts | None:
    """Return the facts that `packed` made bytes of; None for anything else."""
    try:
        facts = _Unpickler(io.BytesIO(zlib.decompress(content[1:]))).load()
    except (pickle.UnpicklingError, zlib.error, ValueError, TypeError, AttributeError, EOFError, LookupError):
        return None
    return facts if isinstance(facts, PageFacts) else None
