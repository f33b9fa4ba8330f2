"""权责清单: a unit's powers and duties stand in a published list, as a table or a file, in a current edition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from checks.facts.labels import compact
from checks.facts.model import AttachmentState, PageFacts
from checks.judging.editions import Edition, editions
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere_in_column, elsewhere_on_pages, frame_of
from checks.judging.listing import lies_outside, unread_rest
from checks.judging.readability import (
    SHARED_REASONS,
    absence_of,
    attachment_name,
    column_obstacle,
    is_absent,
    is_gone,
    name_and_address,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from config.rules import PowerListRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="power_list",
    title="权责清单",
    failure_title="权责清单未公开或没有更新",
    basis="石栾政办函〔2020〕118号“加强权力配置信息公开”：全面梳理本机关的行政权力和公共服务职责，实行清单管理，并及时按要求公开；"
    "《关于推行地方各级政府工作部门权力清单制度的指导意见》（中办发〔2015〕21号）：权力清单及时公布、动态调整",
    method="看“权责清单”栏目的页面、文章有没有清单表格，或者有没有可以下载的清单文件；再从标题、文件名、发布和更新日期看是哪一年的版本，"
    "上半年有上一年的即可。只有站外链接的不适用；有图片、有读不了的部分的，缺了也不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "published": "清单已公开",
        "not_published": "没有公开清单",
        "file_missing": "清单文件下载不了",
        "current": "是现行年度的版本",
        "outdated": "不是现行年度的版本",
        "undated": "看不出是哪一年的版本",
        "external_only": "栏目只有站外链接",
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：石栾政办函〔2020〕118号“实行清单管理，并及时按要求公开”。"
LIST, VERSION = "清单", "版本"
LISTS = re.compile(
    "清单|[职权责]{2}.{0,8}目录|权力.{0,6}(?:目录|一览)|(?:行政)?职权|事项目录"
)  # in the title of a list that is text
TEXT = 300  # characters of a list that is written as text and not as a table
SAVED = frozenset(
    {AttachmentState.READ, AttachmentState.SCANNED, AttachmentState.UNSUPPORTED, AttachmentState.ENCRYPTED}
)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding about the list, and one about its edition where there is a list."""
    rule, frame = rules.checks.power_list, frame_of(bundle)
    for visit in bundle.columns_of(ColumnType.POWER_LIST):
        yield from _judge(visit, rule, bundle.day, frame)


def _judge(visit: ColumnVisit, rule: PowerListRule, day: date, frame: frozenset[str]) -> Iterator[Finding]:
    subject = Subject(META.id, visit.target, evidence_of(*visit.everything), visit.column.id, LIST)
    if is_absent(visit):
        yield subject.failed("not_published", absence_of(visit), _expected(), where="单位的全部栏目")
    elif (obstacle := column_obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
    elif lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，清单在站外公开。")
    elif (place := next(_lists(visit, rule), None)) is not None:
        yield subject.passed("published", f"清单已公开：{place}。", where=place)
        yield _version(replace(subject, item=VERSION), visit, rule, day, frame)
    else:
        yield _unpublished(subject, visit, frame)


# ---------------------------------------------------------------- the list


def _lists(visit: ColumnVisit, rule: PowerListRule) -> Iterator[str]:
    """Yield in Chinese where a list stands: a table, a long text under that title, a file that can be downloaded."""
    for page in (*visit.pages, *visit.articles):
        if page.facts is None or page.facts.soft_not_found:
            continue
        what = f"文章“{page.facts.title}”" if page in visit.articles else "栏目页"
        rows = max((len(table.rows) - 1 for table in page.facts.tables), default=0)
        if rows >= rule.rows:
            yield f"{what}的表格（{rows} 行）"
        elif _is_text(page.facts):
            yield f"{what}的正文"
    for file in visit.attachments:
        if file.attachment is not None and file.attachment.state in SAVED:
            yield f"附件“{attachment_name(file)}”可以下载"


def _is_text(facts: PageFacts) -> bool:
    return LISTS.search(facts.title) is not None and not facts.list.entries and len(compact(facts.body_text)) >= TEXT


def _unpublished(subject: Subject, visit: ColumnVisit, frame: frozenset[str]) -> Finding:
    gone = [file for file in visit.attachments if is_gone(file)]
    if gone and len(gone) == len(visit.attachments) and unread_rest(visit) is None:
        names = "、".join(map(name_and_address, gone))
        observed = f"栏目里没有清单表格，清单文件{names}下载不了，服务器答复文件不存在。"
        expected = f"请重新上传清单文件并改正链接。{CLAUSE}"
        return subject.failed("file_missing", observed, expected, where="栏目里的下载链接")
    if (doubt := elsewhere_in_column(visit, frame)) is not None:
        return subject.cannot_tell(doubt)
    observed = f"“{visit.column.name}”栏目里没有清单表格，也没有可以下载的清单文件。"
    return subject.failed("not_published", observed, _expected(), where="栏目正文和附件")


def _expected() -> str:
    wanted = "请在权责清单栏目公开本单位的权责清单，用表格或者可以下载的文件"
    return f"{wanted}；本单位确无行政权力和公共服务职责的，请告知办公室。{CLAUSE}"


# ---------------------------------------------------------------- the edition


def _version(subject: Subject, visit: ColumnVisit, rule: PowerListRule, day: date, frame: frozenset[str]) -> Finding:
    wanted = rule.edition_due(day)
    found: list[Edition] = sorted(edition for edition in editions(visit) if edition.year <= day.year + 1)
    if found and found[-1].year >= wanted:
        newest = found[-1]
        return subject.passed(
            "current", f"是 {newest.year} 年的版本。", passage=newest.said, where="标题、文件名和日期"
        )
    if (doubt := unread_rest(visit) or elsewhere_on_pages(visit, frame)) is not None:
        return subject.cannot_tell(doubt)
    expected = f"检查日 {day:%Y-%m-%d} 应当公开 {wanted} 年的版本；没有变动的，也请核对后标明年度或更新日期。{CLAUSE}"
    if not found:
        observed = "标题、文件名和日期都看不出清单是哪一年的版本。"
        return subject.finding(Outcome.INCONCLUSIVE, "undated", observed, expected)
    newest = found[-1]
    observed = f"最新的是 {newest.year} 年的版本（“{newest.said}”）。"
    return subject.failed("outdated", observed, expected, passage=newest.said, where="标题、文件名和日期")
