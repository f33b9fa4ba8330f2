"""HTTP for probes: one exchange at a time over the addresses we choose, with limits on time, size and redirects."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpcore
import httpx

from checks.model import FailureKind
from config.schema import Crawl
from crawler.decompression import TooLarge, Undecodable, decompressed
from crawler.guard import AddressRefused, SchemeRefused, check_url
from crawler.names import NameFailure, NameNotFound, Names
from crawler.politeness import HostSpared, user_agent

_ACCEPTED = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "zh-CN,zh;q=0.9"}


@dataclass(frozen=True, slots=True)
class Got:
    """What came of one request. `error` is Chinese; `failure` is set when the question could not be put at all."""

    address: str = ""
    port: int | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    url: str = ""  # where redirects led
    error: str = ""
    seconds: float = 0.0
    name_not_found: bool = False
    failure: FailureKind | None = None

    @property
    def content_type(self) -> str:
        """The Content-Type header, or an empty string."""
        return dict(self.headers).get("content-type", "")


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `family` 0 is whatever the host has.

    With `most_bytes` reading ends there, and of what is no page with its first bytes; that is no error.
    """

    url: str
    method: str = "GET"
    family: int = 0
    form: bytes = b""  # sent as `form_type`
    form_type: str = "application/x-www-form-urlencoded"
    most_bytes: int | None = None


def exchange(question: Question, names: Names, settings: Crawl, turn: Callable[[str], None] = lambda host: None) -> Got:
    """Put a question; the whole of it may take twice `timeout_seconds`, beside connecting. Never raises for answers.

    Before each request, a redirect's too, `turn` waits until its host may be asked; that takes none of the time.
    """
    started = time.monotonic()
    backend = _Backend(names, question.family, started + 2 * settings.timeout_seconds)
    try:
        got = _exchange(question, backend, settings, turn)
    except NameFailure as error:
        got = Got(error=str(error), failure=FailureKind.DNS_FAILURE)
    except AddressRefused as error:
        got = Got(error=str(error), failure=FailureKind.ADDRESS_REFUSED)
    except HostSpared as error:
        got = Got(error=str(error), failure=FailureKind.BUDGET_EXHAUSTED)
    except SchemeRefused as error:
        got = Got(error=str(error), failure=FailureKind.SCHEME_REFUSED)
    except Undecodable as error:
        got = Got(error=str(error), failure=FailureKind.UNREADABLE)
    except NameNotFound as error:
        got = Got(error=reason(error), name_not_found=True)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        got = Got(error=reason(error))
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        got = Got(error=reason(error))
    seconds = round(time.monotonic() - started - backend.waited, 3)
    return replace(got, address=backend.address, port=backend.port or None, seconds=seconds)


def _exchange(question: Question, backend: _Backend, settings: Crawl, turn: Callable[[str], None]) -> Got:
    client = httpx.Client(
        transport=_Transport(backend, turn),
        headers={"User-Agent": user_agent(settings.contact)} | _ACCEPTED,
        timeout=settings.timeout_seconds,
        follow_redirects=True,
        max_redirects=settings.max_redirects,
        trust_env=False,
    )
    headers = {"Content-Type": question.form_type} if question.form else None
    content = question.form or None
    body = bytearray()
    with client, client.stream(question.method, question.url, headers=headers, content=content) as response:
        fields = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        enough = _enough(question, dict(fields).get("content-type", ""))
        codings = ",".join(value for name, value in fields if name == "content-encoding")
        try:
            for piece in decompressed(response.iter_raw(65_536), codings, settings.max_body_bytes):
                body += piece
                if len(body) >= enough:
                    break
        except TooLarge as error:
            return Got(status=response.status_code, headers=fields, error=str(error), failure=FailureKind.TOO_LARGE)
        return Got(status=response.status_code, headers=fields, body=bytes(body), url=str(response.url))


def _enough(question: Question, content_type: str) -> float:
    if question.most_bytes is None:
        return float("inf")
    return question.most_bytes if "html" in content_type.lower() else 1


# ---------------------------------------------------------------- connections


class _TimedStream(httpcore.NetworkStream):
    """A connection that ends at a deadline, however steadily its server drips: limits on each read never end that."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what comes; raises httpcore.ReadTimeout."""
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send; raises httpcore.ReadTimeout past the deadline."""
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the same connection under TLS."""
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, self._left(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection."""
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("超过时限")
        return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    """Connects to a host's permitted addresses, of one family or (0) of both, and to no others, until `deadline`."""

    def __init__(self, names: Names, family: int, deadline: float) -> None:
        self.names, self.family, self.deadline = names, family, deadline
        self.address, self.port = "", 0
        self.waited = 0.0  # seconds for its turn
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: object = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that lets us; raises what the last one raised."""
        family = self.family
        addresses = self.names.addresses_of_family(host, family) if family else self.names.addresses(host)
        refused: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in addresses:
            self.address, self.port = address, port
            try:
                return _TimedStream(self._sockets.connect_tcp(address, port, timeout=timeout), self.deadline)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                refused = error
        assert refused is not None
        raise refused


class _Transport(httpx.BaseTransport):
    """httpx over such a backend, for as long as one exchange lasts."""

    def __init__(self, backend: _Backend, turn: Callable[[str], None]) -> None:
        self._backend, self._turn = backend, turn
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates costs more than most answers
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # certificates are another check's matter
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, a redirect's too; raises SchemeRefused and AddressRefused."""
        url = request.url
        check_url(str(url))
        self._wait(url.host)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        asked = httpcore.Request(
            request.method, target, headers=request.headers.raw, content=request.read(), extensions=request.extensions
        )
        answer = self._pool.handle_request(asked)
        response = httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )
        if not response.has_redirect_location:
            return response
        answer.close()  # httpx would read all of it, to no purpose
        response.headers.pop("content-encoding", None)
        return httpx.Response(answer.status, headers=response.headers)

    def _wait(self, host: str) -> None:
        started = time.monotonic()
        self._turn(host)
        waited = time.monotonic() - started
        self._backend.waited += waited
        self._backend.deadline += waited

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


# ---------------------------------------------------------------- words


_REASONS = (
    ("connection refused", "连接被拒绝"),
    ("connection reset", "连接被重置"),
    ("network is unreachable", "网络不可达"),
    ("no route to host", "没有路由"),
    ("timed out", "超时"),
    ("server disconnected", "没有应答就断开"),
)


def reason(error: BaseException) -> str:
    """Return why a connection came to nothing: in Chinese where the words are known, else as the machine says it."""
    known = next((words for sign, words in _REASONS if sign in str(error).lower()), None)
    if known:
        return known
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}：{text}" if text else type(error).__name__
