"""The shared vocabulary: what was captured, and what was found in it.

Frozen values only. Everything between the crawler and the reports speaks in these words; none of them knows of the
network, the database or the clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Protocol

from checks.facts.model import AttachmentFacts, PageFacts
from config.rules import Rules
from config.schema import Column, ColumnType, Site, Unit

# ---------------------------------------------------------------- captures


class Mode(StrEnum):
    """How a capture was made."""

    STATIC = "static"  # the bytes as the server sent them
    RENDERED = "rendered"  # the DOM after a browser ran the page's scripts
    SCREENSHOT = "screenshot"  # a PNG of the page as a visitor sees it


class FailureKind(Enum):
    """Why a capture holds no readable page: (code, may a later try succeed, 中文)."""

    DNS_NOT_FOUND = ("dns_not_found", False, "域名不存在")
    DNS_FAILURE = ("dns_failure", True, "域名解析失败")
    CONNECTION_REFUSED = ("connection_refused", True, "连接被拒绝")
    CONNECTION_TIMEOUT = ("connection_timeout", True, "连接超时")
    CONNECTION_LOST = ("connection_lost", True, "连接中断")
    READ_TIMEOUT = ("read_timeout", True, "响应超时")
    TLS_ERROR = ("tls_error", True, "HTTPS 证书或握手错误")
    TRUNCATED = ("truncated", True, "内容不完整")
    TOO_LARGE = ("too_large", False, "内容超过大小上限")
    HEADERS_TOO_LARGE = ("headers_too_large", False, "响应头超过上限")
    REDIRECT_LOOP = ("redirect_loop", False, "重定向循环或次数过多")
    NOT_FOUND = ("not_found", False, "页面不存在")
    FORBIDDEN = ("forbidden", True, "服务器拒绝访问")
    CLIENT_ERROR = ("client_error", False, "请求被拒绝")
    SERVER_ERROR = ("server_error", True, "服务器错误")
    RATE_LIMITED = ("rate_limited", True, "访问频率受限")
    BLOCKED = ("blocked", True, "被防护系统拦截")
    ROBOTS_UNREADABLE = ("robots_unreadable", True, "robots.txt 读不到，暂不采集")
    ROBOTS_DISALLOWED = ("robots_disallowed", False, "robots.txt 不允许")
    ADDRESS_REFUSED = ("address_refused", False, "地址不在允许范围")
    SCHEME_REFUSED = ("scheme_refused", False, "不是 http/https 地址")
    RENDER_FAILED = ("render_failed", True, "浏览器渲染失败")
    RENDER_UNAVAILABLE = ("render_unavailable", True, "没有可用的浏览器")
    BUDGET_EXHAUSTED = ("budget_exhausted", True, "本次采集的时间、页数或当日对该主机的访问量已用完")
    UNREADABLE = ("unreadable", False, "程序未能解析页面")
    EVIDENCE_DAMAGED = ("evidence_damaged", False, "证据记录已损坏")
    NOT_CAPTURED = ("not_captured", True, "采集未完成")
    UNCONFIRMED_ADDRESS = ("unconfirmed_address", False, "栏目地址待确认")

    def __init__(self, code: str, retryable: bool, title: str) -> None:
        self.code = code
        self.retryable = retryable
        self.title = title

    @classmethod
    def of(cls, code: str) -> FailureKind:
        """Return the kind with that code; raises KeyError."""
        return {kind.code: kind for kind in cls}[code]


REFUSALS = (  # the site kept us out, by its answer or by its robots.txt; what its owner can mend comes first
    FailureKind.BLOCKED,
    FailureKind.RATE_LIMITED,
    FailureKind.FORBIDDEN,
    FailureKind.ROBOTS_UNREADABLE,
    FailureKind.ROBOTS_DISALLOWED,
)


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """Where the bytes of a capture lie: a WARC record. `offset` is in bytes; digests read "sha256:<hex>"."""

    warc_file: str  # relative to the evidence folder
    offset: int
    record_id: str
    payload_digest: str


NOT_MODIFIED = "服务器答复 304：自上次采集以来没有改动"  # the `detail` of a capture whose bytes did not come again


@dataclass(frozen=True, slots=True)
class Capture:
    """One thing fetched or rendered. A failed capture is still a capture, and a block page keeps its bytes.

    `elapsed` is in seconds, `length` in bytes of the decoded body; `headers` are the response's, names in lower case.
    A page that is not asked for tonight (沿用) has the capture of an earlier night, with all that it says.
    """

    site_id: str
    url: str  # as asked for, normalised
    mode: Mode
    captured_at: datetime  # aware
    final_url: str = ""
    redirects: tuple[str, ...] = ()
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    length: int = 0
    elapsed: float = 0.0
    address: str = ""  # the IP address that answered
    failure: FailureKind | None = None
    detail: str = ""  # one line for people: what exactly went wrong
    evidence: EvidenceRef | None = None

    @property
    def content_type(self) -> str:
        """The Content-Type header, or an empty string."""
        return dict(self.headers).get("content-type", "")


class PageRole(StrEnum):
    """What a page was fetched as."""

    HOME = "home"
    COLUMN = "column"  # a page of a column: its list pages, or the one page the column consists of
    ARTICLE = "article"
    ATTACHMENT = "attachment"
    SECOND_LEVEL = "second_level"  # linked from a home page without dated items


@dataclass(frozen=True, slots=True)
class Visit:
    """One planned look at a page: why it was fetched, for whom. A URL that two columns visit is fetched once."""

    site_id: str
    url: str  # equals Capture.url of its captures
    role: PageRole
    order: int = 0  # list pages: 0 first; articles: rank in the list, newest 0
    unit_id: str | None = None
    column_id: str | None = None
    parent: str | None = None  # attachments: the article's URL, None where a list leads straight to the file; list
    # pages after the first: the page before
    reason: str = ""  # why it was drawn: "最新 3/5", "抽样 2/41 种子 …"
    title: str = ""  # link text where it was listed
    listed_date: date | None = None  # date where it was listed
    rendering_wanted: bool = False  # the static page lacked what a rule needs, so a rendered capture was asked for
    failure: FailureKind | None = None  # set when it was never asked for: robots, budget, unconfirmed address
    revisit: bool = False  # 复查: made only to see whether a fault was mended; bears on no score


@dataclass(frozen=True, slots=True)
class Revisit:
    """复查: a page that a run asks for, whether its sample draws it or not, to see whether a fault on it was mended."""

    url: str  # normalised; the target of the fault
    unit_id: str
    column_id: str
    check: str
    item: str
    finding_id: int  # the finding by whose number people know the fault


class ProbeKind(StrEnum):
    """What a probe asked."""

    ADDRESSES = "addresses"  # A and AAAA of a host
    DELEGATION = "delegation"  # NS of the zone, their A/AAAA, and whether each answers over v6
    CONNECT = "connect"  # TCP connect to one address and port
    FETCH = "fetch"  # GET of a URL over one address family
    ROUTE = "route"  # whether the inspecting machine has a v6 route to an address
    LINK = "link"  # whether what a link leads to can be had
    SEARCH = "search"  # whether the site's search finds a title that we know is there
    TLS = "tls"  # the certificate that a host shows


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to the network and its answer. `observed` is JSON-like and depends on the kind:

    ADDRESSES   target host;        {"a": [..], "aaaa": [..], "rcode": "NOERROR|NXDOMAIN|…"}
    DELEGATION  target zone;        {"servers": [{"name", "a": [..], "aaaa": [..], "answers_v6": true|false|null}]}
    CONNECT     target host;        {"address", "port", "connected": bool, "seconds", "error"}
    FETCH       target URL;         {"address", "port", "try": n, "status", "bytes", "seconds", "digest",
                                     "shingles": [..], "error", "level": 1|2|3}
    ROUTE       target address;     {"reachable": bool, "error"}
    LINK        target URL;         {"kind": "page"|"image"|"attachment", "written": [.. the address as pages write it],
                                     "tries": [{"method", "at", "status", "bytes", "error", "soft_404": bool}],
                                     "state": "alive"|"dead"|"unsure", "why"}
    SEARCH      target form URL;    {"try": n, "query", "title", "url", "published" (ISO) of what should be found,
                                     "method", "status", "bytes", "found": bool|null, "error"}
    TLS         target host:port;   {"offered": bool|null, "not_before", "not_after" (ISO days, UTC), "names": [..],
                                     "issuer", "verified": bool|null (the chain alone, whatever the date), "error",
                                     "certificate" (base64)}
    `family` is 4, 6 or 0. `failure` is set when the question itself could not be put (never "the answer is no").
    """

    site_id: str
    kind: ProbeKind
    target: str
    family: int
    captured_at: datetime
    observed: dict[str, object]
    failure: FailureKind | None = None
    evidence: EvidenceRef | None = None


# ---------------------------------------------------------------- bundles


@dataclass(frozen=True, slots=True)
class Page:
    """A visit with everything captured for it, and what was read in the best of its captures.

    `facts` is None when nothing readable was captured; then `failure` says why. `complete` is False when scripts decide
    something on this page and no rendered capture could be had: what is missing on it may still be there for a visitor.
    """

    visit: Visit
    captures: tuple[Capture, ...] = ()
    facts: PageFacts | None = None
    attachment: AttachmentFacts | None = None
    capture: Capture | None = None  # the one that facts were read from, or the last that failed
    complete: bool = True

    @property
    def url(self) -> str:
        """The URL as asked for."""
        return self.visit.url

    @property
    def failure(self) -> FailureKind | None:
        """Why nothing could be read, or None."""
        if self.facts is not None or self.attachment is not None:
            return None
        return self.visit.failure or (self.capture.failure if self.capture else None) or FailureKind.NOT_CAPTURED

    @property
    def evidence(self) -> tuple[EvidenceRef, ...]:
        """Where the bytes lie that a judgement on this page rests on."""
        return tuple(c.evidence for c in self.captures if c.evidence is not None and c.mode is not Mode.SCREENSHOT)


@dataclass(frozen=True, slots=True)
class ColumnVisit:
    """One column of a unit as this run saw it. `pages` are its list pages in order, empty only for a planned column
    that was never asked for; `articles` the sampled ones, each with its `attachments` by article URL."""

    column: Column
    unit: Unit
    pages: tuple[Page, ...] = ()
    articles: tuple[Page, ...] = ()
    attachments: tuple[Page, ...] = ()  # visit.parent names the article; None: the list leads straight to the file
    failure: FailureKind | None = None  # set when `pages` is empty

    @property
    def target(self) -> str:
        """What a finding about the column as a whole points at: its URL, or its place in the inventory."""
        return self.column.url or f"{self.unit.id}/{self.column.id}"

    @property
    def everything(self) -> tuple[Page, ...]:
        """All that was asked for: list pages, articles and attachments."""
        return (*self.pages, *self.articles, *self.attachments)

    def attachments_of(self, page: Page) -> tuple[Page, ...]:
        """Return the captured files of one article, or of a page of the column: what it lists and what it offers."""
        parents = {page.url, None} if page.visit.role is PageRole.COLUMN else {page.url}
        return tuple(file for file in self.attachments if file.visit.parent in parents)


@dataclass(frozen=True, slots=True)
class AvailabilityDay:
    """可用性 of one site on one day: probes answered in time, those that failed, and those that our own outage spoilt.

    `failures` are examples in Chinese, e.g. "09:15 连接超时"; probes spoilt by our outage are in neither count.
    """

    site_id: str
    day: date
    answered: int
    failed: int
    ours: int = 0
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListHistory:
    """What earlier nights saw of one column's list, by `target` of the column.

    `whole_on` is the last earlier night on which the list was captured whole (None: never); `known` the normalised URLs
    seen on any earlier night, `titles` what they were called.
    """

    target: str
    whole_on: date | None
    known: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NewMediaAccount:
    """政务新媒体账号: one row of the register that the office imported, as of `recorded_on`."""

    unit_id: str
    platform: str  # 微信, 微博, 抖音, 客户端 …
    name: str
    last_post: date | None  # None: nothing was ever posted
    interaction: bool | None  # offers visitors a way to ask or comment; None: not recorded
    recorded_on: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything captured in one run for one unit (`unit` set), or for one site (`unit` None).

    A unit's bundle holds its columns, the home pages of the sites they stand on, the probes of links on those sites and
    what earlier nights saw of its lists. A site's bundle holds its home page, second-level pages, all its probes, its
    availability, and the columns of all its units: only their lists, and of these only whether they were read. `day` is
    the day the run speaks of. `new_media` is None while no register was imported.
    """

    day: date
    unit: Unit | None = None
    site: Site | None = None
    division_code: str = ""
    home: Page | None = None
    second_level: tuple[Page, ...] = ()
    columns: tuple[ColumnVisit, ...] = ()
    probes: tuple[Probe, ...] = ()
    domain_suffix: str = "gov.cn"
    homes: tuple[Page, ...] = ()
    availability: tuple[AvailabilityDay, ...] = ()  # the seven days before `day`, those without probes left out
    histories: tuple[ListHistory, ...] = ()
    new_media: tuple[NewMediaAccount, ...] | None = None

    @property
    def home_address(self) -> str:
        """The address of the site's home page, as asked for, else as the inventory has it; "" in a unit's bundle."""
        return self.home.url if self.home else self.site.home if self.site else ""

    def columns_of(self, *types: ColumnType) -> tuple[ColumnVisit, ...]:
        """Return the columns of these types, in the order of the inventory."""
        return tuple(visit for visit in self.columns if visit.column.type in types)


# ---------------------------------------------------------------- findings


class Outcome(StrEnum):
    """What a check says of one target. Only PASS and FAIL enter a score."""

    PASS = "PASS"  # noqa: S105 - an outcome, no password
    FAIL = "FAIL"
    NOTICE = "NOTICE"  # worth knowing, costs nothing
    NOT_APPLICABLE = "NOT_APPLICABLE"  # the rule does not speak of this target: leaves the count
    NOT_TESTED = "NOT_TESTED"  # we did not look (no browser, unconfirmed address): leaves the count, lowers coverage
    INCONCLUSIVE = "INCONCLUSIVE"  # we looked and cannot tell (blocked, timed out): leaves the count, lowers coverage
    ERROR = "ERROR"  # the check itself broke: leaves the count, lowers coverage


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says of one target, in words that the unit's editor can act on.

    `reason` is a stable snake_case code; `observed` and `expected` are Chinese sentences; `passage` is the text
    concerned and `where` its place on the page. `item` parts a target that is judged in several respects (IPv6's seven
    items). `weight` is the target's share in its check (default 1).
    """

    check: str
    target: str  # normalised URL, or unit/column where no URL exists
    outcome: Outcome
    reason: str
    observed: str = ""
    expected: str = ""
    passage: str = ""
    where: str = ""
    item: str = ""
    weight: Decimal = Decimal(1)
    unit_id: str = ""  # filled in by the registry's judge
    column_id: str | None = None
    evidence: tuple[EvidenceRef, ...] = ()
    screenshot: EvidenceRef | None = None
    rules_version: str = ""

    @property
    def fingerprint(self) -> str:
        """The identity of the fault over time: the same fault tomorrow has the same fingerprint (32 hex digits)."""
        return fingerprint_of(self.check, self.unit_id, self.target, self.item, self.reason)


def fingerprint_of(check: str, unit_id: str, target: str, item: str, reason: str) -> str:
    """Return the fingerprint of a finding by the fields that it is made of."""
    return hashlib.sha256("\n".join((check, unit_id, target, item, reason)).encode()).hexdigest()[:32]


# ---------------------------------------------------------------- checks


class Scope(StrEnum):
    """What one target of a check is; SITE checks are judged once a site and counted for each of its units."""

    PAGE = "page"
    COLUMN = "column"
    UNIT = "unit"
    SITE = "site"


WITHDRAWN = "withdrawn"  # a page that was looked at again is there no more, and its fault with it
ERROR = "error"  # the check itself broke down
COMMON_REASONS = {WITHDRAWN: "网页已撤除", ERROR: "检查没有完成"}  # may stand beside any check's own reasons


@dataclass(frozen=True, slots=True)
class CheckMeta:
    """What a check is: `id` is a noun and the name of its file; titles, basis and method are Chinese."""

    id: str
    title: str  # 公开属性标注
    failure_title: str  # 公文未标注公开属性
    basis: str  # the clause it rests on
    method: str  # how it is judged, in one or two sentences
    scope: Scope
    reasons: dict[str, str] = field(default_factory=dict)  # every reason code it may give -> short Chinese title

    def reason_title(self, reason: str) -> str:
        """Return in Chinese what a reason code says, one that any check may give too; a code nobody knows as it is."""
        return self.reasons.get(reason) or COMMON_REASONS.get(reason, reason)


class Check(Protocol):
    """A check is a module with these two names."""

    META: CheckMeta

    def evaluate(self, bundle: Bundle, rules: Rules) -> Iterator[Finding]:
        """Yield what the check says of the bundle's targets."""
