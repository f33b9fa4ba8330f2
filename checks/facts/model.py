"""The facts of a page, as frozen values. Absent facts are None or empty; no guess is presented as certain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class PageKind(StrEnum):
    """What a page is, judged from its column, tags, URL and content together."""

    ARTICLE = "article"
    COLUMN = "column"
    HOME = "home"
    GUIDE = "guide"
    APPLICATION = "application"
    ANNUAL_REPORT = "annual_report"
    SERVICE_GUIDE = "service_guide"
    CATALOG = "catalog"
    OTHER = "other"


# ---------------------------------------------------------------- dates


class DateSource(StrEnum):
    """Where on the page a date was read."""

    LABEL = "label"  # 发布时间：2024-03-05
    META = "meta"
    TABLE = "table"  # a label table's cell
    LIST = "list"  # beside the page's entry in a list
    URL = "url"
    TEXT = "text"  # unlabelled, by its place under the title


class DateMeaning(StrEnum):
    """What a date is the date of; 发布, 成文, 更新 and 生成 are never mixed."""

    PUBLISHED = "published"
    WRITTEN = "written"
    UPDATED = "updated"
    GENERATED = "generated"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DateCandidate:
    """One date read on the page, and on what grounds."""

    date: date
    source: DateSource
    meaning: DateMeaning
    label: str = ""  # as the page words it
    text: str = ""  # the passage it was read from, at most 80 characters


@dataclass(frozen=True, slots=True)
class PublishedDate:
    """When the page says it was published; `date` is None rather than wrong. `conflicts` disagree with `date`."""

    date: date | None = None
    source: DateSource | None = None
    label: str = ""
    candidates: tuple[DateCandidate, ...] = ()
    conflicts: tuple[DateCandidate, ...] = ()


# ---------------------------------------------------------------- documents


class OpenAttribute(StrEnum):
    """公开属性 of an official document."""

    ACTIVE = "主动公开"
    ON_REQUEST = "依申请公开"
    WITHHELD = "不予公开"


class AttributePlace(StrEnum):
    """Where a page states the attribute."""

    TABLE = "table"
    META = "meta"
    ENDNOTE = "endnote"  # （此件公开发布）
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True)
class AttributeStatement:
    """One statement of the open attribute."""

    value: OpenAttribute
    where: AttributePlace
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """公文要素 as the page shows them. None: not on the page; an empty string: the label is there, its value is blank.

    Dates are as written; the parsed ones stand beside them.
    """

    index_number: str | None = None  # 索引号
    doc_number: str | None = None  # 发文字号/文号; 无 counts as blank
    issuer: str | None = None  # 发文机关/发布机构
    title: str | None = None
    written_date: str | None = None  # 成文日期
    written_on: date | None = None
    published_date: str | None = None  # 发布日期
    published_on: date | None = None
    validity: str | None = None  # 有效性
    subject: str | None = None  # 主题分类
    # Every label of the table with its value, labels without spaces and colons.
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OfficialForm:
    """What tells an official document (公文) from news, by GB/T 9704's form. `signs` name the marks found:
    doc_number, label_table, title (关于…的通知), recipients (主送机关), signature (落款, an organ with a date)."""

    is_official: bool = False
    signs: tuple[str, ...] = ()


# ---------------------------------------------------------------- site identity


@dataclass(frozen=True, slots=True)
class Identity:
    """The marks of a government site as a visitor sees them; None: not on the page."""

    site_code: str | None = None  # 政府网站标识码 in the footer
    site_code_meta: str | None = None  # meta SiteIDCode; "" when the tag is there and empty
    icp: str | None = None
    police: str | None = None  # 公安备案号
    conac_badge: bool = False  # 党政机关 badge
    host_unit: str | None = None  # 主办单位
    contact: str | None = None  # telephone or mail address in the footer, or 联系我们 where it only links to them


# ---------------------------------------------------------------- lists and links


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One item of a list: its title, absolute URL, and the date beside it (None where none is shown)."""

    title: str
    url: str
    date: date | None = None
    date_text: str = ""


@dataclass(frozen=True, slots=True)
class EntryList:
    """The main list(s) of a page. `next` is the absolute URL of the next page; None: last page or not to be told."""

    entries: tuple[ListEntry, ...] = ()
    newest: date | None = None
    next: str | None = None
    total_pages: int | None = None


class Link(NamedTuple):
    """A link a visitor can follow: absolute URL and its text. `attachment` when it points to a document file.

    A page has hundreds: nothing is made as quickly as a tuple.
    """

    url: str
    text: str
    attachment: bool = False


@dataclass(frozen=True, slots=True)
class HiddenLink:
    """A link that no visitor sees. `how` names the trick in Chinese, e.g. "display:none", "移出屏幕", "零尺寸"."""

    url: str
    text: str
    how: str


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """找错入口: where visitors report errors of the site. `site_code` is the code it hands over; None: none.

    `script`: it is an external script that puts the entry on the page.
    """

    url: str
    site_code: str | None = None
    text: str = ""
    script: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a visitor can fill in: absolute URL it goes to, GET or POST, its fields and the text about it.

    `fields` are (name, type, value or placeholder) of the inputs shown and of the hidden ones that go with them.
    """

    action: str
    method: str
    fields: tuple[tuple[str, str, str], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page, merged cells filled in: rows of cell texts. `caption` is the text just above it.

    `links` are those in its cells, of a page only.
    """

    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    links: tuple[Link, ...] = ()


# ---------------------------------------------------------------- the whole


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Everything the checks know of one HTML page.

    `rendering_needs` names why the static bytes cannot be the last word (empty: they can): "empty_list",
    "script_footer", "challenge", "frames_unread", "script_content", "cut_off". `redirect` is the target of a meta
    refresh or a script redirect that makes up the whole page. Where `day_dependent` is False, any later day reads the
    same facts; that tells how the page was read, not what it says, and so facts are equal whatever it is.
    """

    url: str | None
    charset: str
    kind: PageKind
    title: str
    published: PublishedDate = PublishedDate()
    attributes: tuple[AttributeStatement, ...] = ()
    document: Document = Document()
    form: OfficialForm = OfficialForm()
    identity: Identity = Identity()
    list: EntryList = EntryList()
    links: tuple[Link, ...] = ()
    frames: tuple[str, ...] = ()
    images: tuple[str, ...] = ()  # absolute URLs of the pictures shown, each once
    picture: bool = False  # one of them stands in the content, where it may say what no text says
    scripts: tuple[str, ...] = ()  # absolute URLs of external scripts, each once
    forms: tuple[Form, ...] = ()
    loose_fields: tuple[tuple[str, str, str], ...] = ()  # outside every form: (name, type, value or placeholder)
    hidden_links: tuple[HiddenLink, ...] = ()
    error_reports: tuple[ErrorReport, ...] = ()
    tables: tuple[Table, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()  # meta name (as written) -> content
    text: str = ""  # the visible text, a line a block
    body_text: str = ""  # the main content only: without header, navigation and footer
    redirect: str | None = None
    rendering_needs: frozenset[str] = field(default_factory=frozenset)
    soft_not_found: bool = False  # says "page not found" under status 200
    day_dependent: bool = field(default=False, compare=False, repr=False)


class AttachmentState(StrEnum):
    """Whether an attachment's text could be read."""

    READ = "read"
    UNSUPPORTED = "unsupported"  # a format we have no reader for
    ENCRYPTED = "encrypted"
    SCANNED = "scanned"  # pages without text
    BROKEN = "broken"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class AttachmentFacts:
    """What an attached document says; `text` and `tables` are empty unless `state` is READ."""

    name: str
    format: str  # pdf, docx, xlsx, txt, … by content, not by name alone
    state: AttachmentState
    text: str = ""
    tables: tuple[Table, ...] = ()
    attributes: tuple[AttributeStatement, ...] = ()
    detail: str = ""
