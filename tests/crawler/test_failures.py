"""Every way a download can raise ends as a kind of the closed list."""

from __future__ import annotations

import pytest
from OpenSSL import SSL
from playwright.async_api import Error as BrowserError
from playwright.async_api import TimeoutError as BrowserTimeout
from scrapy import exceptions as scrapy
from twisted.internet import error as network
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from checks.model import FailureKind
from crawler.decompression import TooLarge
from crawler.failures import ConnectTimeout, TooManyRedirects, of_exception, of_response
from crawler.guard import AddressRefused, SchemeRefused
from crawler.names import NameFailure, NameNotFound
from crawler.politeness import RobotsDisallowed


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NameNotFound("x"), "dns_not_found"),
        (NameFailure("x"), "dns_failure"),
        (scrapy.CannotResolveHostError("x"), "dns_failure"),
        (AddressRefused("x"), "address_refused"),
        (SchemeRefused("x"), "scheme_refused"),
        (scrapy.UnsupportedURLSchemeError("x"), "scheme_refused"),
        (RobotsDisallowed("x"), "robots_disallowed"),
        (TooLarge("x"), "too_large"),
        (scrapy.DownloadCancelledError("x"), "too_large"),
        (TooManyRedirects("x"), "redirect_loop"),
        (ConnectTimeout("x"), "connection_timeout"),
        (caused(scrapy.DownloadTimeoutError("x"), network.TimeoutError()), "connection_timeout"),
        (network.NoRouteError(), "connection_timeout"),
        (scrapy.DownloadTimeoutError("x"), "read_timeout"),
        (scrapy.DownloadConnectionRefusedError("x"), "connection_refused"),
        (scrapy.ResponseDataLossError("x"), "truncated"),
        (BrowserError("x"), "render_failed"),
        (BrowserTimeout("x"), "render_failed"),
        (ResponseNeverReceived([Failure(SSL.Error())]), "tls_error"),
        (
            caused(scrapy.DownloadFailedError("x"), ResponseNeverReceived([Failure(network.ConnectionLost())])),
            "connection_lost",
        ),
        (ResponseFailed([Failure(ValueError("bad status line"))]), "connection_lost"),
    ],
)
def test_exceptions(error: BaseException, kind: str) -> None:
    found, detail = of_exception(error)
    assert found.code == kind
    assert detail


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, None), (204, None), (304, "redirect_loop"), (400, "client_error"), (401, "forbidden"), (403, "forbidden"),
        (404, "not_found"), (410, "not_found"), (412, "client_error"), (429, "rate_limited"), (500, "server_error"),
        (503, "server_error"),
    ],
)  # fmt: skip
def test_statuses(status: int, kind: str | None) -> None:
    found, _, block = of_response(status, (), b"<html>text</html>")
    assert (found.code if found else None) == kind
    assert block is None


def test_a_cut_body_is_truncated_and_a_cut_block_page_still_a_block() -> None:
    assert of_response(200, (), b"<html>text", cut_short=True)[0] is FailureKind.TRUNCATED
    puzzle = b"<html><script>document.cookie='a=1';location.reload()</script>"
    assert of_response(412, (), puzzle, cut_short=True)[0] is FailureKind.BLOCKED


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_a_page_without_a_byte_of_text_was_not_read(body: bytes) -> None:
    assert of_response(200, (("content-type", "text/html"),), body)[0] is FailureKind.TRUNCATED
    assert of_response(404, (), body)[0] is FailureKind.NOT_FOUND
