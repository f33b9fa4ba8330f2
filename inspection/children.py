"""Child processes that crawl: started, listened to, and never left behind.

Twisted's reactor runs once a process and a browser grows with every page, so each batch of sites gets a process of its
own. A child reads its job as one JSON line from standard input and reports as JSON lines on standard output. It ends
itself when its standard input closes, so that a killed parent leaves no crawler behind on somebody's server.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

Event = dict[str, Any]
ORPHANED = 70
_logger = logging.getLogger(__name__)


class Children:
    """The children of one parent; `stop` ends them all, so that an interrupted parent leaves nothing running."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}  # carries what must not stand on a command line
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(
        self, module: str, job: Mapping[str, Any], *, log: Path, on_event: Callable[[Event], None], time_limit: float
    ) -> int:
        """Run `python -m module` on a job to its end and return the exit code.

        `time_limit` is in seconds; past it the child is killed and -9 returned. Its standard error goes to `log`.
        """
        with _opened(log) as log_file, self._started(module, log_file) as child:
            guard = threading.Timer(time_limit, child.kill)
            guard.start()
            try:
                _send(child, job)
                for event in _events(child):
                    on_event(event)
                return child.wait()
            finally:
                guard.cancel()

    def stop(self) -> None:
        """End every child at once and start no more."""
        self._stopped = True
        for child in tuple(self._running):
            child.kill()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    @contextmanager
    def _started(self, module: str, log_file: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        child = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            env=self._environment,
            start_new_session=True,  # Ctrl+C reaches the parent alone, which then ends its children itself
        )
        self._running.add(child)
        try:
            if self._stopped:  # while this one was being started
                child.kill()
            yield child
        finally:
            child.kill()
            child.wait()
            self._running.discard(child)


def _opened(log: Path) -> IO[bytes]:
    """Open a log; where its folder cannot be used its text goes to our own standard error: that stops no night."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("ab")
    except OSError as error:
        _logger.warning("日志写不进 %s（%s），改写到标准错误；巡查照常进行。", log, error.strerror)
        return os.fdopen(os.dup(sys.__stderr__.fileno() if sys.__stderr__ else 2), "ab")


def _send(child: subprocess.Popen[bytes], job: Mapping[str, Any]) -> None:
    assert child.stdin is not None
    with suppress(BrokenPipeError):  # a child that is gone already tells by its exit code
        child.stdin.write(json.dumps(job).encode() + b"\n")
        child.stdin.flush()


def _events(child: subprocess.Popen[bytes]) -> Iterator[Event]:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(b"{"):
            yield json.loads(line)


# ---------------------------------------------------------------- inside the child


def receive_job() -> dict[str, Any]:
    """Read the job from standard input, and from then on end the process when the parent is gone."""
    job: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    return job


def _leave_with_parent() -> None:
    # A raw read: the buffered reader's lock would be held at interpreter exit and stop a clean end.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(ORPHANED)


def emit(event: Mapping[str, Any]) -> None:
    """Report one event to the parent."""
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()
