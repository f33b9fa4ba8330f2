"""What the benchmarks tell of themselves: the pace that servers' logs show, and that their server answers as others."""

from __future__ import annotations

import pytest

from benchmarks.country import AT_ONCE, PER_SECOND, pace_of
from benchmarks.portal import Connection, Portal

PAGE = b"GET /0/0/ HTTP/1.1\r\nHost: portal.test\r\n"


def test_a_site_asked_at_its_pace_keeps_it_however_the_logs_are_ordered() -> None:
    paced = [(float(second), "127.1.0.1") for second in range(90)]
    burst = [(1000.0, "127.1.0.2"), *((1000.0 + second, "127.1.0.2") for second in range(60))]
    pace = pace_of(reversed([*paced, *burst]))
    assert pace.kept
    assert (pace.requests, pace.sites, pace.most[1]) == (151, 2, AT_ONCE)


@pytest.mark.parametrize("gap", [0.2, 0.8])
def test_one_site_asked_too_often_breaks_it(gap: float) -> None:
    others = [(float(second), f"127.1.0.{site}") for second in range(90) for site in range(5)]
    assert pace_of(others).kept
    hurried = [(gap * number, "127.1.1.1") for number in range(90)]
    pace = pace_of([*others, *hurried])
    assert not pace.kept
    assert pace.most[60] > AT_ONCE + PER_SECOND * 60


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        (b"", b"200"),
        (b"If-None-Match: TAG\r\n", b"304"),
        (b'If-None-Match: "other"\r\nIf-Modified-Since: DAY\r\n', b"200"),
        (b"if-modified-since: DAY\r\n", b"304"),
        (b"If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT\r\n", b"200"),
    ],
)
def test_the_portal_answers_as_a_server_of_files(terms: bytes, status: bytes) -> None:
    described = _headers(_answered(PAGE))
    terms = terms.replace(b"TAG", described[b"ETag"]).replace(b"DAY", described[b"Last-Modified"])
    answer = _answered(PAGE + terms)
    assert answer.split(b" ", 2)[1] == status
    assert _headers(answer)[b"ETag"] == described[b"ETag"]


def _answered(head: bytes) -> bytes:
    return Connection(Portal(1)).answer(head.removesuffix(b"\r\n"))


def _headers(answer: bytes) -> dict[bytes, bytes]:
    lines = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return dict(line.split(b": ", 1) for line in lines)
