"""复查: what is looked at again is answered for, and moves no score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from checks.model import Capture, FailureKind, Finding, Mode, Outcome, PageRole, Revisit, Visit
from config.schema import ColumnType
from crawler.plan import plan_run
from crawler.sink import Exchange
from inspection.inputs import gathered
from inspection.judging import Records, judge_sites
from inspection.place import Place, opened
from inspection.probing import Captured
from inspection.recording import recording
from inspection.reviewing import follow_run
from inspection.revisits import revisits_for
from inspection.run import Request, inspect_units
from inspection.settings import resolve
from scoring.daily import daily_score
from scoring.model import UnitScore
from scoring.review import FaultState
from storage.model import Fault, Run, RunKind
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
HEADERS = (("content-type", "text/html; charset=utf-8"),)
DATED = "<div>发布时间：2026-11-20</div>"
UNDATED = ""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_made_config(DAY, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


def _article(title: str, line: str, link: str = "") -> str:
    text = "近日，县教育局组织有关股室到各学校走访，逐项核对安全、餐饮、校车等事项，要求限期整改到位。" * 3
    head = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>"
    return f"{head}{line}<p>{text}</p>{link}</body></html>"


class _Night:
    """A night over one unit that saw its news column, one article of it, and what is looked at again."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.unit = place.configuration.inventory.unit("jiaoyuju")
        self.column = next(column for column in self.unit.columns if column.type is ColumnType.NEWS)
        self.run = _begin(place)
        self.revisits: tuple[Revisit, ...] = ()
        listed = '<li><a href="1.html">工作动态第一条</a><span>2026-11-20</span></li>'
        self._sees("", f"<html><head><title>动态</title></head><body><ul>{listed}</ul></body></html>", PageRole.COLUMN)
        self._sees("1.html", _article("工作动态第一条", DATED), PageRole.ARTICLE)

    def url(self, name: str) -> str:
        return f"{self.column.url}{name}"

    def looks_again(self, name: str, body: str | FailureKind, check: str = "undated_articles") -> _Night:
        self.revisits += (Revisit(self.url(name), self.unit.id, self.column.id, check, "", 1),)
        self._sees(name, body, PageRole.ARTICLE, revisit=True)
        return self

    def _sees(self, name: str, body: str | FailureKind, role: PageRole, *, revisit: bool = False) -> None:
        url, site = self.url(name), self.column.site
        with recording(self.place.repository, self.place.evidence, self.run.id, f"sites-{name}") as recorder:
            if isinstance(body, FailureKind):
                recorder.store(Capture(site, url, Mode.STATIC, NOON, url, status=404, failure=body), None)
            else:
                capture = Capture(site, url, Mode.STATIC, NOON, url, status=200, headers=HEADERS)
                recorder.store(capture, Exchange("GET", (), "200 OK", HEADERS, body.encode()))
            visit = Visit(site, url, role, unit_id=self.unit.id, column_id=self.column.id, revisit=revisit)
            recorder.visit(visit)

    def judged(self) -> list[Finding]:
        inputs = replace(gathered(self.place, self.run), revisits=self.revisits)
        records = Records.of(self.place, self.run.id)
        return judge_sites(self.place.configuration, inputs, records).by_unit[self.unit.id]

    def of(self, name: str) -> list[Finding]:
        return [finding for finding in self.judged() if finding.target == self.url(name)]

    def score(self, findings: Sequence[Finding]) -> UnitScore:
        configuration = self.place.configuration
        indicators = configuration.indicators_for(DAY.year)
        return daily_score(self.unit, findings, indicators, configuration.rules, {}, DAY)


def _begin(place: Place) -> Run:
    return place.repository.create_run(
        kind=RunKind.NIGHTLY,
        day=DAY,
        seed="s",
        rules_version="1",
        digests=place.digests_for(DAY.year),
        units=("jiaoyuju",),
        site_ids=["jyj"],
    )


# ---------------------------------------------------------------- judging


def test_a_fault_still_there_is_told_and_weighs_nothing(place: Place) -> None:
    bare, again = _Night(place), _Night(place).looks_again("old.html", _article("旧闻", UNDATED))
    (finding,) = again.of("old.html")
    assert (finding.check, finding.outcome, finding.weight) == ("undated_articles", Outcome.FAIL, Decimal(0))
    assert finding.evidence
    without, with_it = bare.score(bare.judged()), again.score(again.judged())
    assert with_it == replace(without, checks=with_it.checks)
    assert _targets(with_it) == _targets(without)


def _targets(score: UnitScore) -> list[tuple[str, str, str]]:
    return [(target.check, target.target, target.state) for check in score.checks for target in check.targets]


def test_a_fault_that_was_mended_passes(place: Place) -> None:
    (finding,) = _Night(place).looks_again("old.html", _article("旧闻", DATED)).of("old.html")
    assert (finding.outcome, finding.weight) == (Outcome.PASS, Decimal(0))


def test_a_page_that_could_not_be_read_proves_nothing(place: Place) -> None:
    (finding,) = _Night(place).looks_again("old.html", FailureKind.READ_TIMEOUT).of("old.html")
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_a_fault_is_gone_with_the_page_that_was_taken_down(place: Place) -> None:
    (finding,) = _Night(place).looks_again("old.html", FailureKind.NOT_FOUND).of("old.html")
    assert (finding.outcome, finding.reason, finding.weight) == (Outcome.PASS, "withdrawn", Decimal(0))


def test_only_what_was_ordered_is_answered_for(place: Place) -> None:
    body = _article("旧闻", UNDATED, "张三 身份证号 110101199003078515")
    night = _Night(place).looks_again("old.html", body)
    assert {finding.check for finding in night.of("old.html")} == {"undated_articles"}
    night.looks_again("old.html", body, "personal_information")
    assert {finding.check for finding in night.of("old.html")} == {"undated_articles", "personal_information"}


def test_a_page_that_the_sample_holds_is_judged_there_and_counts(place: Place) -> None:
    bare = _Night(place)
    night = _Night(place).looks_again("1.html", _article("工作动态第一条", DATED))
    assert [replace(f, evidence=()) for f in night.judged()] == [replace(f, evidence=()) for f in bare.judged()]
    assert {finding.weight for finding in night.of("1.html") if finding.outcome is Outcome.PASS} == {Decimal(1)}


def test_what_is_looked_at_again_moves_no_sample_of_links(place: Place) -> None:
    link = '<a href="http://elsewhere.example/">链接</a>'
    night = _Night(place).looks_again("old.html", _article("旧闻", UNDATED, link))
    (plan,) = (
        plan
        for plan in plan_run(place.configuration.inventory, DAY, "s", night.run.units)
        if plan.site.id == night.column.site
    )
    captured = Captured.of(place, night.run.id, plan)
    urls = {capture.url for capture in captured.captures}
    assert night.url("1.html") in urls
    assert night.url("old.html") not in urls
    assert "http://elsewhere.example/" not in captured.leads


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (_article("旧闻", DATED), FaultState.MENDED),
        (FailureKind.NOT_FOUND, FaultState.MENDED),
        (FailureKind.READ_TIMEOUT, FaultState.RECTIFYING),
        (_article("旧闻", UNDATED), FaultState.RECTIFYING),
    ],
    ids=["mended", "withdrawn", "unread", "still there"],
)
def test_the_ledger_follows_what_is_looked_at_again(place: Place, seen: str | FailureKind, state: FaultState) -> None:
    night = _Night(place).looks_again("old.html", seen)
    fault = _fault(place, "1", target=night.url("old.html"))
    failing = Finding(fault.check, fault.target, Outcome.FAIL, fault.reason, unit_id=fault.unit_id)
    place.faults.record([replace(fault, fingerprint=failing.fingerprint)], [])
    place.repository.replace_findings(night.run.id, [fault.unit_id], night.judged())
    follow_run(place, night.run)
    now = place.faults.fault(failing.fingerprint)
    assert now is not None
    assert now.state is state
    still_there = state is FaultState.RECTIFYING and isinstance(seen, str)
    assert now.last_seen == (DAY if still_there else fault.last_seen)
    assert not place.repository.failing(night.run.id).get((fault.unit_id, fault.check))


# ---------------------------------------------------------------- which faults


def _fault(place: Place, name: str, **changes: object) -> Fault:
    unit = place.configuration.inventory.unit("jiaoyuju")
    column = next(column for column in unit.columns if column.type is ColumnType.NEWS)
    fault = Fault(
        fingerprint=name,
        unit_id=unit.id,
        check="undated_articles",
        target=f"{column.url}{name}.html",
        item="",
        reason="undated",
        column_id=column.id,
        state=FaultState.RECTIFYING,
        observation="o",
        first_seen=DAY - timedelta(days=30),
        last_seen=DAY - timedelta(days=10),
        finding_id=int(name),
        deadline=DAY + timedelta(days=5),
    )
    return replace(fault, **changes)  # type: ignore[arg-type]


def test_faults_under_order_are_looked_at_again_longest_unseen_first(place: Place) -> None:
    place.faults.record(
        [
            _fault(place, "1"),
            _fault(place, "2", last_seen=DAY - timedelta(days=20)),
            _fault(place, "3", deadline=DAY - timedelta(days=1)),
            _fault(place, "4", state=FaultState.UPHELD),
            _fault(place, "5", state=FaultState.UPHELD, deadline=None),
            _fault(place, "6", state=FaultState.CONFIRMED),
            _fault(place, "7", state=FaultState.MENDED),
            _fault(place, "8", check="column_freshness"),
            _fault(place, "9", column_id=None),
            _fault(place, "10", unit_id="caizhengju"),
        ],
        [],
    )
    assert [revisit.finding_id for revisit in revisits_for(place, ["jiaoyuju"])] == [2, 3, 1, 4]
    assert revisits_for(place, ["louzhen"]) == ()


class _Crawling:
    """A crawl that captures nothing."""

    def __init__(self, *_: object) -> None: ...

    def capture(self, *_: object) -> None: ...


def test_a_run_keeps_what_it_was_begun_with(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inspection.run.Crawling", _Crawling)
    place.faults.record([_fault(place, "1")], [])
    report = inspect_units(place, Request(RunKind.SPOT, DAY, ("jiaoyuju",)))
    place.faults.record([_fault(place, "1", state=FaultState.MENDED), _fault(place, "2")], [])
    assert [revisit.finding_id for revisit in place.revisits.of_run(report.run.id)] == [1]


def test_a_resumed_run_looks_at_the_same_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    class Interrupted(_Crawling):
        def capture(self, plans: Sequence[object], *_: object) -> None:
            asked.append(tuple(r.finding_id for plan in plans for r in plan.revisits))  # type: ignore[attr-defined]
            if len(asked) == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr("inspection.run.Crawling", Interrupted)
    place.faults.record([_fault(place, "1")], [])
    with pytest.raises(KeyboardInterrupt):
        inspect_units(place, Request(RunKind.NIGHTLY, DAY, ("jiaoyuju",)))
    place.faults.record([_fault(place, "2")], [])
    inspect_units(place, Request(RunKind.NIGHTLY, DAY, ("jiaoyuju",), resume=True))
    assert asked == [(1,), (1,)]
