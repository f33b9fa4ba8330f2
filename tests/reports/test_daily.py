"""The daily report as workbook and page: complete, readable, and harmless whatever the inspected pages say."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from io import BytesIO
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from checks.model import EvidenceRef, Finding, Outcome
from checks.registry import CHECKS
from config.schema import UnitKind
from reports.brief import SHOWN, Brief, Line, Section
from reports.daily import DailyReport, ListedFinding, RunFacts, SiteDay, UnitDay, web_link
from reports.daily_page import daily_page
from reports.daily_workbook import daily_workbook
from reports.workbook import LONGEST_CELL
from scoring.model import ScoreState, SiteVerdict, UnitScore, Verdict, VetoHit
from scoring.ranking import rank

DAY = date(2026, 11, 23)
RUN = RunFacts(
    number=7,
    kind="每日巡查",
    day=DAY,
    seed="130111-2026-11-23",
    rules_version="2026.1",
    digests=(("sites.toml", "ab" * 32),),
    software="xuncha 0.1.0",
    captures={"成功": 12, "未成功：响应超时": 3},
    started_at=datetime(2026, 11, 23, 1, 30),
)
EVIDENCE = EvidenceRef("7/sites-portal-00000.warc.gz", 1024, "urn:uuid:1", "sha256:" + "0" * 64)


def listed(number=1, check="open_attribute", outcome=Outcome.FAIL, reason="missing", pending=False, **fields):
    values = {"target": "http://portal.example/1.html", "observed": "没有公开属性", "expected": "应当标注"} | fields
    finding = Finding(check=check, outcome=outcome, reason=reason, evidence=(EVIDENCE,), **values)
    return ListedFinding(number, finding, "待确认" if pending else "已确认", date(2026, 11, 20), pending)


def score(unit_id="a", kind=UnitKind.DEPARTMENT, value="87.50", **fields):
    values = {
        "unit_id": unit_id,
        "kind": kind,
        "day": DAY,
        "rules_version": "2026.1",
        "state": ScoreState.PUBLISHED,
        "score": Decimal(value) if value else None,
        "coverage": Decimal("0.97"),
        "verdict": Verdict.QUALIFIED,
        "vetoes": (),
        "indicators": (),
        "checks": (),
        "pending": (),
        "reasons": (),
    }
    return UnitScore(**values | fields)


def withheld(unit_id="a", **fields):
    reasons = ("覆盖率 12% 低于下限 80%，当日不发布分数",)
    values = {"state": ScoreState.WITHHELD, "coverage": Decimal("0.12"), "verdict": None, "reasons": reasons}
    return score(unit_id, value="", **values | fields)


def unit(*findings, id="a", name="区教育局", kind=UnitKind.DEPARTMENT, of=None, ranked=1):
    return UnitDay(id, name, kind, of, ranked, findings)


def report(*units):
    return DailyReport("某区", RUN, tuple(check.META for check in CHECKS), units)


def sheet(made, title):
    return load_workbook(BytesIO(daily_workbook(made)))[title]


def rows(made, title):
    """Return the sheet's rows below its head as dictionaries by heading."""
    head, *body = list(sheet(made, title).iter_rows(min_row=4, values_only=True))
    return [dict(zip(head, row, strict=True)) for row in body]


class Page(HTMLParser):
    """What a browser makes of the page: its tags with their attributes, and its text."""

    def __init__(self, made):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(daily_page(made).decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def links(self):
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]


# ---------------------------------------------------------------- hostile text


HOSTILE = [
    '=HYPERLINK("http://evil.example","点我")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "#N/A",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "a\x00b\x07c\x1bd\x0be",
    "\ud83d孤立\ufffe\uffff",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_ever_a_formula(text):
    made = report(unit(listed(observed=text, passage=text, target=text, item=text, where=text), name=text, of=score()))
    book = load_workbook(BytesIO(daily_workbook(made)))
    kinds = {cell.data_type for page in book for row in page.iter_rows() for cell in row}
    assert "f" not in kinds
    assert "e" not in kinds


def test_a_cell_that_looks_like_a_formula_stays_text_when_edited():
    cells = sheet(report(unit(listed(observed="=1+1"))), "问题")[5]
    cell = next(cell for cell in cells if cell.value == "=1+1")
    assert (cell.data_type, cell.quotePrefix) == ("s", True)


def test_characters_the_format_forbids_are_left_out_of_the_workbook():
    (row,) = rows(report(unit(listed(observed="a\x00b\x07c\x1bd\ud83de\ufffef"))), "问题")
    assert row["所见"] == "abcdef"


def test_text_too_long_for_a_cell_is_cut_and_says_so():
    (row,) = rows(report(unit(listed(observed="长" * 40_000))), "问题")
    assert row["所见"].startswith("长" * LONGEST_CELL)
    assert row["所见"].endswith("已截断）")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_ever_markup(text):
    page = Page(report(unit(listed(observed=text, passage=text, target=text, item=text, where=text), name=text)))
    assert not {"script", "img", "iframe", "object", "link", "form"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "49" not in page.text


def test_the_page_can_be_written_as_utf_8_whatever_was_seen():
    assert "孤立" in daily_page(report(unit(listed(observed="\ud83d孤立")))).decode()


NO_LINK = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "http://",
    "http://[::1",
    "http://portal.example/a b",
    "http://portal.example/\x00",
    "http://portal.example/" + "a" * 3000,
    "jiaoyuju/news",
]


@pytest.mark.parametrize("target", NO_LINK)
def test_only_web_addresses_become_links(target):
    made = report(unit(listed(target=target)))
    assert web_link(target) is None
    assert all(link.startswith("#") for link in Page(made).links())
    assert not [cell for row in sheet(made, "问题").iter_rows() for cell in row if cell.hyperlink]


@pytest.mark.parametrize("target", ["http://portal.example/1.html?a=1&b=2", "https://[::1]:8080/新闻/"])
def test_a_web_address_is_a_link_that_tells_nobody_where_it_came_from(target):
    made = report(unit(listed(target=target)))
    assert [cell.hyperlink.target for row in sheet(made, "问题").iter_rows() for cell in row if cell.hyperlink] == [
        target
    ]
    links = [attributes for tag, attributes in Page(made).tags if tag == "a" and not attributes["href"].startswith("#")]
    assert links == [{"href": target, "rel": "noreferrer noopener"}]


def test_the_page_asks_the_network_for_nothing():
    page = Page(report(unit(listed())))
    assert not [tag for tag, attributes in page.tags if "src" in attributes or tag in ("link", "script")]
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert b"url(" not in daily_page(report())


# ---------------------------------------------------------------- what stands in it


def test_a_problem_says_all_that_its_unit_needs():
    passage = listed(number=12, passage="关于印发方案的通知", where="标题")
    (row,) = rows(report(unit(passage, of=score())), "问题")
    assert row["编号"] == 12
    assert (row["单位"], row["检查"], row["问题"]) == ("区教育局", "公开属性标注", "未标注公开属性")
    assert (row["所见"], row["应有"], row["原文"], row["所在处"]) == (
        "没有公开属性",
        "应当标注",
        "关于印发方案的通知",
        "标题",
    )
    assert "国令第711号" in row["依据"]
    assert row["首次发现"].date() == date(2026, 11, 20)
    assert "sites-portal" in row["证据"]
    text = Page(report(unit(passage, of=score()))).text
    for told in ("未标注公开属性", "没有公开属性", "应当标注", "关于印发方案的通知", "2026-11-20", "国令第711号"):
        assert told in text


def test_problems_that_wait_for_confirmation_are_told_apart():
    made = report(unit(listed(1), listed(2, pending=True), of=score()))
    (row,) = [row for row in rows(made, "得分") if row["单位"] == "区教育局"]
    assert (row["不通过"], row["其中待确认"]) == (2, 1)
    assert [row["状态"] for row in rows(made, "问题")] == ["已确认", "待确认"]


def test_what_passes_is_no_problem():
    made = report(unit(listed(outcome=Outcome.PASS, reason="labelled"), of=score()))
    assert [row["编号"] for row in rows(made, "问题")] == ["没有记录。"]
    assert "栏目和页面没有发现问题" in Page(made).text


def test_a_notice_is_told_apart_from_problems():
    made = report(unit(listed(5, outcome=Outcome.NOTICE, observed="日期尚未到来"), of=score()))
    assert [row["编号"] for row in rows(made, "问题")] == ["没有记录。"]
    assert [(row["编号"], row["状态"]) for row in rows(made, "提示")] == [(5, "提示")]
    assert "日期尚未到来" in Page(made).text


def test_what_could_not_be_judged_is_grouped_by_its_reason():
    blocked = [
        listed(n, outcome=Outcome.INCONCLUSIVE, observed="被拦截", target=f"http://portal.example/{n}")
        for n in range(12)
    ]
    unseen = listed(20, outcome=Outcome.NOT_TESTED, observed="地址待确认", target="jiaoyuju/news")
    broken = listed(21, outcome=Outcome.ERROR, reason="error", observed="程序出错")
    made = report(unit(unseen, *blocked, broken, of=withheld()))
    found = [(row["结果"], row["原因"], row["次数"]) for row in rows(made, "未能判定")]
    assert found == [("无法判定", "被拦截", 12), ("未检测", "地址待确认", 1), ("检查出错", "程序出错", 1)]
    assert rows(made, "未能判定")[0]["对象"].endswith("等 12 个")
    text = Page(made).text
    assert all(told in text for told in ("被拦截", "地址待确认", "程序出错", "等 12 个"))


def test_a_withheld_score_is_not_a_zero():
    made = report(unit(of=withheld(), ranked=None))
    (row,) = [row for row in rows(made, "得分") if row["单位"] == "区教育局"]
    assert (row["名次"], row["得分"], row["单项否决"]) == ("—", "未发布", "不下结论")
    assert row["覆盖率"] == 0.12
    assert "低于下限 80%" in row["说明"]
    assert "覆盖率 12% 低于下限 80%" in Page(made).text


def test_a_score_that_does_not_apply_and_one_that_never_was_are_no_zero_either():
    inapplicable = score(value="", state=ScoreState.NOT_APPLICABLE, verdict=None)
    made = report(unit(of=inapplicable, ranked=None), unit(id="b", name="区财政局", ranked=None))
    found = {row["单位"]: row["得分"] for row in rows(made, "得分")}
    assert (found["区教育局"], found["区财政局"]) == ("不适用", "未评分")


def test_a_coverage_just_below_the_floor_does_not_read_as_the_floor():
    assert unit(of=withheld(coverage=Decimal("0.7999"))).coverage_text == "79%"


def test_a_veto_stands_beside_the_score():
    vetoed = score(verdict=Verdict.UNQUALIFIED, vetoes=(VetoHit("home", "首页不更新", 1, ("http://portal.example/",)),))
    (row,) = [row for row in rows(report(unit(of=vetoed)), "得分") if row["单位"] == "区教育局"]
    assert (row["得分"], row["单项否决"]) == (87.5, "不合格")


def test_the_verdict_on_a_site_is_told_with_what_it_was_vetoed_for():
    hit = VetoHit("columns_empty", "空白栏目", 5, tuple(f"http://portal.example/{n}/" for n in range(6)))
    vetoed = SiteVerdict("portal", DAY, Verdict.UNQUALIFIED, (hit,), Decimal("0.999"))
    unsure = SiteVerdict("jyj", DAY, None, (), Decimal(0))
    made = replace(report(unit()), sites=(SiteDay("某区门户", vetoed), SiteDay("教育局", unsure)))
    told = daily_page(made).decode()
    assert "空白栏目 6 个（满 5 个即不合格）" in told
    listed = [[str(cell) for cell in row[:4]] for row in sheet(made, "站点").iter_rows(min_row=5, values_only=True)]
    assert listed[0][:2] == ["某区门户", "不合格"]
    assert listed[1][:2] == ["教育局", "不下结论"]
    assert "99%" in told
    assert "单项否决按站点计数" not in daily_page(report(unit())).decode()


def test_a_fault_of_a_site_is_told_once_on_the_page_and_for_each_unit_in_the_workbook():
    fault = listed(check="ipv6", reason="no_aaaa", item="aaaa", observed="查不到地址", target="portal.example")
    second = replace(fault, number=2)
    made = report(unit(fault), unit(second, id="b", name="区财政局"))
    assert [row["单位"] for row in rows(made, "问题")] == ["区教育局", "区财政局"]
    text = Page(made).text
    assert text.count("查不到地址") == 1
    assert "区教育局、区财政局" in text


def whole_district():
    kinds = [UnitKind.TOWNSHIP] * 7 + [UnitKind.DEPARTMENT] * 27
    scores = [score(f"u{n}", kind, f"{60 + n}.25") for n, kind in enumerate(kinds)]
    ranks = rank(scores)
    return report(
        *(
            unit(listed(n), id=f"u{n}", name=f"单位{n}", kind=of.kind, of=of, ranked=ranks[of.unit_id])
            for n, of in enumerate(scores)
        )
    )


def test_34_units_are_ranked_apart_best_first():
    made = whole_district()
    found = rows(made, "得分")
    headings = [row["名次"] for row in found if row["单位"] is None]
    assert headings == ["乡镇（7 个）", "部门（27 个）"]
    assert [row["名次"] for row in found if row["单位"]] == [*range(1, 8), *range(1, 28)]
    assert [row["得分"] for row in found][1] == 66.25
    anchors = {attributes.get("id") for _, attributes in Page(made).tags}
    assert {link[1:] for link in Page(made).links() if link.startswith("#")} <= anchors


def test_the_run_can_be_told_from_the_report():
    made = report(unit(listed(), of=score()))
    facts = {row["项目"]: row["内容"] for row in rows(made, "说明")}
    assert facts["巡查编号"] == "第 7 次（每日巡查）"
    assert (facts["抽样种子"], facts["规则版本"]) == ("130111-2026-11-23", "2026.1")
    assert facts["sites.toml 的 SHA-256"] == "ab" * 32
    assert facts["未成功：响应超时"] == 3
    assert facts["开始时间"] == "2026-11-23 01:30"
    text = Page(made).text
    assert "130111-2026-11-23" in text
    assert "ab" * 32 in text


def test_an_empty_run_makes_a_report_that_says_so():
    made = report()
    assert [row["名次"] for row in rows(made, "得分")] == ["没有记录。"]
    assert "没有单位" in Page(made).text


def test_the_workbook_is_set_up_for_screen_and_paper():
    for page in load_workbook(BytesIO(daily_workbook(whole_district()))):
        assert page.freeze_panes
        assert (page.page_setup.orientation, page.page_setup.fitToHeight) == ("landscape", 0)
        assert page.print_title_rows == "$4:$4"
    assert ZipFile(BytesIO(daily_workbook(report()))).testzip() is None


# ---------------------------------------------------------------- 简报


def briefed(*lines):
    return replace(
        report(unit()), brief=Brief(DAY, ("与昨日相比。",), (Section("新发现的问题", "没有", lines), _NOTHING))
    )


_NOTHING = Section("复发的问题", "没有复发的问题", ())


def test_the_brief_stands_first_and_says_what_did_not_happen():
    made = briefed(Line("区教育局", "公开属性标注：没有标注", "", "http://portal.example/1.html", (1, 2)))
    book = load_workbook(BytesIO(daily_workbook(made)))
    assert book.sheetnames[0] == "简报"
    told = [cell.value for row in book["简报"].iter_rows() for cell in row if cell.value is not None]
    assert {"与昨日相比。", "新发现的问题（1）", "公开属性标注：没有标注", "没有复发的问题。"} <= set(told)
    page = Page(made)
    assert "没有复发的问题" in page.text
    assert ("a", "http://portal.example/1.html") in [(tag, held.get("href")) for tag, held in page.tags]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_brief_is_as_harmless_as_the_rest(text):
    made = briefed(Line(text, text, text, text, (1,)))
    kinds = {cell.data_type for row in load_workbook(BytesIO(daily_workbook(made)))["简报"].iter_rows() for cell in row}
    assert not kinds & {"f", "e"}
    assert not {"script", "img"} & {tag for tag, _ in Page(made).tags}


def test_a_page_shows_so_many_lines_and_counts_the_rest():
    made = briefed(*(Line(f"单位{number}", "问题") for number in range(SHOWN + 7)))
    assert "另有 7 条，见工作簿" in Page(made).text
    assert len(list(load_workbook(BytesIO(daily_workbook(made)))["简报"].iter_rows())) > SHOWN + 7


def test_a_run_that_is_no_night_has_no_brief():
    assert "简报" not in load_workbook(BytesIO(daily_workbook(report(unit())))).sheetnames
