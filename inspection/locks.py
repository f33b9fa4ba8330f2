"""Locks between processes of one machine; the operating system frees them however a process ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from inspection.errors import RunInProgress
from inspection.place import Place

EVIDENCE = "evidence"


def lock_file(place: Place, name: str) -> IO[str]:
    """Open the file that a lock of that name is held on."""
    folder = place.settings.data / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / f"{name}.lock").open("w")


@contextmanager
def evidence_in_use(place: Place) -> Iterator[None]:
    """Keep every file of the evidence in its place meanwhile; waits for one that clears files to end."""
    with lock_file(place, EVIDENCE) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def while_nothing_runs(place: Place) -> Iterator[None]:
    """Let no run begin or go on meanwhile; raises RunInProgress where one is going on."""
    with lock_file(place, EVIDENCE) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunInProgress("有巡查正在进行，什么也没有清理；等它结束，或先停止它，再试一次。") from error
        yield
