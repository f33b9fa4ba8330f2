"""平台规范: the four columns of 61号 exist under their uniform names, within 政府信息公开, and their files download."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from checks.facts.labels import compact
from checks.facts.model import PageFacts
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    Obstacle,
    attachment_name,
    column_obstacle,
    is_absent,
    is_gone,
    is_undecided,
    name_and_address,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.addresses import bare_address
from config.rules import PlatformColumn, PlatformStructureRule, Rules
from config.schema import Unit

META = CheckMeta(
    id="platform_structure",
    title="平台规范",
    failure_title="政府信息公开平台栏目设置不规范",
    basis="国办公开办函〔2019〕61号：政府信息公开专栏统一命名为“政府信息公开”，设“政府信息公开指南”“政府信息公开制度”“法定主动公开内容”"
    "“政府信息公开年报”；冀公开办函〔2019〕1号；石栾政办函〔2020〕118号：优化信息检索和下载服务功能",
    method="逐个看四个栏目：有没有、名称是不是统一名称（前面带本单位简称的也认）、页面的标题、路径、链接里有没有它所在的“政府信息公开”专栏；"
    "路径写的是别的专栏才判为不在其中。再看这些栏目提供的附件能不能下载。看不出名称或专栏的，不下结论。",
    scope=Scope.UNIT,
    reasons={
        "placed": "栏目名称和位置符合规定",
        "misnamed": "栏目没有用统一名称",
        "other_section": "栏目不在“政府信息公开”之下",
        "place_unknown": "看不出栏目在哪个专栏",
        "column_not_listed": "巡查清单里没有该栏目",
        "downloaded": "附件能够下载",
        "download_failed": "附件不能下载",
        "no_files": "没有提供附件",
        **ABSENT,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办公开办函〔2019〕61号、冀公开办函〔2019〕1号。"
DOWNLOAD = "download"  # the item beside the four columns
CRUMB = re.compile(r"位置|^(?:网站)?首页[^>›»→/]{0,20}[>›»→/]")
SEPARATORS = re.compile(r"[>›»→/\\|_:：\-—\s]+")
NAMING = re.compile("公开|指南|制度|年报|报告|信息|目录")  # what no name of such a column lacks: 更多, 进入 are none
LONGEST_NAME = 30
TELLING = 4  # characters of a name that tells by itself what column it is
SHORT = 120  # characters: longer lines are no headings and no paths
MORE = r"(?:专栏|专题|平台|栏目|频道|网)?"
PREFIX = "[\u4e00-\u9fff]{0,12}"  # a unit's name before a column's


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding for each of the four columns (items: their types), and one for their downloads."""
    if bundle.unit is None:
        return
    rule = rules.checks.platform_structure
    texts = _link_texts(bundle)
    others = evidence_of(*(visit.pages[0] for visit in bundle.columns if visit.pages))  # what stands where it is not
    for column_type, wanted in rule.columns.items():
        visits = bundle.columns_of(column_type)
        for visit in visits[:1]:
            evidence = evidence_of(*visit.pages) or others
            subject = Subject(META.id, bundle.unit.id, evidence, visit.column.id, column_type.value)
            yield _judge_column(subject, visit, wanted, rule, texts)
        if not visits:
            yield _not_listed(Subject(META.id, bundle.unit.id, item=column_type.value), wanted)
    yield _judge_downloads(bundle, bundle.unit, rule)


def _not_listed(subject: Subject, wanted: PlatformColumn) -> Finding:
    observed = f"巡查清单（sites.toml）里该单位没有“{wanted.names[0]}”栏目，没有检查。"
    return subject.finding(Outcome.NOT_TESTED, "column_not_listed", observed)


# ---------------------------------------------------------------- the columns


def _judge_column(
    subject: Subject,
    visit: ColumnVisit,
    wanted: PlatformColumn,
    rule: PlatformStructureRule,
    texts: dict[str, set[str]],
) -> Finding:
    name = wanted.names[0]
    if is_absent(visit):
        return subject.failed(
            "absent", f"经确认，该单位没有“{name}”栏目。", f"应当设置“{name}”栏目。{CLAUSE}", where="“政府信息公开”专栏"
        )
    facts = visit.pages[0].facts if visit.pages else None
    if (obstacle := column_obstacle(visit)) is not None or facts is None:
        return subject.cannot_tell(obstacle or script_obstacle("栏目"))
    shown = _shown_names(visit, facts, texts)
    section = any(_is_section(segment, rule) for segment in _segments(facts))
    accepted = (*wanted.names, *(wanted.within if section else ()))
    if not any(_is_called(text, accepted) for text in (*shown, *_headings(facts))):
        return _misnamed(subject, visit.pages[0], name, shown)
    if section:
        return subject.passed("placed", f"“{name}”栏目在“{rule.section}”之下，名称规范。", passage=name)
    return _judge_place(subject, visit.pages[0], facts, wanted, rule)


def _misnamed(subject: Subject, page: Page, name: str, shown: list[str]) -> Finding:
    if is_undecided(page) or not shown:
        return subject.cannot_tell(script_obstacle("栏目"))
    return subject.failed(
        "misnamed",
        f"“{name}”栏目在网页上叫“{'”“'.join(shown[:3])}”，没有用统一名称。",
        f"栏目名称应当改为“{name}”。{CLAUSE}",
        passage=shown[0],
        where="栏目名称",
    )


def _judge_place(
    subject: Subject, page: Page, facts: PageFacts, wanted: PlatformColumn, rule: PlatformStructureRule
) -> Finding:
    """Judge a column on whose page 政府信息公开 stands nowhere: at fault only where its path names another section."""
    crumb = next((line for line in _short_lines(facts) if CRUMB.search(line) and len(SEPARATORS.split(line)) > 1), "")
    others = [
        part
        for part in SEPARATORS.split(crumb)
        if "公开" in part and not _is_called(part, (*wanted.names, *wanted.within))
    ]
    if others and not is_undecided(page):
        return subject.failed(
            "other_section",
            f"“{wanted.names[0]}”栏目的路径是“{crumb}”，放在“{others[0]}”之下，不在“{rule.section}”之下。",
            f"四个栏目应当集中放在统一命名为“{rule.section}”的专栏里。{CLAUSE}",
            passage=crumb,
            where="当前位置",
        )
    observed = f"“{wanted.names[0]}”栏目名称规范，但页面上看不出它在哪个专栏之下。"
    return subject.cannot_tell(Obstacle(Outcome.INCONCLUSIVE, "place_unknown", observed))


def _is_called(text: str, names: tuple[str, ...]) -> bool:
    """Whether the text is one of the names; before a telling one the unit's name may stand (not 办事 before 指南)."""
    return any(re.fullmatch(f"{PREFIX if len(name) >= TELLING else ''}{re.escape(name)}", text) for name in names)


def _is_section(text: str, rule: PlatformStructureRule) -> bool:
    return re.fullmatch(f"{PREFIX}{re.escape(rule.section)}{MORE}", text) is not None


# ---------------------------------------------------------------- what a visitor sees


def _shown_names(visit: ColumnVisit, facts: PageFacts, texts: dict[str, set[str]]) -> list[str]:
    """Return what the column is called on the links that lead to it and at the end of its path."""
    linked = sorted(texts.get(bare_address(visit.pages[0].url), ()))
    paths = [[part for part in SEPARATORS.split(line) if part] for line in _short_lines(facts) if CRUMB.search(line)]
    ends = [compact(parts[-1]) for parts in paths if parts]
    return [name for name in dict.fromkeys((*linked, *ends)) if NAMING.search(name) and len(name) <= LONGEST_NAME]


def _headings(facts: PageFacts) -> Iterator[str]:
    """Yield the parts of the title and of the short lines that are no links: one of them may be the column's name."""
    linked = {compact(link.text) for link in facts.links}
    for line in (facts.title, *_short_lines(facts)):
        yield from (part for part in map(compact, SEPARATORS.split(line)) if part not in linked)


def _segments(facts: PageFacts) -> Iterator[str]:
    """Yield the parts of titles, paths, headings and links, without spaces."""
    for line in (facts.title, *_short_lines(facts)):
        yield compact(line)
        yield from SEPARATORS.split(line)
    for link in facts.links:
        yield compact(link.text)


def _short_lines(facts: PageFacts) -> list[str]:
    return [line for line in facts.text.splitlines() if len(line) <= SHORT]


def _link_texts(bundle: Bundle) -> dict[str, set[str]]:
    """Return the texts of the links that lead to each column, from all pages of the unit."""
    wanted = {bare_address(visit.column.url): set[str]() for visit in bundle.columns if visit.column.url}
    for page in (*bundle.homes, *(page for visit in bundle.columns for page in visit.pages)):
        for link in page.facts.links if page.facts else ():
            texts = wanted.get(bare_address(link.url))
            if texts is not None and link.text.strip():
                texts.add(compact(link.text))
    return wanted


# ---------------------------------------------------------------- downloads


def _judge_downloads(bundle: Bundle, unit: Unit, rule: PlatformStructureRule) -> Finding:
    visits = bundle.columns_of(*rule.columns)
    files = {file.url: file for visit in visits for file in visit.attachments}
    subject = Subject(META.id, unit.id, evidence_of(*files.values()), item=DOWNLOAD)
    gone = [file for file in files.values() if is_gone(file)]
    fetched = [file for file in files.values() if file.attachment is not None]
    if gone:
        named = "；".join(map(name_and_address, gone[:5]))
        return replace(subject, evidence=evidence_of(*_offering(visits, gone), *files.values())).failed(
            "download_failed",
            f"四个栏目提供的附件有 {len(gone)} 个下载不了，网站返回“文件不存在”：{named}。",
            f"提供的附件应当能够下载，请补传文件或者改正链接。{CLAUSE}石栾政办函〔2020〕118号“优化信息检索和下载服务功能”。",
            passage=attachment_name(gone[0]),
            where="附件链接",
        )
    if fetched:
        return subject.passed("downloaded", f"抽到的 {len(fetched)} 个附件能够下载。")
    if files:
        failure = next(iter(files.values())).failure
        why = failure.title if failure else "没有采集"
        return subject.cannot_tell(
            Obstacle(Outcome.INCONCLUSIVE, "unread", f"{len(files)} 个附件都没有取到（{why}），不能断定能否下载。")
        )
    return subject.not_applicable("no_files", "四个栏目抽到的页面没有提供附件。")


def _offering(visits: Sequence[ColumnVisit], files: Sequence[Page]) -> Iterator[Page]:
    """Yield the pages of the columns that offer one of the files."""
    wanted = {file.url for file in files}
    for visit in visits:
        for page in (*visit.pages, *visit.articles):
            if any(file.url in wanted for file in visit.attachments_of(page)):
                yield page
