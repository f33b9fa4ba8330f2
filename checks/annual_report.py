"""公开年报: the report that is due is there, with its six parts and the tables of figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from checks.facts.labels import compact
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere, frame_of, own_links, unread_page
from checks.judging.listing import entries_of, lies_outside, unread_rest
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    Obstacle,
    absence_of,
    attachment_failure,
    attachment_name,
    column_obstacle,
    is_absent,
    is_undecided,
    page_obstacle,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.addresses import comparable
from config.rules import AnnualReportRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="annual_report",
    title="公开年报",
    failure_title="政府信息公开年报未按时公布或内容不全",
    basis="《政府信息公开条例》（国令第711号）第四十九条：每年1月31日前公布上一年度政府信息公开工作年度报告；第五十条：报告的六项内容，本级政府的"
    "报告3月31日前公布；国办公开办函〔2021〕30号《政府信息公开工作年度报告格式》",
    method="看年报栏目里有没有到期应当公布的年度的报告（题目或正文写明年度）；1月31日（本级政府的报告为3月31日）当天以前，上一年度的尚未到期。"
    "再看这份报告有没有六个部分和数字表格，附件里的也算。附件没有读到、正文或表格是图片的，不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "published": "到期的年报已公布",
        "not_published": "没有到期的年报",
        "late": "年报公布晚于期限",
        "parts_complete": "六个部分齐全",
        "part_missing": "年报缺部分",
        "tables_there": "有数字表格",
        "tables_missing": "年报没有数字表格",
        "external_only": "年报在其他网站",
        **ABSENT,
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府信息公开条例》（国令第711号）第四十九条、第五十条。"
REPORT = re.compile(r"年报|年度报告|年度工作报告|公开工作报告|公开工作情况的?报告|公开.{0,10}报告")
OTHER = re.compile(r"通知|格式|模板|解读|图解|公告$|函$")  # about reports, and none
ISSUED = re.compile(
    "(?:公布|发布).{0,40}报告?的?(?:通知|公告|函)$|报告?公告$"
)  # a notice that may bear the report itself
YEAR = re.compile(r"(?<!\d)(20\d{2})\s{0,3}年?")
NUMERALS = str.maketrans("〇○零一二三四五六七八九０１２３４５６７８９", "0001234567890123456789")
HEAD = 300  # characters at the head of a text in which it says its year
ENUMERATED = 3  # parts named in one line that lists them
LONG_LINE = 300  # characters: a longer line is the text itself
COUNTED = re.compile(r"[：:\d/\-—.、件条项份个次元（）()]*")  # what may follow a table's word in its line


@dataclass(frozen=True, slots=True)
class Report:
    """One item that may be a report: its title, the years it names, its page, or the file that is listed itself."""

    title: str
    years: frozenset[int]
    page: Page | None = None
    file: Page | None = None
    whole: bool = False  # its text has the parts of a report, whatever its title


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield for each column of the type whether the report is there (`report`), whole (`parts`), with `tables`."""
    visits = bundle.columns_of(ColumnType.ANNUAL_REPORT)
    frame = frame_of(bundle) if visits else frozenset[str]()
    for visit in visits:
        yield from _judge(visit, bundle.day, rules.checks.annual_report, frame)


def _judge(visit: ColumnVisit, day: date, rule: AnnualReportRule, frame: frozenset[str]) -> Iterator[Finding]:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id, "report")
    due = rule.due_for(visit.unit.id)
    year = day.year - 1 if day > _due_date(day.year, due) else day.year - 2
    if is_absent(visit):
        yield _not_published(subject, "absent", absence_of(visit), year, due)
        return
    if (obstacle := column_obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
        return
    if lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，年报不在本站。")
        return
    reports = tuple(_reports(visit, rule))
    report = _due_report(reports, year, day)
    if report is None:
        doubt = _doubt(visit, reports, year, frame)
        yield subject.cannot_tell(doubt) if doubt else _missing(subject, visit, reports, year, due)
        return
    yield from _judge_report(subject, visit, report, day, due)
    yield from _judge_content(subject, visit, report, rule, frame)


def _due_date(year: int, due: str) -> date:
    """Return the day in that year until which reports are published; `due` is month and day, 01-31."""
    return date.fromisoformat(f"{year}-{due}")


def _not_published(subject: Subject, reason: str, observed: str, year: int, due: str) -> Finding:
    last = _due_date(year + 1, due)
    wanted = f"{year}年度的政府信息公开工作年度报告应当在 {last:%Y-%m-%d} 以前公布在该栏目。{CLAUSE}"
    return subject.failed(reason, observed, wanted, where="“政府信息公开年报”栏目")


def _missing(subject: Subject, visit: ColumnVisit, reports: Sequence[Report], year: int, due: str) -> Finding:
    titles = [report.title for report in reports if report.years]
    seen = f"最近的是“{titles[0]}”" if titles else "没有任何年度的报告"
    observed = f"“{visit.column.name}”栏目里没有{year}年度的报告，{seen}。"
    return _not_published(subject, "not_published", observed, year, due)


# ---------------------------------------------------------------- finding the report


def _reports(visit: ColumnVisit, rule: AnnualReportRule) -> Iterator[Report]:
    """Yield the sampled articles, the listed items that were not sampled, the files, and the column's page itself."""
    for page in visit.articles:
        readable = page.facts is not None and page_obstacle(page) is None
        title = (page.facts.title if page.facts and readable else "") or page.visit.title
        text = page.facts.body_text if page.facts and readable else ""
        years = _years_named(title) or _years_named(page.visit.title) or _years_named(text[:HEAD])
        yield Report(title, years, page, whole=len(_parts_in(text.splitlines(), rule)) >= ENUMERATED)
    read = {comparable(page.url) for page in visit.articles}
    files = {comparable(file.url): file for file in visit.attachments if file.visit.parent is None}
    for entry in entries_of(visit):
        if comparable(entry.url) not in read:
            read.add(comparable(entry.url))
            yield Report(entry.title, _years_named(entry.title), file=files.get(comparable(entry.url)))
    for page in visit.pages:
        for link in page.facts.links if page.facts else ():
            if link.attachment and comparable(link.url) not in read and REPORT.search(link.text):
                yield Report(link.text, _years_named(link.text), page)
        if page.facts and len(_parts_in(page.facts.body_text.splitlines(), rule)) >= ENUMERATED:
            title = page.facts.title or visit.column.name
            yield Report(f"{title}年度报告", _years_named(title) or _years_named(page.facts.body_text[:HEAD]), page)


def _years_named(text: str) -> frozenset[int]:
    """Return the years that the text names: 2025年, 2025, 二〇二五年."""
    return frozenset(int(match[1]) for match in YEAR.finditer(text.translate(NUMERALS)))


def _is_report(report: Report) -> bool:
    return report.whole or (REPORT.search(report.title) is not None and OTHER.search(report.title) is None)


def _due_report(reports: Sequence[Report], year: int, day: date) -> Report | None:
    """Return the newest report of the due year or a later one; one whose page was read before one that was not."""
    there = [r for r in reports if _is_report(r) and any(year <= named <= day.year for named in r.years)]
    return max(
        there, key=lambda r: (max(y for y in r.years if y <= day.year), (r.page or r.file) is not None), default=None
    )


def _doubt(visit: ColumnVisit, reports: Sequence[Report], year: int, frame: frozenset[str]) -> Obstacle | None:
    """Return why the report may be there all the same, or None."""
    for report in reports:
        about = OTHER.search(report.title) and (report.page is not None or not ISSUED.search(report.title))
        if about or (report.years and year not in report.years):
            continue
        if report.page is not None and (obstacle := page_obstacle(report.page, f"“{report.title}”")) is not None:
            return obstacle
        unclear = "是不是年度报告" if report.years else "是哪一年度的报告"
        observed = f"“{report.title}”看不出{unclear}，不能断定没有{year}年度的。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    leading = (link for link in own_links(visit, frame) if year in (_years_named(link.text) or {year}))
    link = next(leading, None)
    return unread_rest(visit) or (unread_page(link) if link else None)


# ---------------------------------------------------------------- judging the report


def _judge_report(subject: Subject, visit: ColumnVisit, report: Report, day: date, due: str) -> Iterator[Finding]:
    year = max(named for named in report.years if named <= day.year)
    yield subject.passed("published", f"“{visit.column.name}”栏目公布了“{report.title}”。", passage=report.title)
    shown = report.page.facts.published.date if report.page and report.page.facts else None
    last = _due_date(year + 1, due)
    if shown is not None and shown > last:
        observed = f"“{report.title}”标注的发布日期是 {shown:%Y-%m-%d}，晚于 {last:%Y-%m-%d} 的期限。"
        yield subject.finding(Outcome.NOTICE, "late", observed, f"年报应当按期公布。{CLAUSE}", where="发布日期")


def _judge_content(
    subject: Subject, visit: ColumnVisit, report: Report, rule: AnnualReportRule, frame: frozenset[str]
) -> Iterator[Finding]:
    page = report.page
    files = (report.file,) if report.file else visit.attachments_of(page) if page else ()
    subject = replace(subject, evidence=evidence_of(page, *files, *visit.pages))
    texts = [page.facts.body_text] if page and page.facts and page_obstacle(page) is None else []
    texts += [file.attachment.text for file in files if file.attachment]
    cells = [
        cell for file in files if file.attachment for t in file.attachment.tables for row in t.rows for cell in row
    ]
    lines = [line for text in texts for line in text.splitlines()]
    obstacle = _unread_content(report, files, frame)
    yield _judge_parts(replace(subject, item="parts"), report, _parts_in(lines, rule), rule, obstacle)
    pictured = obstacle or _pictured(files)
    yield _judge_tables(replace(subject, item="tables"), report, [*lines, *cells], rule, pictured)


def _pictured(files: tuple[Page, ...]) -> Obstacle | None:
    """Return the doubt that files leave about tables: what stands in them as a picture has no text."""
    if not files:
        return None
    observed = f"附件“{attachment_name(files[0])}”的文字里没有表格，表格可能是图片，不能断定没有。"
    return Obstacle(Outcome.INCONCLUSIVE, "in_picture", observed)


def _unread_content(report: Report, files: tuple[Page, ...], frame: frozenset[str]) -> Obstacle | None:
    """Return why what the report lacks may stand where we did not read, or None."""
    if report.file is not None and (why := attachment_failure(report.file)):
        return Obstacle(Outcome.NOT_TESTED, "attachment_unread", f"“{report.title}”是附件，没能读取（{why}）。")
    if report.page is None:
        unread = Obstacle(Outcome.INCONCLUSIVE, "unread", f"“{report.title}”没有采集，没有看到内容。")
        return None if report.file else unread
    obstacle = page_obstacle(report.page, f"“{report.title}”")
    if obstacle is None and is_undecided(report.page):
        obstacle = script_obstacle(f"“{report.title}”")
    return obstacle or elsewhere(report.page, files, frame)


def _judge_parts(
    subject: Subject, report: Report, parts: frozenset[str], rule: AnnualReportRule, obstacle: Obstacle | None
) -> Finding:
    missing = [part for part in rule.parts if part not in parts]
    if not missing:
        return subject.passed("parts_complete", f"“{report.title}”的{len(parts)}个部分齐全。")
    if obstacle is not None:
        return subject.cannot_tell(obstacle)
    return subject.failed(
        "part_missing",
        f"“{report.title}”缺：{'、'.join(missing)}。",
        f"年报应当包括{'、'.join(rule.parts)}；没有发生的也要写明。{CLAUSE}",
        passage=report.title,
        where="年报正文",
    )


def _parts_in(lines: Sequence[str], rule: AnnualReportRule) -> frozenset[str]:
    """Return the parts that the text has; a line that only lists them does not count."""
    found: set[str] = set()
    for line in lines:
        words = compact(line)
        named = {part for part, wordings in rule.parts.items() if any(wording in words for wording in wordings)}
        if len(named) < ENUMERATED or len(words) > LONG_LINE:
            found |= named
    return frozenset(found)


def _judge_tables(
    subject: Subject, report: Report, lines: Sequence[str], rule: AnnualReportRule, obstacle: Obstacle | None
) -> Finding:
    rows = _table_rows(lines, rule.table_words)
    if len(rows) >= rule.min_table_rows:
        return subject.passed("tables_there", f"“{report.title}”有数字表格，如“{'”“'.join(rows[:3])}”各行。")
    if obstacle is not None:
        return subject.cannot_tell(obstacle)
    seen = f"只有“{'”“'.join(rows)}”" if rows else "没有表格"
    return subject.failed(
        "tables_missing",
        f"“{report.title}”里{seen}，看不到规定的数字表格。",
        f"年报应当附规定格式的表格，填写主动公开、收到和处理申请、复议诉讼的数字，没有的填“0”。{CLAUSE}国办公开办函〔2021〕30号。",
        passage=report.title,
        where="年报正文",
    )


def _table_rows(lines: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return the words of the tables that stand at the head of a line with nothing but figures behind."""
    plain = {compact(line) for line in lines if len(line) <= LONG_LINE}
    found = []
    for word in words:
        if any(line.startswith(word) and COUNTED.fullmatch(line, len(word)) for line in plain):
            found.append(word)
    return found
