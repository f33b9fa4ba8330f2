"""双随机一公开: the plan, the list of what is checked, and the results of the year's random checks are published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from checks.facts.model import ListEntry
from checks.judging.editions import editions_of_page, years_in
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere_on_pages, frame_of
from checks.judging.listing import entries_of, unread_rest
from checks.judging.readability import SHARED_REASONS, Obstacle, attachment_name, column_obstacle, is_absent
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from config.rules import DoubleRandomRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="double_random",
    title="双随机一公开",
    failure_title="双随机抽查的计划、清单或结果没有公开",
    basis="《国务院关于在市场监管领域全面推行部门联合“双随机、一公开”监管的意见》（国发〔2019〕5号）：抽查事项清单、抽查计划、抽查结果向社会"
    "公开；石栾政办函〔2020〕118号“提升市场监管规则和标准公开质量”",
    method="在“双随机一公开”栏目的列表、文章、附件和其他栏目的列表里，按标题找抽查计划、抽查事项清单、抽查结果，再看是哪一年的；"
    "到 rules.toml 写的日子为止，上一年的也算。只评承担市场监管公开职责的单位；列表没有读全的，缺了也不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "published": "已公开现行年度的",
        "outdated": "只有往年的",
        "missing": "没有公开",
        "undated": "看不出是哪一年的",
        "no_duty": "单位不承担这项职责",
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国发〔2019〕5号，石栾政办函〔2020〕118号“提升‘双随机、一公开’监管的规范化、标准化水平”。"
RANDOM = ("双随机", "随机抽查")  # how the matter is told in the lists of other columns
LINE = 60  # characters of a line that may be a heading


@dataclass(frozen=True, slots=True)
class _Material:
    """Something published: its title, and the years that it is of by its title, else by its date."""

    title: str
    years: tuple[int, ...]


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding for each of plan, list and results of each column."""
    rule, frame = rules.checks.double_random, frame_of(bundle)
    for visit in bundle.columns_of(ColumnType.DOUBLE_RANDOM):
        evidence = evidence_of(*visit.pages, *visit.articles)
        whole = Subject(META.id, visit.target, evidence, visit.column.id)
        obstacle = None if is_absent(visit) else column_obstacle(visit)
        if rule.duty not in visit.unit.duties:
            yield whole.not_applicable("no_duty", f"“{visit.unit.name}”不承担市场监管规则和标准公开的职责。")
        elif obstacle is not None:
            yield whole.cannot_tell(obstacle)
        else:
            materials = (*_own(visit), *_of_others(bundle, visit))
            doubt = None if is_absent(visit) else unread_rest(visit) or elsewhere_on_pages(visit, frame)
            for item in rule.materials:
                subject = Subject(META.id, visit.target, evidence, visit.column.id, item)
                yield _judge(subject, materials, doubt, rule, bundle.day)


def _judge(
    subject: Subject, materials: Sequence[_Material], doubt: Obstacle | None, rule: DoubleRandomRule, day: date
) -> Finding:
    item, wanted = subject.item, rule.edition_due(subject.item, day)
    found = [m for m in materials if any(word in m.title for word in rule.materials[item])]
    dated = sorted((m for m in found if m.years), key=lambda material: max(material.years))
    if dated and max(dated[-1].years) >= wanted:
        year, title = max(dated[-1].years), dated[-1].title
        return subject.passed("published", f"公开了 {year} 年的{item}：“{title}”。", passage=title, where="栏目列表")
    if doubt is not None:
        return subject.cannot_tell(doubt)
    expected = f"检查日 {day:%Y-%m-%d} 应当公开 {wanted} 年的{item}，请在双随机一公开栏目发布。{CLAUSE}"
    if any(not material.years for material in found):
        observed = f"“{next(m.title for m in found if not m.years)}”看不出是哪一年的。"
        return subject.finding(Outcome.INCONCLUSIVE, "undated", observed, expected)
    where = "栏目列表、文章和其他栏目的列表"
    if dated:
        year, title = max(dated[-1].years), dated[-1].title
        return subject.failed(
            "outdated", f"{item}最新的是 {year} 年的“{title}”。", expected, passage=title, where=where
        )
    return subject.failed("missing", f"栏目和其他栏目的列表里都找不到{item}。", expected, where=where)


# ---------------------------------------------------------------- what is published


def _own(visit: ColumnVisit) -> Iterator[_Material]:
    """Yield what the column lists, its articles, its files, and the headings of a column that is one page."""
    for page in visit.pages:
        yield from _listed(page.facts.list.entries if page.facts else ())
        if page.facts is not None and not page.facts.list.entries:
            years = tuple(edition.year for edition in editions_of_page(page.facts))
            for line in page.facts.body_text.splitlines():
                if len(line) <= LINE:
                    yield _Material(line, tuple(years_in(line)) or years)
    for page in visit.articles:
        if page.facts is not None:
            published = page.facts.published.date or page.visit.listed_date
            yield _material(page.facts.title, published)
    for file in visit.attachments:
        name = attachment_name(file)
        yield _Material(name, tuple(years_in(name)))


def _of_others(bundle: Bundle, own: ColumnVisit) -> Iterator[_Material]:
    """Yield what the unit's other columns list of random checks."""
    for visit in bundle.columns:
        if visit is not own:
            entries = (entry for entry in entries_of(visit) if any(word in entry.title for word in RANDOM))
            yield from _listed(entries)


def _listed(entries: Iterable[ListEntry]) -> Iterator[_Material]:
    return (_material(entry.title, entry.date) for entry in entries)


def _material(title: str, published: date | None) -> _Material:
    return _Material(title, tuple(years_in(title)) or ((published.year,) if published else ()))
