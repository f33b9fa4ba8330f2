"""A process that reads pages for a crawl: `python -m inspection.reading`, pages on its input, facts on its output.

Downloading and reading take about as long as each other; in one process a fast crawl would leave every other core idle.
Most crawls are slow, for the sites' sake: so the process is started only once pages come faster than they are read.
A page that breaks it, or it, costs nothing: the crawl reads that page itself, as it would have without.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import pickle
import struct
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from datetime import date
from typing import BinaryIO

from checks.facts.model import PageKind
from checks.facts.page import read_page
from inspection.garbage import collect_rarely
from inspection.read_pages import ReadPages, packed

FAST = 40, 4.0  # so many pages within so many seconds are worth another process
MOST_WAITING = 12  # pages; that many wait only where reading is the slower half: then the crawl reads some itself
LONGEST = 60.0  # seconds that a page waits
_PIPE = 1 << 20  # bytes; a usual pipe holds three pages, and the crawl may be busy for longer than those take
_LENGTH = struct.Struct(">I")
_log = logging.getLogger(__name__)


class Reader:
    """Reads pages ahead into `pages`, by a process of its own; for one event loop. Close it when that has ended."""

    def __init__(self, pages: ReadPages) -> None:
        self._pages = pages
        self._came: deque[float] = deque(maxlen=FAST[0])
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._way_in: asyncio.WriteTransport | None = None
        self._given_up = False

    async def __call__(
        self, body: bytes, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> None:
        """Return once the page is among those read, or will have to be read by whoever asks for it."""
        if self._pages.has(body, url=url, content_type=content_type, as_of=as_of, kind=kind):
            return
        if not await self._is_ready() or self._way_in is None:
            return
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        page = pickle.dumps((body, url, content_type, as_of, kind), protocol=pickle.HIGHEST_PROTOCOL)
        self._way_in.write(_LENGTH.pack(len(page)) + page)
        overdue = asyncio.get_running_loop().call_later(LONGEST, self._leave)
        content = await done
        overdue.cancel()
        if content:
            self._pages.take(content, body, url=url, content_type=content_type, as_of=as_of, kind=kind)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _leave(self) -> None:
        """Do without a process that is silent: a page that waits for it would hold up its site for ever."""
        self.close()
        self.give_up(TimeoutError(f"no answer within {LONGEST:.0f} s"))

    def answer(self, content: bytes) -> None:
        """Hand out an answer; they come in the order of the questions."""
        done = self._waiting.popleft()
        if not done.done():
            done.set_result(content)

    def give_up(self, error: Exception | None) -> None:
        """Leave what waits, and all that comes, to the crawl."""
        if self._given_up:
            return
        _log.warning("pages are no longer read ahead: %s", error or "the reading process has ended")
        self._given_up = True
        while self._waiting:
            self.answer(b"")

    async def _is_ready(self) -> bool:
        if len(self._waiting) >= MOST_WAITING:
            await asyncio.sleep(0)  # some may be answered, only not heard yet
        if self._given_up or len(self._waiting) >= MOST_WAITING:
            return False
        if self._process is None:
            self._came.append(time.monotonic())
            if len(self._came) < FAST[0] or self._came[-1] - self._came[0] > FAST[1]:
                return False
            await self._start()
        return not self._given_up

    async def _start(self) -> None:
        command = [sys.executable, "-m", __name__]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            self.give_up(error)
            return
        with suppress(OSError):  # more than the system lets us have: the crawl waits for the reader now and then
            fcntl.fcntl(self._process.stdin, fcntl.F_SETPIPE_SZ, _PIPE)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: _Answers(self), self._process.stdout)
        self._way_in, _ = await loop.connect_write_pipe(asyncio.Protocol, self._process.stdin)


class _Answers(asyncio.Protocol):
    """What comes from the process, cut into answers."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._heard = reader, bytearray()

    def data_received(self, data: bytes) -> None:
        """Hand out every answer that is whole."""
        self._heard += data
        while len(self._heard) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._heard)[0]
            if len(self._heard) < end:
                return
            self._reader.answer(bytes(self._heard[_LENGTH.size : end]))
            del self._heard[:end]

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended."""
        self._reader.give_up(exc)


def main() -> int:
    """Answer each page with its facts, or with nothing where it cannot be read, until the input closes."""
    collect_rarely()
    with suppress(BrokenPipeError):
        while head := sys.stdin.buffer.read(_LENGTH.size):
            asked = pickle.loads(_whole(sys.stdin.buffer, _LENGTH.unpack(head)[0]))  # noqa: S301 - from our own parent
            content = _facts(*asked)
            sys.stdout.buffer.write(_LENGTH.pack(len(content)) + content)
            sys.stdout.buffer.flush()
    return 0


def _whole(file: BinaryIO, length: int) -> bytes:
    content = file.read(length)
    if len(content) < length:
        raise SystemExit(1)
    return content


def _facts(body: bytes, url: str, content_type: str, as_of: date, kind: PageKind | None) -> bytes:
    try:
        return packed(read_page(body, url=url, content_type=content_type, as_of=as_of, kind=kind))
    except Exception:  # noqa: BLE001 - a page that breaks our reader is one that the crawl tells of
        _log.exception("page could not be read ahead: %s", url)
        return b""


if __name__ == "__main__":
    sys.exit(main())
