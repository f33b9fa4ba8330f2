"""域名解析: one place that turns names into addresses, for the crawler, the browser and the probes alike."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import dns.exception
import dns.message
import dns.rcode
import dns.resolver

from checks.model import FailureKind
from crawler.guard import AddressRefused, AllowPrivate, may_reach

RECORD_TYPES = {4: "A", 6: "AAAA"}
LIFETIME = 5.0
REMEMBERED = 300.0


class NameNotFound(Exception):
    """The name does not exist, or has no address: correct it in sites.toml, or the owner's DNS is at fault."""


class NameFailure(Exception):
    """The name could not be resolved this time: check crawl.resolver and the network, then try again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What DNS says of a name. `rcode` is NOERROR, NXDOMAIN, SERVFAIL, …, or TIMEOUT; `failure` is set when it said
    neither yes nor no."""

    records: tuple[str, ...] = ()
    rcode: str = "NOERROR"
    failure: FailureKind | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    found: tuple[str, ...] | Exception
    at: float  # by the monotonic clock


@dataclass(slots=True)
class Names:
    """Resolves names through `resolver` ("ADDR:PORT") or the machine's own, and lets no private address through unless
    told to. Safe to call from several threads; every call but `checked` and `known` may block.

    An answer is remembered for `remembered` seconds; where nobody answers after that, it serves a while longer.
    """

    resolver: str | None = None
    allow_private: AllowPrivate = False
    timeout: float | None = None  # seconds for one question; LIFETIME by default
    remembered: float = REMEMBERED
    _known: dict[str, _Known] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host, IPv4 first; raises NameNotFound, NameFailure or AddressRefused."""
        known = self._last(host)
        if known is None or not self._is_fresh(known):
            found = self._resolve(host)
            if isinstance(found, NameFailure) and known is None:  # the next try may be answered
                raise found
            if not isinstance(found, NameFailure):
                known = _Known(found, time.monotonic())
                with self._lock:
                    self._known[host] = known
        assert known is not None
        return _told(known)

    def known(self, host: str) -> tuple[str, ...] | None:
        """Return what `addresses` would without asking anybody, or None where it would ask; raises likewise."""
        known = self._last(host)
        return _told(known) if known is not None and self._is_fresh(known) else None

    def checked(self, host: str) -> tuple[str, ...]:
        """Return the addresses that `addresses` last let pass, without asking again: to connect to these very ones."""
        known = self._last(host)
        return known.found if known is not None and not isinstance(known.found, Exception) else ()

    def addresses_of_family(self, host: str, family: int) -> tuple[str, ...]:
        """Return the host's addresses of family 4 or 6 from DNS itself; raises like `addresses`."""
        literal = _literal(host)
        if literal:
            records = (literal,) if ipaddress.ip_address(literal).version == family else ()
        else:
            answer = self.ask(host, RECORD_TYPES[family])
            if answer.failure:
                raise NameFailure(answer.detail)
            records = answer.records
        if not records:
            raise NameNotFound(f"{host} 没有 {RECORD_TYPES[family]} 记录")
        return self.permitted(host, records)

    def permitted(self, host: str, addresses: Iterable[str]) -> tuple[str, ...]:
        """Return those of the addresses that may be reached; raises AddressRefused when none may."""
        addresses = tuple(addresses)
        allowed = tuple(address for address in addresses if may_reach(address, self.allow_private))
        if not allowed:
            raise AddressRefused(f"{host} 解析到内网或保留地址 {'、'.join(addresses)}")
        return allowed

    def ask(self, name: str, record_type: str) -> Answer:
        """Return what DNS says of one record type; CNAMEs are followed. Never raises for what a server answers."""
        try:
            answer = self.stub().resolve(name, record_type, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return Answer(rcode="NXDOMAIN")
        except dns.resolver.NoNameservers as error:
            return Answer(rcode=_rcode_of(error), failure=FailureKind.DNS_FAILURE, detail=f"域名服务器未能答复 {name}")
        except dns.exception.Timeout:
            return Answer(rcode="TIMEOUT", failure=FailureKind.DNS_FAILURE, detail=f"域名服务器未在时限内答复 {name}")
        except (dns.exception.DNSException, UnicodeError, OSError) as error:
            return Answer(rcode="ERROR", failure=FailureKind.DNS_FAILURE, detail=f"域名 {name} 无法查询：{error}")
        return Answer(tuple(record.to_text() for record in answer.rrset or ()))

    def stub(self) -> dns.resolver.Resolver:
        """Return a resolver that asks where we were told to; raises dnspython's NoResolverConfiguration without any."""
        stub = dns.resolver.Resolver(configure=self.resolver is None)
        if self.resolver is not None:
            host, _, port = self.resolver.rpartition(":")
            stub.nameservers, stub.port = [host.strip("[]")], int(port)
        stub.search, stub.lifetime = [], self.timeout or LIFETIME
        return stub

    def _last(self, host: str) -> _Known | None:
        with self._lock:
            return self._known.get(host)

    def _is_fresh(self, known: _Known) -> bool:
        return time.monotonic() - known.at <= self.remembered

    def _resolve(self, host: str) -> tuple[str, ...] | Exception:
        try:
            literal = _literal(host)
            found = (literal,) if literal else self._lookup(host)
            return self.permitted(host, found)
        except (NameNotFound, NameFailure, AddressRefused) as error:
            return error

    def _lookup(self, host: str) -> tuple[str, ...]:
        if self.resolver is None:
            return _machine_lookup(host)
        answers = [self.ask(host, record_type) for record_type in RECORD_TYPES.values()]
        found = tuple(address for answer in answers for address in answer.records)
        if found:
            return found
        for answer in answers:
            if answer.failure:
                raise NameFailure(answer.detail)
        reason = "不存在" if answers[0].rcode == "NXDOMAIN" else "没有地址记录"
        raise NameNotFound(f"域名 {host} {reason}")


def _told(known: _Known) -> tuple[str, ...]:
    if isinstance(known.found, Exception):
        raise known.found
    return known.found


def _machine_lookup(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        missing = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        kind = NameNotFound if missing else NameFailure
        raise kind(f"域名 {host} {'不存在' if missing else '解析失败'}：{error.strerror}") from error
    except UnicodeError as error:
        raise NameNotFound(f"域名 {host[:100]} 不合规范") from error
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in ordered))


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def _rcode_of(error: dns.resolver.NoNameservers) -> str:
    for *_, response in error.kwargs.get("errors", ()):
        if isinstance(response, dns.message.Message):
            return dns.rcode.to_text(response.rcode())
    return "SERVFAIL"
