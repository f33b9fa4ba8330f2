"""What the crawler needs of the evidence store, and nothing more: two small doors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from checks.model import Capture, Mode, Probe, Visit


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire for one capture; a status line reads "HTTP/1.1 200 OK".

    `payload` is the decoded body, cut short where the server cut it; the DOM of a rendered page, the PNG of a picture.
    """

    method: str
    request_headers: tuple[tuple[str, str], ...]
    status_line: str
    response_headers: tuple[tuple[str, str], ...]
    payload: bytes


class CaptureSink(Protocol):
    """Where captures go as they come in. A resumed run tells the same visits again: telling one twice does no harm."""

    def store(self, capture: Capture, exchange: Exchange | None) -> Capture:
        """Keep a capture with its bytes (None when nothing came back) and return it with `evidence` filled in."""

    def store_unchanged(self, capture: Capture) -> Capture:
        """Keep a capture whose bytes lie in the earlier record that its `evidence` leads to, and return it."""

    def visit(self, visit: Visit) -> None:
        """Keep a planned look at a page; its captures, if any, have been stored before."""

    def probe(self, probe: Probe) -> None:
        """Keep one question to the network and its answer."""


class Replay(Protocol):
    """What an interrupted run has already captured."""

    def find(self, site_id: str, url: str, mode: Mode) -> tuple[Capture, bytes] | None:
        """Return the stored capture and its payload, or None when it has yet to be made."""


class NothingCaptured:
    """The replay of a run that starts afresh."""

    def find(self, site_id: str, url: str, mode: Mode) -> tuple[Capture, bytes] | None:
        """Return None."""
        return None
