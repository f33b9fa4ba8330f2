"""IPv6 探测: what DNS, TCP and HTTP say of a site over IPv4 and over IPv6, question by question.

Nothing here is a verdict. Where a question could not be put at all (DNS failed, the address is private) the probe bears
a `failure`; a refused connection or a missing AAAA record is an answer.
"""

from __future__ import annotations

import hashlib
import ipaddress
import random
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.resolver

from checks.facts.model import PageFacts
from checks.model import FailureKind, Probe, ProbeKind
from config.rules import Ipv6Rule
from crawler.guard import AddressRefused
from crawler.names import Answer
from crawler.politeness import HostSpared
from crawler.probes.http import Question, reason
from crawler.probes.likeness import shingles
from crawler.probes.manners import Manners
from crawler.urls import InvalidUrl, normalise, same_site

_ANY_PUBLIC_V6 = "2000::1"  # a route to it is a route to the IPv6 Internet; nothing is sent there
_NAME_SERVER_SECONDS = 5.0


def probe_ipv6(
    manners: Manners, home: PageFacts | None, second_level: Sequence[PageFacts], *, rule: Ipv6Rule, seed: str = ""
) -> Iterator[Probe]:
    """Yield what there is to know of a site's IPv6: addresses, delegation, routes, connections, home page, inner links.

    Inner links of the second level are drawn by `seed` from the home page's, those of the third from the pages of
    `second_level`; each is fetched once over IPv6, and over IPv4 as a control where that failed.
    """
    asking = _Asking(manners)
    found = yield from asking.addresses()
    yield from asking.delegations()
    routed = yield from asking.routes(found.get(6, ()))
    for family, addresses in found.items():
        yield from asking.connections(family, addresses)
    yield from asking.home_page(found, tries=rule.tries, routed=routed)
    if routed and home is not None:
        for level, urls in _inner_links_by_level(manners.home, home, second_level):
            lots = random.Random(f"{seed}/{manners.site.id}/{level}")  # noqa: S311 to be drawn again, not a secret
            permitted = (url for url in lots.sample(sorted(urls), len(urls)) if manners.allows(url))
            yield from asking.links(level, sorted(islice(permitted, rule.sampled_links)))


def has_ipv6_route(address: str = _ANY_PUBLIC_V6) -> bool:
    """Tell whether this machine has an IPv6 route to an address (by default the public Internet); sends no packet."""
    return not _route_error(address)


# ---------------------------------------------------------------- the questions


@dataclass(slots=True)
class _Asking:
    """The questions about one site, one at a time."""

    manners: Manners

    @property
    def host(self) -> str:
        return self.manners.host

    @property
    def port(self) -> int:
        parts = urlsplit(self.manners.home)
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
        yield self.manners.probe(ProbeKind.ADDRESSES, self.host, observed, failure=failure)
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
            yield self.manners.probe(ProbeKind.ROUTE, address, {"reachable": not error, "error": error}, family=6)
        return any(not error for _, error in errors)

    def connections(self, family: int, addresses: Sequence[str]) -> Iterator[Probe]:
        """Yield a CONNECT probe for each address."""
        for address in addresses:
            try:
                self.manners.keep_pace(self.host)
            except HostSpared as spared:
                said = {"address": address, "port": self.port, "error": str(spared)}
                spent = FailureKind.BUDGET_EXHAUSTED
                yield self.manners.probe(ProbeKind.CONNECT, self.host, said, family=family, failure=spent)
                continue
            started, error = time.monotonic(), ""
            try:
                socket.create_connection((address, self.port), self.manners.settings.timeout_seconds).close()
            except OSError as refused:
                error = reason(refused)
            observed = {"address": address, "port": self.port, "connected": not error, "seconds": _since(started)}
            yield self.manners.probe(ProbeKind.CONNECT, self.host, observed | {"error": error}, family=family)

    def home_page(self, found: dict[int, tuple[str, ...]], *, tries: int, routed: bool) -> Iterator[Probe]:
        """Yield FETCH probes of the home page: once over IPv4, `tries` times over IPv6; none if robots.txt forbids."""
        if not self.manners.allows(self.manners.home):
            return
        if found[4]:
            yield self.fetch(self.manners.home, 4, level=1)
        if found[6] and routed:
            for attempt in range(1, tries + 1):
                yield self.fetch(self.manners.home, 6, level=1, attempt=attempt)

    def links(self, level: int, urls: Sequence[str]) -> Iterator[Probe]:
        """Yield FETCH probes of inner links over IPv6, with IPv4 as the control of those that failed."""
        for url in urls:
            over_v6 = self.fetch(url, 6, level=level)
            yield over_v6
            if over_v6.observed["error"] or over_v6.observed["status"] not in range(200, 400):
                yield self.fetch(url, 4, level=level)

    def fetch(self, url: str, family: int, *, level: int, attempt: int = 1) -> Probe:
        """Return the FETCH probe of one GET over one address family, redirects followed within that family."""
        got = self.manners.ask(Question(url, family=family))
        observed: dict[str, object] = {
            "address": got.address,
            "port": got.port,
            "status": got.status,
            "bytes": len(got.body),
            "digest": "sha256:" + hashlib.sha256(got.body).hexdigest() if got.body else "",
            "shingles": shingles(got.body, got.content_type),
            "error": got.error,
            "try": attempt,
            "level": level,
            "seconds": got.seconds,
        }
        return self.manners.probe(ProbeKind.FETCH, url, observed, family=family, failure=got.failure)

    # ------------------------------------------------------------ names

    def _ask(self, record_type: str) -> Answer:
        if not _is_literal(self.host):
            return self.manners.names.ask(self.host, record_type)
        wanted = {"A": 4, "AAAA": 6}[record_type]
        return Answer((self.host,) if ipaddress.ip_address(self.host).version == wanted else ())

    def _permitted(self, addresses: Sequence[str]) -> tuple[str, ...]:
        try:
            return self.manners.names.permitted(self.host, addresses)
        except AddressRefused:
            return ()

    def _canonical_name(self) -> str:
        try:
            answer = self.manners.names.stub().resolve(self.host, "A", raise_on_no_answer=False)
        except (dns.exception.DNSException, UnicodeError, OSError):
            return self.host  # the addresses' probe tells of it
        return answer.canonical_name.to_text(omit_final_dot=True)

    def _delegation(self, name: str) -> Probe:
        try:
            stub = self.manners.names.stub()
            zone = dns.resolver.zone_for_name(name, resolver=stub)
            servers = sorted(record.target.to_text(omit_final_dot=True) for record in stub.resolve(zone, "NS"))
        except (dns.exception.DNSException, UnicodeError, OSError) as error:
            observed: dict[str, object] = {"servers": [], "error": reason(error)}
            return self.manners.probe(ProbeKind.DELEGATION, name, observed, family=6, failure=FailureKind.DNS_FAILURE)
        observed = {"servers": [self._name_server(server, zone) for server in servers]}
        return self.manners.probe(ProbeKind.DELEGATION, zone.to_text(omit_final_dot=True), observed, family=6)

    def _name_server(self, server: str, zone: dns.name.Name) -> dict[str, object]:
        a, aaaa = self.manners.names.ask(server, "A"), self.manners.names.ask(server, "AAAA")
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
                reply = ask(query, address, timeout=_NAME_SERVER_SECONDS, port=self.manners.settings.name_server_port)
            except (dns.exception.DNSException, OSError, EOFError):
                continue
            return bool(reply.answer)
        return False


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
        return reason(error)
    return ""


def _is_literal(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
