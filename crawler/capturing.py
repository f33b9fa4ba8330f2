"""Every outcome of a fetch as a capture with its exchange."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from scrapy import Request
from scrapy.http import Headers, Response

from checks.facts.credentials import without_credentials
from checks.model import NOT_MODIFIED, Capture, FailureKind, Mode
from crawler import failures
from crawler.blocks import Block
from crawler.rendering import Rendering
from crawler.sink import Exchange
from crawler.urls import is_http

_HTML = (("content-type", "text/html; charset=utf-8"),)
_PNG = (("content-type", "image/png"),)


@dataclass(frozen=True, slots=True)
class Target:
    """What is being captured: a page in one mode, at a time, by way of `chain` (script and meta redirects)."""

    site_id: str
    url: str
    mode: Mode
    at: datetime
    chain: tuple[str, ...] = ()

    def failed(self, kind: FailureKind, detail: str, request: Request | None = None) -> Fetched:
        """Return the capture of a fetch that brought nothing back."""
        meta = request.meta if request else {}
        redirects = tuple(map(without_credentials, (*self.chain, *meta.get("redirect_urls", ()))))
        elapsed = round(float(meta.get("download_latency", 0.0)), 3)
        final = without_credentials(request.url if request else self.url)
        capture = Capture(
            self.site_id, self.url, self.mode, self.at, final, redirects, elapsed=elapsed, failure=kind, detail=detail
        )
        return Fetched(capture)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A capture before it is stored, with its bytes and the block page they may be."""

    capture: Capture
    exchange: Exchange | None = None
    block: Block | None = None

    @property
    def body(self) -> bytes:
        """The decoded bytes; empty when nothing came back."""
        return self.exchange.payload if self.exchange else b""


def of_exception(target: Target, error: BaseException, request: Request) -> Fetched:
    """Return the capture of a download that raised."""
    return target.failed(*failures.of_exception(error), request)


def of_response(target: Target, response: Response) -> Fetched:
    """Return the capture of a static response, whatever its status."""
    request = response.request
    assert request is not None
    headers = pairs(response.headers)
    kind, detail, block = failures.of_response(
        response.status, headers, response.body, cut_short="dataloss" in response.flags
    )
    capture = Capture(
        site_id=target.site_id,
        url=target.url,
        mode=target.mode,
        captured_at=target.at,
        final_url=response.url,
        redirects=(*target.chain, *request.meta.get("redirect_urls", ())),
        status=response.status,
        headers=headers,
        length=len(response.body),
        elapsed=round(float(request.meta.get("download_latency", 0.0)), 3),
        address=str(response.ip_address or ""),
        failure=kind,
        detail=detail,
    )
    return Fetched(
        capture, _exchange(request, response.protocol or "HTTP/1.1", response.status, headers, response.body), block
    )


def of_not_modified(target: Target, response: Response, earlier: Capture, payload: bytes) -> Fetched:
    """Return the capture of an answer 304: tonight's, with the bytes and the status that an earlier capture has.

    Its headers are the earlier ones as the answer brings them up to date; what describes the bytes, and what tells of
    the time of the earlier answer, is not taken from the wrong one.
    """
    request = response.request
    assert request is not None
    told = tuple(pair for pair in pairs(response.headers) if not _describes_bytes(pair[0]))
    renewed = {name for name, _ in told} | {"date", "age"}
    headers = (*(pair for pair in earlier.headers if pair[0] not in renewed), *told)
    capture = replace(
        earlier,
        captured_at=target.at,
        headers=headers,
        elapsed=round(float(request.meta.get("download_latency", 0.0)), 3),
        address=str(response.ip_address or ""),
        detail=NOT_MODIFIED,
    )
    return Fetched(
        capture, _exchange(request, response.protocol or "HTTP/1.1", earlier.status or 200, headers, payload)
    )


def _describes_bytes(name: str) -> bool:
    return name.startswith("content-") or name == "transfer-encoding"


def of_rendering(target: Target, rendering: Rendering, request: Request, limit: int) -> Fetched:
    """Return the capture of what a browser made of a page: its DOM in UTF-8, or its picture; `limit` is in bytes."""
    if not is_http(rendering.url):  # it downloaded a file, or showed a page of its own
        return target.failed(FailureKind.RENDER_FAILED, "浏览器没有显示网页", request)
    picture = target.mode is Mode.SCREENSHOT
    payload = rendering.picture if picture else rendering.html.encode("utf-8", errors="replace")
    if len(payload) > limit:
        return target.failed(FailureKind.TOO_LARGE, f"渲染后超过 {limit} 字节", request)
    headers = _PNG if picture else _HTML
    status = rendering.status or 200
    kind, detail, block = failures.of_response(status, headers, rendering.html.encode("utf-8", errors="replace"))
    capture = Capture(
        site_id=target.site_id,
        url=target.url,
        mode=target.mode,
        captured_at=target.at,
        final_url=rendering.url,
        redirects=tuple(dict.fromkeys(url for url in rendering.chain if url != rendering.url)),
        status=status,
        headers=headers,
        length=len(payload),
        elapsed=round(float(request.meta.get("download_latency", 0.0)), 3),
        failure=kind,
        detail=detail,
    )
    return Fetched(capture, _exchange(request, "HTTP/1.1", status, headers, payload), block)


def _exchange(
    request: Request, protocol: str, status: int, headers: tuple[tuple[str, str], ...], payload: bytes
) -> Exchange:
    return Exchange(request.method, pairs(request.headers), f"{protocol} {status} {_phrase(status)}", headers, payload)


def pairs(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Return Scrapy's headers as pairs, names in lower case."""
    items: Iterable[tuple[bytes, list[bytes]]] = headers.items()
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, values in items for value in values
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
