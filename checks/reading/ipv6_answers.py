"""What the probes of a host answered over both address families, read out of their observations into typed values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from checks.model import EvidenceRef, Probe, ProbeKind

RESOLVED = frozenset({"NOERROR"})
GUARDED = frozenset({401, 403, 412, 521})  # a server that is there, and asks a visitor for more than we bring
ANSWERS = {"True": "经IPv6应答", "False": "经IPv6不应答"}


@dataclass(frozen=True, slots=True)
class Fetch:
    """One GET of a URL over one address family; `size` in bytes, `shingles` the digests of its pieces of text."""

    target: str
    family: int
    level: int
    address: str
    port: int | None
    status: int | None
    size: int
    digest: str
    shingles: frozenset[str]
    error: str

    @property
    def is_success(self) -> bool:
        """Whether the server gave the page, or sent the visitor on to it."""
        return self.status is not None and 200 <= self.status < 400 and not self.error

    @classmethod
    def of(cls, probe: Probe) -> Fetch:
        """Return the typed value of a FETCH probe."""
        observed = probe.observed
        return cls(
            target=probe.target,
            family=probe.family,
            level=_number(observed.get("level")) or 1,
            address=str(observed.get("address") or ""),
            port=_number(observed.get("port")),
            status=_number(observed.get("status")),
            size=_number(observed.get("bytes")) or 0,
            digest=str(observed.get("digest") or ""),
            shingles=frozenset(_strings(observed.get("shingles"))),
            error=str(observed.get("error") or ""),
        )


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of the host's delegation. `is_fit`: every name server has an AAAA record and one answers over IPv6.

    None: whether any answers was not to be told. One silent server of several is the network's mood, and forgiven; a
    missing AAAA record is none. `is_silent`: unfit only because none of the servers answered.
    """

    name: str
    is_fit: bool | None
    line: str
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything a run learnt about one host over both address families."""

    asked_addresses: bool
    dns_error: str
    a: tuple[str, ...]
    aaaa: tuple[str, ...]
    lacks_v6_route: bool
    fetches: tuple[Fetch, ...]
    connects: tuple[tuple[int, str], ...]  # (family, line in Chinese)
    zones: tuple[Zone, ...]
    delegation_error: str
    evidence: tuple[EvidenceRef, ...]

    @classmethod
    def of(cls, probes: Iterable[Probe]) -> Answers:
        """Return what a site's probes say of its host."""
        by_kind: dict[ProbeKind, list[Probe]] = {kind: [] for kind in ProbeKind}
        for probe in probes:
            by_kind[probe.kind].append(probe)
        addresses = by_kind[ProbeKind.ADDRESSES]
        answered = [probe for probe in addresses if not _dns_error(probe)]
        routes = [probe.observed.get("reachable") is True for probe in by_kind[ProbeKind.ROUTE] if probe.family != 4]
        delegations = by_kind[ProbeKind.DELEGATION]
        return cls(
            asked_addresses=bool(addresses),
            dns_error="" if answered or not addresses else _dns_error(addresses[0]),
            a=_merged(answered, "a"),
            aaaa=_merged(answered, "aaaa"),
            lacks_v6_route=bool(routes) and not any(routes),
            fetches=tuple(Fetch.of(probe) for probe in by_kind[ProbeKind.FETCH] if probe.failure is None),
            connects=tuple((probe.family, _connect_line(probe)) for probe in by_kind[ProbeKind.CONNECT]),
            zones=tuple(_zone(probe) for probe in delegations if not _dns_error(probe)),
            delegation_error="；".join(filter(None, map(_dns_error, delegations))),
            evidence=tuple(dict.fromkeys(p.evidence for found in by_kind.values() for p in found if p.evidence)),
        )

    def home(self, family: int) -> tuple[Fetch, ...]:
        """Return the tries of the home page over one address family."""
        return tuple(fetch for fetch in self.fetches if fetch.level == 1 and fetch.family == family)

    def reached(self, family: int) -> tuple[Fetch, ...]:
        """Return the tries of the home page that reached the site over one address family.

        A site that guards its page over both alike has been reached: the answer is the same, whatever it is.
        """
        guarded = {fetch.status for fetch in self.home(4) if fetch.status in GUARDED and not fetch.error}
        return tuple(fetch for fetch in self.home(family) if fetch.is_success or fetch.status in guarded)

    def links(self, level: int) -> tuple[Fetch, ...]:
        """Return the tries over IPv6 of the inner links of a level, without those that IPv4 cannot open either."""
        fours = [fetch for fetch in self.fetches if fetch.level == level and fetch.family == 4]
        dead = {fetch.target for fetch in fours} - {fetch.target for fetch in fours if fetch.is_success}
        sixes = (fetch for fetch in self.fetches if fetch.level == level and fetch.family == 6)
        return tuple(fetch for fetch in sixes if fetch.target not in dead)

    def guards_links(self, level: int) -> bool:
        """Whether inner links of a level were asked for and guarded over IPv4."""
        return any(f.level == level and f.family == 4 and f.status in GUARDED for f in self.fetches)

    def connect_lines(self, family: int) -> str:
        """Return in Chinese what the connections of one family came to."""
        return told_once(line for connected, line in self.connects if connected == family)


def told_once(lines: Iterable[str]) -> str:
    """Return the lines as one sentence; what repeats is told once, with how often."""
    told = Counter(lines)
    return (
        "；".join(line + (f"（共 {times} 次）" if times > 1 else "") for line, times in told.items()) + "。"
        if told
        else ""
    )


def difference(one: Fetch, other: Fetch) -> float | None:
    """Return the share of the pages' pieces that only one of them has (0–1), or None when nothing can be compared."""
    if one.digest and one.digest == other.digest:
        return 0.0
    union = one.shingles | other.shingles
    return 1 - len(one.shingles & other.shingles) / len(union) if union else None


def fetch_line(fetch: Fetch, *, with_target: bool = False) -> str:
    """Return in Chinese what came of one try: address, port, result, status, bytes."""
    place = f"[{fetch.address}]" if ":" in fetch.address else fetch.address
    where = f"{place or '（无地址）'}:{fetch.port}" if fetch.port else place or f"IPv{fetch.family}"
    result = "成功" if fetch.is_success else f"失败（{fetch.error}）" if fetch.error else "失败"
    status = f"，HTTP {fetch.status}，{fetch.size} 字节" if fetch.status is not None else ""
    return f"{fetch.target + ' ' if with_target else ''}{where} {result}{status}"


def _connect_line(probe: Probe) -> str:
    address = str(probe.observed.get("address") or "")
    place = f"[{address}]" if ":" in address else address
    error = str(probe.observed.get("error") or "")
    result = "连接成功" if probe.observed.get("connected") is True else f"连接失败（{error or '原因不明'}）"
    return f"{place}:{probe.observed.get('port')} {result}"


def _dns_error(probe: Probe) -> str:
    """Return why the DNS gave no answer; a name without records of a kind is an answer."""
    if probe.failure is not None:
        return probe.failure.title
    rcode = str(probe.observed.get("rcode") or "NOERROR").upper()
    return "" if rcode in RESOLVED else rcode


def _zone(probe: Probe) -> Zone:
    listed = probe.observed.get("servers")
    servers = [server for server in listed if isinstance(server, dict)] if isinstance(listed, (list, tuple)) else []
    lines = [f"{server.get('name')} {_server_words(server)}" for server in servers]
    line = f"{probe.target} 的域名服务器：{'，'.join(lines) or '没有查到'}"
    fit = _is_fit(servers)
    complete = bool(servers) and all(_strings(server.get("aaaa")) for server in servers)
    return Zone(probe.target, fit, line, is_silent=fit is False and complete)


def _is_fit(servers: list[dict[str, object]]) -> bool | None:
    bare = [server.get("answers_v6") for server in servers if not _strings(server.get("aaaa"))]
    if False in bare or not servers:
        return False
    answers = [server.get("answers_v6") for server in servers]
    if True in answers and not bare:
        return True
    return None if None in answers else False


def _server_words(server: dict[str, object]) -> str:
    addresses = _strings(server.get("aaaa"))
    if not addresses:
        return "没有AAAA记录" if server.get("answers_v6") is False else "未能查到有没有AAAA记录"
    return f"AAAA {'、'.join(addresses)} {ANSWERS.get(str(server.get('answers_v6')), '未能测试是否经IPv6应答')}"


def _merged(probes: list[Probe], key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for probe in probes for value in _strings(probe.observed.get(key))))


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple, set, frozenset)) else ()


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
