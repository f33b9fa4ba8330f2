"""What people may write in config/*.toml, as frozen, typed values.

The bottom layer of the house: it imports nothing of ours, and everything else may import it.
Unknown keys are refused everywhere, because a misspelt key in a scoring table would silently change a score.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """Base of every configuration value: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _web_address(value: str) -> str:
    """Return the address unchanged; raises PydanticCustomError unless it is an absolute http(s) URL with a host.

    Nor may it bear a user name or password: nothing is fetched with them.
    """
    error = PydanticCustomError("web_address", "not an absolute http(s) URL")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise error from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or any(c.isspace() for c in value):
        raise error
    if "@" in parts.netloc:
        raise PydanticCustomError("credentials", "a URL with credentials")
    return value


def _networks(value: Any) -> Any:
    """Return whether all private addresses may be asked, or the networks that may; raises PydanticCustomError."""
    if isinstance(value, bool):
        return value
    try:
        return tuple(ip_network(network) for network in value)
    except (TypeError, ValueError):
        raise PydanticCustomError("networks", "not a list of networks") from None


Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
Text = Annotated[str, Field(min_length=1)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Networks = Annotated[bool | tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
Share = Annotated[Decimal, Field(ge=0, le=1)]
Weight = Annotated[Decimal, Field(ge=0)]


# ---------------------------------------------------------------- inventory: sites.toml


class UnitKind(StrEnum):
    """单位类别: the two groups that are ranked apart."""

    TOWNSHIP = "township"  # 乡镇
    DEPARTMENT = "department"  # 部门


class ColumnType(StrEnum):
    """栏目类型: decides what is expected in a column and how fresh it must be."""

    NEWS = "news"  # 动态要闻
    NOTICE = "notice"  # 通知公告
    POLICY = "policy"  # 政策文件
    NORMATIVE_DOCUMENT = "normative_document"  # 规范性文件
    INSTITUTION = "institution"  # 政府信息公开制度
    DISCLOSURE_GUIDE = "disclosure_guide"  # 政府信息公开指南
    ANNUAL_REPORT = "annual_report"  # 政府信息公开年报
    MANDATORY_CONTENT = "mandatory_content"  # 法定主动公开内容
    APPLICATION = "application"  # 依申请公开
    STANDARD_CATALOG = "standard_catalog"  # 基层政务公开标准目录
    SERVICE_GUIDE = "service_guide"  # 办事指南
    AGENCY_FUNCTIONS = "agency_functions"  # 机构职能
    POWER_LIST = "power_list"  # 权责清单
    PUBLIC_CONSULTATION = "public_consultation"  # 意见征集
    POLICY_INTERPRETATION = "policy_interpretation"  # 政策解读
    FAQ = "faq"  # 百事通/常见问题
    DOUBLE_RANDOM = "double_random"  # 双随机一公开
    RELIEF_POLICY = "relief_policy"  # 惠企惠民政策
    HEALTH = "health"  # 突发公共卫生
    CONSULTATION = "consultation"  # 咨询建言
    KEY_TOPIC = "key_topic"  # 重点领域
    OTHER = "other"  # 其他栏目


class Column(Settings):
    """栏目: one column of a unit.

    `url` is None while nobody knows where the column stands. `absent` is a person's word that there is no such column;
    it is a key of its own, so that a forgotten address can never become a fault.
    """

    id: Identifier  # unique within the unit
    type: ColumnType
    name: Text
    site: str  # id of the site it lives on
    url: WebAddress | None = None
    confirmed: bool = False
    absent: bool = False


class ColumnTemplate(Settings):
    """栏目样板: a column that every unit of `kinds` has, unless the unit says otherwise."""

    id: Identifier
    type: ColumnType
    name: Text
    site: str
    kinds: tuple[UnitKind, ...] = (UnitKind.DEPARTMENT, UnitKind.TOWNSHIP)
    duties: tuple[str, ...] = ()  # only units that bear one of these duties have it; empty: every unit of `kinds`


class Duty(Settings):
    """职责: something that some units answer for and others do not."""

    id: Identifier
    name: Text


class Unit(Settings):
    """单位: one evaluated unit with its aliases, duties and columns."""

    id: Identifier
    name: Text
    full_name: str = ""
    kind: UnitKind
    aliases: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()  # 职责: ids of the duties that indicators and pilot fields refer to
    catalog_fields: tuple[str, ...] = ()  # the unit's share of the 26 pilot fields (试点领域)
    without_columns: tuple[str, ...] = ()  # ids of the column templates that do not hold for this unit
    columns: tuple[Column, ...] = Field(default=(), alias="column")  # its own and, once loaded, those of the templates

    model_config = ConfigDict(populate_by_name=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Every way the unit is written: name, full name, aliases; no repeats."""
        return tuple(name for name in dict.fromkeys((self.name, self.full_name, *self.aliases)) if name)


def _time_without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise PydanticCustomError("time_zone", "a time of the district, without a zone")
    return value


class PaceHours(Settings):
    """时段步调: the pace from one time of the district's day to another, past midnight where `to` comes before."""

    begin: Annotated[time, AfterValidator(_time_without_zone)] = Field(alias="from")
    end: Annotated[time, AfterValidator(_time_without_zone)] = Field(alias="to")
    requests_per_second: float = Field(gt=0)

    model_config = ConfigDict(populate_by_name=True)

    def holds(self, at: time) -> bool:
        """Tell whether the pace holds at a time: from `begin` on, before `end`."""
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


class Site(Settings):
    """站点: one website; IPv6, identity and availability are judged once a site and count for each of its units."""

    id: Identifier
    name: Text
    home: WebAddress  # the home page
    host_unit: str = ""  # 主办单位 as the footer should name it
    site_code: Annotated[str, Field(pattern=r"^(\d{10}|bm\d{8})$")] | None = None  # 政府网站标识码
    confirmed: bool = False
    requests_per_second: float | None = Field(default=None, gt=0)
    concurrency: int | None = Field(default=None, ge=1, le=16)
    pace: tuple[PaceHours, ...] | None = None
    requests_per_day: int | None = Field(default=None, ge=1)
    bytes_per_day: int | None = Field(default=None, ge=1)
    robots_override_reason: Text | None = None  # set only with the owner's leave; kept with every run
    crawl_delay_override_reason: Text | None = None  # likewise, for the Crawl-delay alone


class District(Settings):
    """地区: the district whose units are evaluated, and how its official documents begin and end."""

    name: str
    division_code: Annotated[str, Field(pattern=r"^\d{6}$")]  # 行政区划代码
    city: str = ""
    office: Text = ""  # 落款: who signs; left out, the office of the district's people's government
    recipients: Text = "各乡镇人民政府，区政府各部门"  # 主送
    domain_suffix: str = "gov.cn"  # 政府网站域名后缀: what the hosts of the district's sites end in
    timezone: str = "Asia/Shanghai"

    @model_validator(mode="before")
    @classmethod
    def _named_after_the_district(cls, table: Any) -> Any:
        named = isinstance(table, dict) and isinstance(table.get("name"), str)
        return {"office": f"{table['name']}人民政府办公室", **table} if named else table


class Sampling(Settings):
    """采样: how many articles of a column are read, how far its list is followed, and when a page is read anew."""

    newest: int = Field(default=5, ge=0)  # always the newest n
    older: int = Field(default=2, ge=0)  # k more, drawn from the rest with the run's seed
    list_pages: int = Field(default=3, ge=1)  # list pages followed for the sampling frame
    attachments: int = Field(default=3, ge=0)  # attachments read of one article
    catalog_items: int = Field(
        default=40, ge=0
    )  # articles and files read of a standard catalogue, judged field by field
    recheck_days: int = Field(default=14, ge=0, le=366)  # 复采周期: by then every page is asked for anew; 0: nightly

    @property
    def facts_days(self) -> int:
        """For how many days what was read of a page is kept unused: till its turn has come twice, or a month."""
        return max(2 * self.recheck_days, 31)


class Crawl(Settings):
    """采集: limits and manners of the crawler; every number may be overridden by a site."""

    contact: str = ""  # shown in the User-Agent so that a site's owner can reach us
    requests_per_second: float = Field(default=1.0, gt=0)
    concurrency: int = Field(default=2, ge=1, le=16)
    pace: tuple[PaceHours, ...] = ()  # by time of day; requests_per_second holds for the rest of it
    requests_per_day: int = Field(default=20_000, ge=1)  # of one host, all runs and probes of a day together
    bytes_per_day: int = Field(default=5_000_000_000, ge=1)
    block_rest_seconds: float = Field(
        default=600.0, ge=0
    )  # a host that blocks us is left alone before it is asked again
    our_addresses: tuple[Text, ...] = ()  # from which sites see us come: told to whoever is to allow-list us
    timeout_seconds: float = Field(default=15.0, gt=0)
    site_time_limit_seconds: float = Field(default=3600.0, gt=0)
    max_body_bytes: int = Field(default=10_000_000, gt=0)
    max_attachment_bytes: int = Field(default=30_000_000, gt=0)
    max_rendered_bytes: int = Field(default=50_000_000, gt=0)  # of all that a page asks for in the browser
    max_header_bytes: int = Field(default=65_536, gt=0)
    max_headers: int = Field(default=200, gt=0)
    max_redirects: int = Field(default=5, ge=0)
    retries: int = Field(default=1, ge=0)
    max_pages_per_site: int = Field(default=20_000, gt=0)
    max_pages_per_column: int = Field(default=500, gt=0)  # of a unit: list pages, articles and files together
    batch_sites: int = Field(default=8, ge=1)  # sites a child process takes
    processes: int = Field(default=2, ge=1, le=16)  # child processes at once
    render: Literal["auto", "never"] = "auto"
    pages_per_browser: int = Field(default=200, ge=1)  # then the browser makes way for a new one
    screenshots_per_unit: int = Field(default=2, ge=0)
    allow_private_addresses: Networks = False  # those that may be asked, such as "10.3.0.0/16"; true: any
    names_remembered_seconds: float = Field(default=300.0, ge=0)  # then a host's addresses are asked for again
    resolver: str | None = None  # "127.0.0.1:5353": ask this DNS server instead of the machine's
    name_server_port: int = Field(default=53, ge=1, le=65535)  # where the IPv6 delegation test asks name servers
    https_port: int = Field(default=443, ge=1, le=65535)  # where the certificate test asks a site known by http only
    certificate_authorities: str | None = None  # a PEM file trusted beside the machine's own authorities
    links_per_site: int = Field(default=300, ge=0)  # links tried a night and site in the search for dead ones
    revisits_per_unit: int = Field(default=20, ge=0)  # pages read again to see whether faults ordered mended are
    sampling: Sampling = Sampling()


class Schedule(Settings):
    """计划任务: when the nightly run starts, local time of the district."""

    nightly: time = time(1, 30)
    misfire_grace_seconds: int = Field(default=6 * 3600, ge=1)
    probe_minutes: int = Field(default=60, ge=5, le=72)  # between two looks at each home page: 72 make 20 a day
    probe_jitter_seconds: int = Field(default=120, ge=0)  # by how much a round may stray, so that none is foreseen
    controls: tuple[WebAddress, ...] = ()  # others' sites that are asked whether our own line is up, when much fails


class Evidence(Settings):
    """证据: how a run's manifest is signed and stamped, how long its files are kept; all of it is optional.

    Files are named by their full paths. The private key itself stands in its own file, never here.
    """

    signing_key: Text | None = None  # the file of the Ed25519 key; INSPECT_SIGNING_KEY wins
    public_keys: tuple[PublicKey, ...] = ()  # Base64: earlier keys, whose signatures still count
    timestamp_authority: WebAddress | None = None  # 时间戳服务: an RFC 3161 authority
    timestamp_certificates: Text | None = None  # a PEM file of the root certificates whose stamps are trusted
    keep_days: int = Field(default=400, ge=1)  # 保存期: no evidence of the last so many days may be cleared


class Inventory(Settings):
    """The whole of sites.toml."""

    district: District
    crawl: Crawl = Crawl()
    schedule: Schedule = Schedule()
    evidence: Evidence = Evidence()
    sites: tuple[Site, ...] = Field(alias="site", min_length=1)
    column_templates: tuple[ColumnTemplate, ...] = Field(default=(), alias="column_template")
    duties: tuple[Duty, ...] = Field(default=(), alias="duty")
    units: tuple[Unit, ...] = Field(alias="unit", min_length=1)

    model_config = ConfigDict(populate_by_name=True)

    def site(self, site_id: str) -> Site:
        """Return the site of that id; raises KeyError."""
        return {site.id: site for site in self.sites}[site_id]

    def unit(self, unit_id: str) -> Unit:
        """Return the unit of that id; raises KeyError."""
        return {unit.id: unit for unit in self.units}[unit_id]

    def units_of(self, site_id: str) -> tuple[Unit, ...]:
        """Return the units that have a column on the site, in inventory order."""
        return tuple(unit for unit in self.units if any(column.site == site_id for column in unit.columns))


# ---------------------------------------------------------------- scoring tables: indicators.toml, indicators-YYYY.toml


class Binding(Settings):
    """One check that serves an indicator, with its weight among the indicator's checks.

    `items` narrows a check that judges in several respects to those whose item begins with one of them; empty: all.
    """

    check: str
    items: tuple[str, ...] = ()
    weight: Decimal = Field(default=Decimal(1), gt=0)


class Indicator(Settings):
    """评分指标: one row of the year's table."""

    id: str
    group: str  # 一级指标
    section: str = ""  # e.g. 围绕提升政府治理能力加强公开
    title: str  # 二级指标
    points: Decimal = Field(gt=0)
    content: str  # 评分内容
    method: str  # 评分方式及标准
    evaluated: str  # 被评定单位, as the table words it
    kinds: tuple[UnitKind, ...] = (UnitKind.DEPARTMENT, UnitKind.TOWNSHIP)
    units: tuple[str, ...] = ()  # ids of the units the row names
    duty: str = ""  # id of the duty whose bearers the row means beside those it names (等部门、有关部门)
    site_share: Share  # a in final = P × (a × A + (1 − a) × M ÷ P)
    circular_deduction: Decimal | None = Field(default=None, gt=0)  # 通报一次扣的分; None: circulars cost nothing here
    checks: tuple[Binding, ...] = Field(default=(), alias="check")
    pending: str = ""  # why no check stands here yet, or why only people can judge it

    model_config = ConfigDict(populate_by_name=True)

    def applies_to(self, unit: Unit) -> bool:
        """Whether the row evaluates the unit: its kind, and where the row names units or a duty, one of those."""
        if unit.kind not in self.kinds:
            return False
        return not (self.units or self.duty) or unit.id in self.units or self.duty in unit.duties


class Indicators(Settings):
    """The whole of indicators.toml or of another year's indicators-YYYY.toml."""

    year: int = Field(ge=2008, le=9998)  # the first year of the 政府信息公开条例; the last that a calendar can end
    title: str
    document_number: str
    issued: date
    total: Decimal
    indicators: tuple[Indicator, ...] = Field(alias="indicator", min_length=1)

    model_config = ConfigDict(populate_by_name=True)

    def points_of(self, kind: UnitKind) -> Decimal:
        """Return the points that the rows for one kind of units add up to."""
        return sum((row.points for row in self.indicators if kind in row.kinds), Decimal(0))
