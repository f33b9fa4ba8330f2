"""失败归类: every way a fetch can go wrong, as one of the closed list of failure kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from OpenSSL import SSL
from playwright.async_api import Error as BrowserError
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from service_identity import VerificationError
from twisted.internet import error as network
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed
from twisted.web.http import PotentialDataLoss

from checks.facts.credentials import without_credentials
from checks.model import FailureKind
from crawler.blocks import Block, recognise
from crawler.decompression import TooLarge
from crawler.guard import AddressRefused, SchemeRefused
from crawler.names import NameFailure, NameNotFound
from crawler.politeness import HostSpared, RobotsDisallowed, RobotsUnreadable

# What pressing on at once may mend; a server that refuses or limits us is left in peace until the next run.
RETRIED = frozenset(
    {
        FailureKind.DNS_FAILURE,
        FailureKind.CONNECTION_REFUSED,
        FailureKind.CONNECTION_TIMEOUT,
        FailureKind.CONNECTION_LOST,
        FailureKind.READ_TIMEOUT,
        FailureKind.TLS_ERROR,
        FailureKind.TRUNCATED,
        FailureKind.SERVER_ERROR,
    }
)
# What another time in the night may mend: a firewall or a limit that looked at us, a robots.txt that had a bad moment.
LATER = frozenset({FailureKind.BLOCKED, FailureKind.RATE_LIMITED, FailureKind.ROBOTS_UNREADABLE})
# Nothing came back at all: after several of these in a row a site is given up for this run.
SILENT = frozenset(
    {
        FailureKind.DNS_NOT_FOUND,
        FailureKind.DNS_FAILURE,
        FailureKind.CONNECTION_REFUSED,
        FailureKind.CONNECTION_TIMEOUT,
        FailureKind.CONNECTION_LOST,
        FailureKind.READ_TIMEOUT,
        FailureKind.TLS_ERROR,
    }
)


class ConnectTimeout(Exception):
    """No connection within the time set: the server is down, or crawl.timeout_seconds is too short for it."""


class HeadersTooLarge(Exception):
    """The headers exceed crawl.max_header_bytes or max_headers: no website needs that many."""


class TooManyRedirects(Exception):
    """The redirects do not end within crawl.max_redirects."""


# The first class that fits an exception, or one of its causes, decides.
_KINDS: tuple[tuple[type[BaseException], FailureKind], ...] = (
    (NameNotFound, FailureKind.DNS_NOT_FOUND),
    (NameFailure, FailureKind.DNS_FAILURE),
    (AddressRefused, FailureKind.ADDRESS_REFUSED),
    (SchemeRefused, FailureKind.SCHEME_REFUSED),
    (UnsupportedURLSchemeError, FailureKind.SCHEME_REFUSED),
    (RobotsDisallowed, FailureKind.ROBOTS_DISALLOWED),
    (RobotsUnreadable, FailureKind.ROBOTS_UNREADABLE),
    (HostSpared, FailureKind.BUDGET_EXHAUSTED),
    (TooLarge, FailureKind.TOO_LARGE),
    (HeadersTooLarge, FailureKind.HEADERS_TOO_LARGE),
    (TooManyRedirects, FailureKind.REDIRECT_LOOP),
    (BrowserError, FailureKind.RENDER_FAILED),
    (ConnectTimeout, FailureKind.CONNECTION_TIMEOUT),
    (SSL.Error, FailureKind.TLS_ERROR),
    (VerificationError, FailureKind.TLS_ERROR),
    (network.DNSLookupError, FailureKind.DNS_FAILURE),
    (CannotResolveHostError, FailureKind.DNS_FAILURE),
    (network.ConnectionRefusedError, FailureKind.CONNECTION_REFUSED),
    (DownloadConnectionRefusedError, FailureKind.CONNECTION_REFUSED),
    (network.TimeoutError, FailureKind.CONNECTION_TIMEOUT),
    (network.ConnectError, FailureKind.CONNECTION_TIMEOUT),
    (DownloadTimeoutError, FailureKind.READ_TIMEOUT),
    (DownloadCancelledError, FailureKind.TOO_LARGE),
    (ResponseDataLossError, FailureKind.TRUNCATED),
    (PotentialDataLoss, FailureKind.TRUNCATED),
    (network.ConnectionLost, FailureKind.CONNECTION_LOST),
    (network.ConnectionDone, FailureKind.CONNECTION_LOST),
    (network.ConnectionAborted, FailureKind.CONNECTION_LOST),
)
_SELF_EXPLAINING = (
    NameNotFound,
    NameFailure,
    AddressRefused,
    SchemeRefused,
    RobotsDisallowed,
    RobotsUnreadable,
    HostSpared,
    TooLarge,
    HeadersTooLarge,
    TooManyRedirects,
    ConnectTimeout,
)
_STATUSES = {
    401: FailureKind.FORBIDDEN,
    403: FailureKind.FORBIDDEN,
    404: FailureKind.NOT_FOUND,
    410: FailureKind.NOT_FOUND,
    429: FailureKind.RATE_LIMITED,
}


def of_exception(error: BaseException) -> tuple[FailureKind, str]:
    """Return the kind of failure that an exception of the download means, and one line for people.

    What breaks after the connection stands and fits nothing else (a reply that is not HTTP) is a broken connection.
    """
    chain = tuple(_causes(error))
    for wanted, kind in _KINDS:
        for cause in chain:
            if isinstance(cause, wanted):
                return kind, _line(kind, cause)
    return FailureKind.CONNECTION_LOST, f"响应不符合 HTTP 规范：{_line(FailureKind.CONNECTION_LOST, chain[-1])}"


def of_response(
    status: int, headers: Sequence[tuple[str, str]], body: bytes, *, cut_short: bool = False
) -> tuple[FailureKind | None, str, Block | None]:
    """Return the failure that a response is (None: it is a page), one line for people, and the block page if any."""
    block = recognise(status, headers, body)
    if block is not None:
        return FailureKind.BLOCKED, block.evidence, block
    if cut_short:
        return FailureKind.TRUNCATED, f"服务器提前断开，只收到 {len(body)} 字节", None
    if status < 300 and not body.strip():  # no page is empty: a server or a firewall broke off
        return FailureKind.TRUNCATED, "服务器返回了空内容", None
    if status < 300:
        return None, "", None
    location = dict(headers).get("location", "")
    if status < 400 and location:
        address = without_credentials(location)[:200]
        return FailureKind.SCHEME_REFUSED, f"重定向到不是 http/https 的地址：{address}", None
    return _of_status(status), f"状态码 {status}", None


def _of_status(status: int) -> FailureKind:
    if status in _STATUSES:
        return _STATUSES[status]
    if status < 400:
        return FailureKind.REDIRECT_LOOP  # a redirect that names no target
    return FailureKind.CLIENT_ERROR if status < 500 else FailureKind.SERVER_ERROR


def _causes(error: BaseException | None, depth: int = 8) -> Iterator[BaseException]:
    if error is None or depth == 0:
        return
    yield error
    if isinstance(error, ResponseFailed):
        for reason in error.reasons:
            yield from _causes(reason.value if isinstance(reason, Failure) else reason, depth - 1)
    yield from _causes(error.__cause__, depth - 1)


def _line(kind: FailureKind, error: BaseException) -> str:
    text = next(iter(str(error).splitlines()), "")[:300]
    if isinstance(error, _SELF_EXPLAINING):
        return text
    diagnosis = text if isinstance(error, SSL.Error | BrowserError) else type(error).__name__
    return f"{kind.title}（{diagnosis or type(error).__name__}）"
