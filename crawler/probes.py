"""网络探测: what DNS, TCP and HTTP say of a site over IPv4 and over IPv6, question by question.

Nothing here is a verdict. Where a question could not be put at all (DNS failed, the address is private) the probe bears
a `failure`; a refused connection or a missing AAAA record is an answer.
"""

from __future__ import annotations

import hashlib
import heapq
import ipaddress
import random
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.resolver
import httpcore
import httpx
import lxml.etree
import lxml.html
from protego import Protego

from checks.facts.model import PageFacts
from checks.model import FailureKind, Probe, ProbeKind
from config.rules import Ipv6Rule
from config.schema import Crawl, Site
from crawler.names import Answer, NameFailure, NameNotFound, Names
from crawler.politeness import ROBOTS_NAME, AddressRefused, user_agent
from crawler.urls import InvalidUrl, host_of, normalise, same_site

_SHINGLE = 8  # characters of visible text that make one piece
_MOST_SHINGLES = 400  # a page is represented by the pieces with the smallest digests
_ANY_PUBLIC_V6 = "2000::1"  # a route to it is a route to the IPv6 Internet; nothing is sent there
_NAME_SERVER_SECONDS = 5.0

Pause = Callable[[float], None]
Clock = Callable[[], datetime]


def probe_site(
    site: Site,
    home: PageFacts | None,
    second_level: Sequence[PageFacts],
    *,
    settings: Crawl,
    rule: Ipv6Rule,
    seed: str = "",
    names: Names | None = None,
    clock: Clock = lambda: datetime.now(UTC),
    pause: Pause = time.sleep,
) -> Iterator[Probe]:
    """Yield every probe of a site: addresses, delegation, routes, connections, the home page and inner links fetched.

    Inner links of the second level are drawn by `seed` from the home page's, those of the third from the pages of
    `second_level`; each is fetched once over IPv6, and over IPv4 as a control where that failed.
    """
    names = names or Names(settings.resolver, settings.allow_private_addresses)
    prober = _Prober(site, settings, names, clock, pause)
    found = yield from prober.addresses()
    yield from prober.delegations()
    routed = yield from prober.routes(found.get(6, ()))
    for family, addresses in found.items():
        yield from prober.connections(family, addresses)
    yield from prober.home_page(found, tries=rule.tries, routed=routed)
    if routed and home is not None:
        for level, urls in _inner_links_by_level(prober.home, home, second_level):
            lots = random.Random(f"{seed}/{site.id}/{level}")  # noqa: S311 a sample to be drawn again, not a secret
            permitted = (url for url in lots.sample(sorted(urls), len(urls)) if prober.allows(url))
            yield from prober.links(level, sorted(islice(permitted, rule.sampled_links)))


def has_ipv6_route(address: str = _ANY_PUBLIC_V6) -> bool:
    """Tell whether this machine has an IPv6 route to an address (by default the public Internet); sends no packet."""
    return not _route_error(address)


# ---------------------------------------------------------------- the questions


@dataclass(slots=True)
class _Prober:
    """Asks about one site, one question at a time, at the site's pace."""

    site: Site
    settings: Crawl
    names: Names
    clock: Clock
    pause: Pause
    home: str = ""
    host: str = ""
    _asked: bool = False
    _robots: dict[str, Protego] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = normalise(self.site.home)
        self.host = host_of(self.home)

    @property
    def port(self) -> int:
        parts = urlsplit(self.home)
        return parts.port or (443 if parts.scheme == "https" else 80)

    def addresses(self) -> Iterator[Probe]:
        """Yield the ADDRESSES probe; return the addresses that may be reached, by family."""
        a, aaaa = (self._ask(kind) for kind in ("A", "AAAA"))
        failed = next((answer for answer in (a, aaaa) if answer.failure), None)
        rcode = failed.rcode if failed else a.rcode
        observed: dict[str, object] = {"a": list(a.records), "aaaa": list(aaaa.records), "rcode": rcode}
        failure = failed.failure if failed else None
        if failed:
            observed["error"] = failed.detail
        yield self._probe(ProbeKind.ADDRESSES, self.host, 0, observed, failure)
        return {4: self._permitted(a.records), 6: self._permitted(aaaa.records)}

    def delegations(self) -> Iterator[Probe]:
        """Yield a DELEGATION probe for the zone of the host, and for that of its canonical name if another."""
        if _is_literal(self.host):
            return
        zones: set[str] = set()
        for name in (self.host, self._canonical_name()):
            probe = self._delegation(name)
            if probe.target not in zones:
                zones.add(probe.target)
                yield probe

    def routes(self, addresses: Sequence[str]) -> Iterator[Probe]:
        """Yield a ROUTE probe for each IPv6 address; return whether there is a route to any."""
        errors = [(address, _route_error(address)) for address in addresses]
        for address, error in errors:
            yield self._probe(ProbeKind.ROUTE, address, 6, {"reachable": not error, "error": error})
        return any(not error for _, error in errors)

    def connections(self, family: int, addresses: Sequence[str]) -> Iterator[Probe]:
        """Yield a CONNECT probe for each address."""
        for address in addresses:
            self._keep_pace()
            started, error = time.monotonic(), ""
            try:
                socket.create_connection((address, self.port), self.settings.timeout_seconds).close()
            except OSError as refused:
                error = _reason(refused)
            observed = {"address": address, "port": self.port, "connected": not error, "seconds": _since(started)}
            yield self._probe(ProbeKind.CONNECT, self.host, family, observed | {"error": error})

    def home_page(self, found: dict[int, tuple[str, ...]], *, tries: int, routed: bool) -> Iterator[Probe]:
        """Yield FETCH probes of the home page: once over IPv4, `tries` times over IPv6; none if robots.txt forbids."""
        if not self.allows(self.home):
            return
        if found[4]:
            yield self.fetch(self.home, 4, level=1)
        if found[6] and routed:
            for attempt in range(1, tries + 1):
                yield self.fetch(self.home, 6, level=1, attempt=attempt)

    def links(self, level: int, urls: Sequence[str]) -> Iterator[Probe]:
        """Yield FETCH probes of inner links over IPv6, with IPv4 as the control of those that failed."""
        for url in urls:
            over_v6 = self.fetch(url, 6, level=level)
            yield over_v6
            if over_v6.observed["error"] or over_v6.observed["status"] not in range(200, 400):
                yield self.fetch(url, 4, level=level)

    def allows(self, url: str) -> bool:
        """Tell whether robots.txt of the URL's host lets us in, or the owner does."""
        if self.site.robots_override_reason:
            return True
        root = urljoin(url, "/robots.txt")
        if root not in self._robots:
            self._keep_pace()
            found = (_get(root, family, self.names, self.settings) for family in (4, 6))
            got = next((got for got in found if got.status is not None), _Got())
            self._robots[root] = Protego.parse(got.body.decode("utf-8", "replace") if got.status == 200 else "")
        return bool(self._robots[root].can_fetch(url, ROBOTS_NAME))

    def fetch(self, url: str, family: int, *, level: int, attempt: int = 1) -> Probe:
        """Return the FETCH probe of one GET over one address family, redirects followed within that family."""
        self._keep_pace()
        started = time.monotonic()
        answer = _get(url, family, self.names, self.settings)
        observed = answer.observed | {"try": attempt, "level": level, "seconds": _since(started)}
        return self._probe(ProbeKind.FETCH, url, family, observed, answer.failure)

    # ------------------------------------------------------------ names

    def _ask(self, record_type: str) -> Answer:
        if not _is_literal(self.host):
            return self.names.ask(self.host, record_type)
        wanted = {"A": 4, "AAAA": 6}[record_type]
        return Answer((self.host,) if ipaddress.ip_address(self.host).version == wanted else ())

    def _permitted(self, addresses: Sequence[str]) -> tuple[str, ...]:
        try:
            return self.names.permitted(self.host, addresses)
        except AddressRefused:
            return ()

    def _canonical_name(self) -> str:
        try:
            answer = self.names.stub().resolve(self.host, "A", raise_on_no_answer=False)
        except (dns.exception.DNSException, UnicodeError, OSError):
            return self.host  # the addresses' probe tells of it
        return answer.canonical_name.to_text(omit_final_dot=True)

    def _delegation(self, name: str) -> Probe:
        try:
            stub = self.names.stub()
            zone = dns.resolver.zone_for_name(name, resolver=stub)
            servers = sorted(record.target.to_text(omit_final_dot=True) for record in stub.resolve(zone, "NS"))
        except (dns.exception.DNSException, UnicodeError, OSError) as error:
            observed: dict[str, object] = {"servers": [], "error": _reason(error)}
            return self._probe(ProbeKind.DELEGATION, name, 6, observed, FailureKind.DNS_FAILURE)
        observed = {"servers": [self._name_server(server, zone) for server in servers]}
        return self._probe(ProbeKind.DELEGATION, zone.to_text(omit_final_dot=True), 6, observed)

    def _name_server(self, server: str, zone: dns.name.Name) -> dict[str, object]:
        a, aaaa = self.names.ask(server, "A"), self.names.ask(server, "AAAA")
        answers = [self._answers(address, zone) for address in aaaa.records]
        answered: bool | None = False if not aaaa.failure else None
        if answers:
            answered = True if True in answers else None if None in answers else False
        return {"name": server, "a": list(a.records), "aaaa": list(aaaa.records), "answers_v6": answered}

    def _answers(self, address: str, zone: dns.name.Name) -> bool | None:
        """Whether a name server answers for its zone at an IPv6 address; None when we cannot go there."""
        if not self._permitted((address,)) or _route_error(address):
            return None
        query = dns.message.make_query(zone, dns.rdatatype.SOA)
        for ask in (dns.query.udp, dns.query.udp, dns.query.tcp):
            try:
                reply = ask(query, address, timeout=_NAME_SERVER_SECONDS, port=self.settings.name_server_port)
            except (dns.exception.DNSException, OSError, EOFError):
                continue
            return bool(reply.answer)
        return False

    # ------------------------------------------------------------ the form of an answer

    def _keep_pace(self) -> None:
        if self._asked:
            self.pause(1 / self.settings.requests_per_second)
        self._asked = True

    def _probe(
        self,
        kind: ProbeKind,
        target: str,
        family: int,
        observed: dict[str, object],
        failure: FailureKind | None = None,
    ) -> Probe:
        return Probe(self.site.id, kind, target, family, self.clock(), observed, failure)


# ---------------------------------------------------------------- HTTP over one family


@dataclass(frozen=True, slots=True)
class _Got:
    """What came of one GET."""

    address: str = ""
    port: int | None = None
    status: int | None = None
    body: bytes = b""
    content_type: str = ""
    error: str = ""
    failure: FailureKind | None = None

    @property
    def observed(self) -> dict[str, object]:
        return {
            "address": self.address,
            "port": self.port,
            "status": self.status,
            "bytes": len(self.body),
            "digest": "sha256:" + hashlib.sha256(self.body).hexdigest() if self.body else "",
            "shingles": shingles(self.body, self.content_type),
            "error": self.error,
        }


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


class _FamilyBackend(httpcore.NetworkBackend):
    """Connects to a host's addresses of one family, as `names` has them, and to no others, until `deadline`."""

    def __init__(self, names: Names, family: int, deadline: float) -> None:
        self.names, self.family, self.deadline = names, family, deadline
        self.address, self.port = "", 0
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
        refused: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in self.names.addresses_of_family(host, self.family):
            self.address, self.port = address, port
            try:
                return _TimedStream(self._sockets.connect_tcp(address, port, timeout=timeout), self.deadline)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                refused = error
        assert refused is not None
        raise refused


class _FamilyTransport(httpx.BaseTransport):
    """httpx over such a backend, for as long as one GET lasts."""

    def __init__(self, backend: _FamilyBackend) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates costs more than most answers
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # certificates are another check's matter
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        asked = httpcore.Request(
            request.method, target, headers=request.headers.raw, content=b"", extensions=request.extensions
        )
        answer = self._pool.handle_request(asked)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

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


def _get(url: str, family: int, names: Names, settings: Crawl) -> _Got:
    """GET a URL over one family; the whole of it may take twice `timeout_seconds`, beside connecting."""
    backend = _FamilyBackend(names, family, time.monotonic() + 2 * settings.timeout_seconds)
    got = _Got()
    try:
        got = _exchange(url, backend, settings)
    except NameFailure as error:
        got = _Got(error=str(error), failure=FailureKind.DNS_FAILURE)
    except AddressRefused as error:
        got = _Got(error=str(error), failure=FailureKind.ADDRESS_REFUSED)
    except (NameNotFound, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        got = _Got(error=_reason(error))
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        got = _Got(error=_reason(error))
    return replace(got, address=backend.address, port=backend.port or None)


def _exchange(url: str, backend: _FamilyBackend, settings: Crawl) -> _Got:
    """GET a URL with limits on time, size and redirects."""
    headers = {"User-Agent": user_agent(settings.contact), "Accept": "text/html,*/*;q=0.8"}
    client = httpx.Client(
        transport=_FamilyTransport(backend),
        headers=headers,
        timeout=settings.timeout_seconds,
        follow_redirects=True,
        max_redirects=settings.max_redirects,
        trust_env=False,
    )
    body = bytearray()
    with client, client.stream("GET", url) as response:
        for chunk in response.iter_bytes(65_536):
            body += chunk
            if len(body) > settings.max_body_bytes:
                return _Got(status=response.status_code, error="超过大小上限")
        content_type = response.headers.get("content-type", "")
        return _Got(status=response.status_code, body=bytes(body), content_type=content_type)


def shingles(body: bytes, content_type: str) -> list[str]:
    """Return digests of the pieces of a page's visible text, sorted: at most 400, the same ones for the same text.

    The share of pieces that two pages have in common tells how alike they are, whatever their order.
    """
    if not body or not ("html" in content_type or b"<html" in body[:2048].lower()):
        return []
    text = _visible_text(body)
    pieces = {text[i : i + _SHINGLE] for i in range(max(len(text) - _SHINGLE + 1, 1 if text else 0))}
    digests = (hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=6).hexdigest() for piece in pieces)
    return heapq.nsmallest(_MOST_SHINGLES, digests)


def _visible_text(body: bytes) -> str:
    try:
        tree = lxml.html.document_fromstring(body)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError):
        return ""
    for element in list(tree.iter("script", "style", "noscript", lxml.etree.Comment)):
        element.drop_tree()
    return "".join(tree.text_content().split())


# ---------------------------------------------------------------- links


def _inner_links_by_level(
    start: str, home: PageFacts, second_level: Sequence[PageFacts]
) -> tuple[tuple[int, set[str]], ...]:
    above = {start} | ({normalise(home.url)} if home.url else set())
    level_two = _inner_links([home], start) - above
    level_three = _inner_links(second_level, start) - above - level_two
    return (2, level_two), (3, level_three)


def _inner_links(pages: Sequence[PageFacts], home: str) -> set[str]:
    found: set[str] = set()
    for page in pages:
        for url in [*(link.url for link in page.links), *(entry.url for entry in page.list.entries)]:
            try:
                spelt = normalise(url)
            except InvalidUrl:
                continue
            if same_site(spelt, home):
                found.add(spelt)
    return found


# ---------------------------------------------------------------- small change


def _route_error(address: str) -> str:
    """Return why there is no route to an IPv6 address, or an empty string. A UDP socket is connected, nothing sent."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probing:
            probing.connect((address, 53))
    except OSError as error:
        return _reason(error)
    return ""


def _is_literal(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


_REASONS = (
    ("connection refused", "连接被拒绝"),
    ("connection reset", "连接被重置"),
    ("network is unreachable", "网络不可达"),
    ("no route to host", "没有路由"),
    ("timed out", "超时"),
    ("server disconnected", "没有应答就断开"),
)


def _reason(error: BaseException) -> str:
    """Return why a connection came to nothing: in Chinese where the words are known, else as the machine says it."""
    known = next((reason for words, reason in _REASONS if words in str(error).lower()), None)
    if known:
        return known
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}：{text}" if text else type(error).__name__


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
