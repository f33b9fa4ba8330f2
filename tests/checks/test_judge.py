"""The judge: isolation, attribution, order, and totality on whatever pages may say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import registry
from checks.facts.hidden import Hiding
from checks.facts.model import (
    AttributePlace,
    AttributeStatement,
    DateSource,
    Document,
    EntryList,
    ErrorReport,
    HiddenLink,
    Identity,
    Link,
    ListEntry,
    OfficialForm,
    OpenAttribute,
    PageFacts,
    PageKind,
    PublishedDate,
    Table,
)
from checks.model import (
    Bundle,
    CheckMeta,
    ColumnVisit,
    FailureKind,
    Finding,
    Outcome,
    Page,
    PageRole,
    Probe,
    ProbeKind,
    Scope,
    Visit,
)
from checks.registry import attribute_to_units, judge, judge_page
from checks.single_page import CHECKS_OF_TEXT
from config.loader import load
from config.rules import Rules
from config.schema import Column, ColumnType, Site, Unit, UnitKind

RULES = load(Path(__file__).parents[2] / "config").rules
DAY = date(2026, 11, 23)
UNIT = Unit(id="jyj", name="县教育局", kind=UnitKind.DEPARTMENT, catalog_fields=("义务教育", "就业"))
SITE = Site(id="site", name="跃山县", home="http://www.yueshan.test/")

# ---------------------------------------------------------------- one check breaks


def _check(check_id: str, evaluate: object, scope: Scope = Scope.PAGE) -> SimpleNamespace:
    meta = CheckMeta(check_id, "题", "不", "据", "法", scope, {"declared": "声明过的"})
    return SimpleNamespace(__name__=f"checks.{check_id}", META=meta, evaluate=evaluate)


def _broken(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    yield Finding("broken", "t", Outcome.PASS, "declared")
    raise ZeroDivisionError("nothing to divide by")


def _sound(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    yield Finding("sound", "b", Outcome.PASS, "declared")
    yield Finding("sound", "a", Outcome.PASS, "declared")


def _undeclared(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    yield Finding("undeclared", "t", Outcome.FAIL, "made_up")


def test_a_broken_check_gives_one_error_and_harms_no_other() -> None:
    checks = [_check("broken", _broken), _check("sound", _sound)]
    findings = judge(Bundle(DAY, unit=UNIT), RULES, checks)  # type: ignore[arg-type]
    assert [(f.check, f.outcome, f.target) for f in findings] == [
        ("broken", Outcome.ERROR, "jyj"),
        ("sound", Outcome.PASS, "a"),
        ("sound", Outcome.PASS, "b"),
    ]
    assert "ZeroDivisionError" in findings[0].observed
    assert {(f.unit_id, f.rules_version) for f in findings} == {("jyj", RULES.version)}


def test_an_undeclared_reason_is_an_error_of_the_check() -> None:
    (finding,) = judge(Bundle(DAY, unit=UNIT), RULES, [_check("undeclared", _undeclared)])  # type: ignore[list-item]
    assert (finding.outcome, finding.reason) == (Outcome.ERROR, "error")
    assert "UndeclaredReason" in finding.observed


def test_sites_are_judged_by_the_checks_of_sites_alone() -> None:
    of_site = {finding.check for finding in judge(Bundle(DAY, site=SITE), RULES)}
    of_unit = {finding.check for finding in judge(Bundle(DAY, unit=UNIT), RULES)}
    assert of_site == {
        *("ipv6", "home_freshness", "site_identity", "error_report_entry", "domain_name"),
        *("availability", "site_search", "tls"),
    }
    # a unit without columns has nothing else to judge
    assert of_unit == {"standard_catalog", "platform_structure", "mandatory_content", "dead_links", "new_media"}


def test_what_belongs_to_a_site_counts_for_each_of_its_units() -> None:
    findings = judge(Bundle(DAY, site=SITE), RULES)
    others = [UNIT, UNIT.model_copy(update={"id": "slj"})]
    attributed = attribute_to_units(findings, others)
    assert [f.unit_id for f in attributed] == ["jyj"] * len(findings) + ["slj"] * len(findings)
    assert len({f.fingerprint for f in attributed}) == len(attributed)
    assert all(f.unit_id == "" for f in findings)


def test_the_same_fault_keeps_its_fingerprint_from_day_to_day() -> None:
    today = judge(Bundle(DAY, site=SITE), RULES)
    tomorrow = judge(Bundle(date(2026, 11, 24), site=SITE), RULES)
    assert [f.fingerprint for f in today] == [f.fingerprint for f in tomorrow]


# ---------------------------------------------------------------- one page


@pytest.mark.parametrize(
    ("kind", "checks"),
    [
        (PageKind.OTHER, {"open_attribute", "document_metadata", "page_tags"}),
        (PageKind.ARTICLE, {"open_attribute", "document_metadata", "undated_articles", "page_tags"}),
        (PageKind.HOME, {"home_freshness", "site_identity", "error_report_entry", "hidden_links", "page_tags"}),
        (PageKind.COLUMN, {"column_freshness", "empty_columns", "page_tags"}),
        (PageKind.CATALOG, {"standard_catalog"}),
        (PageKind.GUIDE, {"empty_columns", "disclosure_guide"}),
    ],
)
def test_a_page_is_judged_by_the_checks_that_it_can_answer(kind: PageKind, checks: set[str]) -> None:
    facts = PageFacts(url=None, charset="utf-8", kind=kind, title="")
    of_text = set() if kind is PageKind.HOME else set(CHECKS_OF_TEXT)
    assert {finding.check for finding in judge_page(facts, RULES, day=DAY)} == checks | of_text


def test_the_title_of_a_list_page_tells_its_period() -> None:
    entries = EntryList((ListEntry("通报", "http://www.yueshan.test/1.html", date(2026, 10, 1)),))
    news = PageFacts(url=None, charset="utf-8", kind=PageKind.COLUMN, title="工作动态", list=entries)
    policies = replace(news, title="政策文件")
    assert judge_page(news, RULES, day=DAY)[0].reason == "stale"
    assert judge_page(policies, RULES, day=DAY)[0].reason == "fresh"


def test_a_page_without_an_address_is_not_taken_for_a_list_of_outside_links() -> None:
    entries = tuple(ListEntry(f"第{n}条消息", f"http://www.yueshan.test/{n}.html", DAY) for n in range(3))
    links = tuple(Link(entry.url, entry.title) for entry in entries)
    facts = PageFacts(None, "utf-8", PageKind.COLUMN, "工作动态", list=EntryList(entries), links=links)
    assert [finding.reason for finding in judge_page(facts, RULES, day=DAY)][:2] == ["fresh", "has_content"]


# ---------------------------------------------------------------- whatever pages say

words = st.text(
    "跃山县教育局关于公开事项内容依据时限主体渠道对象方式层级■□√口义务就业暂无第〔〕号2026-/. \n", max_size=12
)
days = st.none() | st.dates(date(1999, 1, 1), date(2031, 1, 1))
urls = st.sampled_from(
    [
        "http://www.yueshan.test/",
        "http://www.yueshan.test/a.html",
        "http://other.test/b",
        "http://[",
        "",
        "not a url",
        "/x.pdf",
    ]
)
visited = st.sampled_from(
    ["http://www.yueshan.test/", "http://www.yueshan.test/a.html", "http://www.yueshan.test/x.pdf"]
)
entries = st.lists(st.builds(ListEntry, title=words, url=urls, date=days), max_size=4)
documents = st.builds(
    Document,
    index_number=st.none() | words,
    doc_number=st.none() | words,
    issuer=st.none() | words,
    written_date=st.none() | words,
    written_on=days,
    published_date=st.none() | words,
    published_on=days,
    labels=st.lists(st.tuples(st.sampled_from(["公开属性", "发文机关", "文号", "公开方式"]), words), max_size=3).map(
        tuple
    ),
)
head = st.sampled_from(
    [
        "序号",
        "公开事项",
        "公开内容（要素）",
        "公开依据",
        "公开时限",
        "公开主体",
        "公开渠道和载体",
        "公开对象",
        "公开方式",
        "公开层级",
        "",
    ]
)
cells = words | head
tables = st.integers(1, 10).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width).map(tuple), max_size=5).map(
        lambda rows: Table(tuple(rows))
    )
)
tag_names = st.sampled_from(["SiteDomain", "SiteIDCode", "ColumnName", "ArticleTitle", "PubDate", "pubdate", "x"])
facts = st.builds(
    PageFacts,
    url=st.none() | urls,
    charset=st.just("utf-8"),
    kind=st.sampled_from(PageKind),
    title=words,
    published=st.builds(PublishedDate, date=days, source=st.none() | st.sampled_from(DateSource)),
    attributes=st.lists(
        st.builds(AttributeStatement, st.sampled_from(OpenAttribute), st.sampled_from(AttributePlace), words),
        max_size=2,
    ).map(tuple),
    document=documents,
    form=st.builds(OfficialForm, st.booleans(), st.sets(st.sampled_from(["label_table", "signature"])).map(tuple)),
    identity=st.builds(Identity, site_code=st.none() | words, site_code_meta=st.none() | words, icp=st.none() | words),
    list=entries.map(lambda found: EntryList(tuple(found))),
    links=st.lists(st.builds(Link, urls, words, st.booleans()), max_size=4).map(tuple),
    frames=st.lists(urls, max_size=1).map(tuple),
    hidden_links=st.lists(st.builds(HiddenLink, urls, words, st.sampled_from(Hiding)), max_size=3).map(tuple),
    error_reports=st.lists(st.builds(ErrorReport, urls, st.none() | words, words, st.booleans()), max_size=2).map(
        tuple
    ),
    meta=st.lists(st.tuples(tag_names, words), max_size=3).map(tuple),
    text=words,
    tables=st.lists(tables, max_size=3).map(tuple),
    body_text=words,
    redirect=st.none() | urls,
    rendering_needs=st.frozensets(st.sampled_from(["empty_list", "script_footer", "script_content"])),
    soft_not_found=st.booleans(),
)
failures = st.sampled_from(FailureKind)


@st.composite
def pages(draw: st.DrawFn) -> Page:
    read = draw(st.none() | facts)
    visit = Visit("site", draw(visited), PageRole.ARTICLE, title=draw(words), failure=None if read else draw(failures))
    return Page(visit, facts=read, complete=draw(st.booleans()))


@st.composite
def visits(draw: st.DrawFn) -> ColumnVisit:
    url = draw(st.none() | st.just("http://www.yueshan.test/jyj/"))
    column = Column(
        id="c", type=draw(st.sampled_from(ColumnType)), name="栏目", site="site", url=url, absent=draw(st.booleans())
    )
    several = st.lists(pages(), max_size=2).map(tuple)
    return ColumnVisit(column, UNIT, draw(several), draw(several), draw(several), draw(st.none() | failures))


json_like = st.none() | st.booleans() | st.integers() | words | st.lists(words, max_size=2)
observations = st.dictionaries(
    st.sampled_from(["a", "aaaa", "rcode", "servers", "status", "level", "shingles", "error", "reachable", "port"]),
    json_like,
)
probes = st.builds(
    Probe,
    site_id=st.just("site"),
    kind=st.sampled_from(ProbeKind),
    target=st.sampled_from(["www.yueshan.test", "http://www.yueshan.test/"]),
    family=st.sampled_from([0, 4, 6]),
    captured_at=st.none(),
    observed=observations,
    failure=st.none() | failures,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(visits(), max_size=3))
def test_any_unit_is_judged_without_error_and_twice_alike(columns: list[ColumnVisit]) -> None:
    _total_and_deterministic(Bundle(DAY, unit=UNIT, columns=tuple(columns)))


@settings(max_examples=150, deadline=None)
@given(st.none() | pages(), st.lists(pages(), max_size=2), st.lists(probes, max_size=6))
def test_any_site_is_judged_without_error_and_twice_alike(
    home: Page | None, second_level: list[Page], answers: list[Probe]
) -> None:
    bundle = Bundle(
        DAY, site=SITE, division_code="371426", home=home, second_level=tuple(second_level), probes=tuple(answers)
    )
    _total_and_deterministic(bundle)


@settings(max_examples=100, deadline=None)
@given(facts)
def test_any_page_is_judged_without_error(read: PageFacts) -> None:
    assert all(finding.outcome is not Outcome.ERROR for finding in judge_page(read, RULES, day=DAY))


@settings(max_examples=100, deadline=None)
@given(st.lists(visits(), max_size=3), failures)
def test_nothing_that_was_not_read_is_a_fault(columns: list[ColumnVisit], failure: FailureKind) -> None:
    unread = [
        replace(
            visit,
            column=visit.column.model_copy(update={"absent": False}),
            pages=(),
            articles=(),
            attachments=(),
            failure=failure,
        )
        for visit in columns
    ]
    findings = judge(Bundle(DAY, unit=UNIT, columns=tuple(unread)), RULES)
    assert not {finding.outcome for finding in findings} & {Outcome.PASS, Outcome.FAIL}


def _total_and_deterministic(bundle: Bundle) -> None:
    findings = judge(bundle, RULES)
    assert [finding.observed for finding in findings if finding.outcome is Outcome.ERROR] == []
    assert findings == judge(bundle, RULES)
    assert all(finding.observed and finding.target for finding in findings)


def test_the_loader_of_indicators_knows_every_reason_that_waits_for_confirmation() -> None:
    for check in registry.CHECKS:
        assert set(RULES.checks.row(check.META.id).confirm_reasons) <= set(check.META.reasons)
