"""The repository: what went in comes out, once, on both databases and with several writers."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event

from checks.model import (
    Capture,
    EvidenceRef,
    FailureKind,
    Finding,
    Mode,
    Outcome,
    PageRole,
    Probe,
    ProbeKind,
    Visit,
)
from config.schema import UnitKind
from scoring.model import (
    BoundCheck,
    CheckResult,
    IndicatorScore,
    ScoreState,
    SiteVerdict,
    TargetResult,
    TargetState,
    UnitScore,
    Verdict,
    VetoHit,
)
from storage.database import Database, open_database, upgrade
from storage.errors import FindingNotFound, IllegalTransition, RunNotFound
from storage.model import Run, RunKind, RunState, SiteLedgerRow
from storage.repository import CONFIRMED, PENDING, Repository
from tests.storage.conftest import NOW

DAY = date(2026, 11, 24)
DIGESTS = {"rules": "r", "indicators": "i", "inventory": "v"}
NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
SOMEWHERE = EvidenceRef("7/batch-0-00000.warc.gz", 2**33, "<urn:uuid:1>", "sha256:00")
LONG = "http://portal.test/" + "词" * 5000


def begin(repository: Repository, day: date = DAY, kind: RunKind = RunKind.NIGHTLY, **more: object) -> Run:
    asked = {"site_ids": ["portal", "health"], "rules_version": "2026.1", "digests": DIGESTS} | more
    return repository.create_run(kind=kind, day=day, seed="130111-7", **asked)  # type: ignore[arg-type]


CAPTURES = [
    Capture("portal", "http://portal.test/", Mode.STATIC, NOON),
    Capture(
        site_id="portal",
        url=LONG,
        mode=Mode.RENDERED,
        captured_at=NOON,
        final_url=LONG + "/",
        redirects=(LONG, LONG + "/"),
        status=200,
        headers=(("content-type", "text/html"), ("set-cookie", "a=1"), ("set-cookie", "b=2")),
        length=2**31 - 1,
        elapsed=0.1 + 0.2,
        address="::1",
        evidence=SOMEWHERE,
    ),
    Capture("portal", LONG, Mode.STATIC, NOON, status=403, failure=FailureKind.BLOCKED, detail="被拦截"),
]
VISITS = [
    Visit("portal", "http://portal.test/", PageRole.HOME),
    Visit(
        site_id="portal",
        url=LONG,
        role=PageRole.ARTICLE,
        order=3,
        unit_id="jiaoyuju",
        column_id="notice",
        parent="http://portal.test/list",
        reason="抽样 2/41 种子 130111-7",
        title="关于…的通知",
        listed_date=date(2026, 11, 1),
        rendering_wanted=True,
        failure=FailureKind.ROBOTS_DISALLOWED,
    ),
    Visit("portal", LONG, PageRole.ARTICLE, unit_id="jiaoyuju", column_id="policy"),
    Visit("portal", LONG, PageRole.ARTICLE, unit_id="caizhengju", column_id="notice"),
]
FETCH = Probe("portal", ProbeKind.FETCH, "http://portal.test/", 6, NOON, {"address": "::1", "port": 80, "try": 1})
PROBES = [
    Probe("portal", ProbeKind.ADDRESSES, "portal.test", 0, NOON, {"a": ["127.0.0.1"], "aaaa": [], "rcode": "NOERROR"}),
    Probe("portal", ProbeKind.DELEGATION, "test", 0, NOON, {}, FailureKind.DNS_FAILURE, SOMEWHERE),
    FETCH,
    replace(FETCH, observed={"address": "::1", "port": 80, "try": 2}, captured_at=NOON + timedelta(seconds=1)),
]


def finding(target: str = "http://portal.test/a", **changes: object) -> Finding:
    made = Finding(
        check="open_attribute",
        target=target,
        outcome=Outcome.FAIL,
        reason="missing",
        observed="未标注",
        expected="标注公开属性",
        passage="正文",
        where="表格",
        weight=Decimal("1.50"),
        unit_id="jiaoyuju",
        column_id="notice",
        evidence=(SOMEWHERE, replace(SOMEWHERE, offset=5)),
        rules_version="2026.1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


# ---------------------------------------------------------------- runs and ledger


def test_a_run_is_entered_with_its_sites(repository: Repository) -> None:
    run = begin(repository, units=["jiaoyuju"], note="试")
    assert (run.kind, run.day, run.state, run.units) == (RunKind.NIGHTLY, DAY, RunState.PLANNED, ("jiaoyuju",))
    assert (run.rules_digest, run.indicators_digest, run.inventory_digest) == ("r", "i", "v")
    assert (run.created_at, run.started_at, run.finished_at, run.finished) == (NOW, None, None, False)
    assert repository.run(run.id) == run
    assert repository.site_states(run.id) == {
        site: SiteLedgerRow(site, RunState.PLANNED, 0, "", NOW) for site in ("health", "portal")
    }


def test_a_run_goes_step_by_step(repository: Repository) -> None:
    run_id = begin(repository).id
    for state in (RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED):
        repository.set_run_state(run_id, state)
    run = repository.run(run_id)
    assert (run.state, run.started_at, run.finished_at, run.finished) == (RunState.PUBLISHED, NOW, NOW, True)


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ((), RunState.CAPTURED),
        ((), RunState.PUBLISHED),
        ((RunState.RUNNING,), RunState.JUDGED),
        ((RunState.RUNNING, RunState.CAPTURED), RunState.PUBLISHED),
        ((RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED), RunState.RUNNING),
        ((RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED), RunState.FAILED),
    ],
)
def test_no_step_is_skipped(repository: Repository, steps: tuple[RunState, ...], refused: RunState) -> None:
    run_id = begin(repository).id
    for state in steps:
        repository.set_run_state(run_id, state)
        repository.set_site_state(run_id, "portal", state)
    before = repository.site_states(run_id)["portal"]
    with pytest.raises(IllegalTransition):
        repository.set_run_state(run_id, refused)
    with pytest.raises(IllegalTransition):
        repository.set_site_state(run_id, "portal", refused)
    assert repository.site_states(run_id)["portal"] == before


def test_a_killed_site_is_taken_up_again_and_counted(repository: Repository) -> None:
    run_id = begin(repository).id
    repository.set_site_state(run_id, "portal", RunState.RUNNING)
    repository.set_site_state(run_id, "portal", RunState.RUNNING)
    repository.set_site_state(run_id, "portal", RunState.FAILED, "两次异常退出")
    row = repository.site_states(run_id)["portal"]
    assert (row.state, row.attempts, row.reason) == (RunState.FAILED, 2, "两次异常退出")
    repository.set_site_state(run_id, "portal", RunState.RUNNING)
    repository.set_site_state(run_id, "portal", RunState.CAPTURED)
    row = repository.site_states(run_id)["portal"]
    assert (row.state, row.attempts, row.reason) == (RunState.CAPTURED, 3, "")


def test_a_site_that_was_not_planned_joins_the_ledger(repository: Repository) -> None:
    run_id = begin(repository).id
    repository.set_site_state(run_id, "new", RunState.RUNNING)
    assert repository.site_states(run_id)["new"].state is RunState.RUNNING


def test_runs_are_listed_newest_first(repository: Repository) -> None:
    made = [begin(repository, day=DAY), begin(repository, kind=RunKind.SPOT), begin(repository, day=date(2026, 1, 1))]
    assert repository.runs() == made[::-1]
    assert repository.runs(day=DAY) == [made[1], made[0]]
    assert repository.runs(kind=RunKind.NIGHTLY) == [made[2], made[0]]


def test_an_unknown_run_is_said(repository: Repository) -> None:
    for ask in (
        lambda: repository.run(99),
        lambda: repository.set_run_state(99, RunState.RUNNING),
        lambda: repository.set_site_state(99, "portal", RunState.RUNNING),
        lambda: repository.replace_findings(99, ["jiaoyuju"], [finding()]),
        lambda: repository.save_scores(99, []),
    ):
        with pytest.raises(RunNotFound):
            ask()


# ---------------------------------------------------------------- captures


def test_what_was_captured_comes_back_as_it_was(repository: Repository) -> None:
    run_id = begin(repository).id
    repository.add_captured(run_id, CAPTURES, VISITS, PROBES)
    assert set(repository.captures(run_id, "portal")) == set(CAPTURES)
    assert sorted(map(repr, repository.visits(run_id, "portal"))) == sorted(map(repr, VISITS))
    assert sorted(repository.probes(run_id, "portal"), key=lambda p: PROBES.index(p)) == PROBES
    assert repository.captures(run_id, "health") == []
    assert all(capture.captured_at.tzinfo is UTC for capture in repository.captures(run_id, "portal"))
    assert repository.count_captures(run_id) == {"blocked": 1, "ok": 2}


def test_captures_of_some_addresses_are_had_without_the_others(repository: Repository) -> None:
    run_id = begin(repository).id
    made = [replace(CAPTURES[0], url=f"http://www.example.test/{number}.html") for number in range(3_000)]
    repository.add_captured(run_id, made)
    asked = [capture.url for capture in made[:2_500]]
    found = repository.captures(run_id, "portal", [*asked, asked[0], "http://www.example.test/never.html"])
    assert [capture.url for capture in found] == sorted(asked)
    assert set(found) == set(made[:2_500])
    assert repository.captures(run_id, "portal", []) == []


def test_the_same_again_changes_nothing(repository: Repository) -> None:
    run_id = begin(repository).id
    repository.add_captured(run_id, CAPTURES * 2, VISITS * 2, PROBES * 2)
    before = (
        repository.captures(run_id, "portal"),
        repository.visits(run_id, "portal"),
        repository.probes(run_id, "portal"),
    )
    repository.add_captured(run_id, CAPTURES, VISITS, PROBES)
    after = (
        repository.captures(run_id, "portal"),
        repository.visits(run_id, "portal"),
        repository.probes(run_id, "portal"),
    )
    assert before == after
    assert [len(kept) for kept in after] == [len(CAPTURES), len(VISITS), len(PROBES)]


def test_the_newer_replaces_the_older_of_the_same_key(repository: Repository) -> None:
    run_id = begin(repository).id
    repository.add_captured(run_id, CAPTURES, VISITS, PROBES)
    capture = replace(CAPTURES[2], failure=None, status=200, captured_at=NOON + timedelta(hours=1))
    visit = replace(VISITS[1], title="改后", failure=None, listed_date=None)
    probe = replace(FETCH, observed=FETCH.observed | {"status": 200}, captured_at=NOON + timedelta(hours=1))
    repository.add_captured(run_id, [capture], [visit], [probe])
    assert capture in repository.captures(run_id, "portal")
    assert visit in repository.visits(run_id, "portal")
    assert probe in repository.probes(run_id, "portal")
    assert len(repository.captures(run_id, "portal")) == len(CAPTURES)
    assert len(repository.visits(run_id, "portal")) == len(VISITS)
    assert len(repository.probes(run_id, "portal")) == len(PROBES)


def test_the_newest_earlier_capture_of_a_page_is_found(repository: Repository) -> None:
    runs = [begin(repository).id for _ in range(4)]
    page = Capture("portal", "http://portal.test/x", Mode.STATIC, NOON, evidence=SOMEWHERE)
    newer = replace(page, evidence=replace(SOMEWHERE, offset=9))
    of_page = ("portal", page.url, Mode.STATIC)
    assert repository.earlier_evidence(runs[3], *of_page) is None
    repository.add_captured(runs[0], [page])
    repository.add_captured(runs[1], [newer, replace(page, mode=Mode.RENDERED), replace(page, site_id="other")])
    repository.add_captured(runs[2], [replace(page, failure=FailureKind.BLOCKED)])
    assert repository.earlier_evidence(runs[3], *of_page) == newer.evidence
    assert repository.earlier_evidence(runs[0], *of_page) == page.evidence, "a later run is not earlier"
    assert repository.earlier_evidence(runs[3], "portal", page.url, Mode.SCREENSHOT) is None
    assert repository.earlier_evidence(runs[3], "portal", "http://portal.test/y", Mode.STATIC) is None


def test_records_of_the_newest_earlier_probes_are_found(repository: Repository) -> None:
    runs = [begin(repository).id for _ in range(4)]
    fetch = Probe("portal", ProbeKind.FETCH, "http://portal.test/", 6, NOON, {}, None, SOMEWHERE)
    newer = [replace(fetch, family=family, evidence=replace(SOMEWHERE, offset=family)) for family in (4, 6)]
    repository.add_captured(runs[0], probes=[fetch])
    repository.add_captured(runs[1], probes=[*newer, replace(fetch, target="http://portal.test/a")])
    repository.add_captured(
        runs[2], probes=[replace(fetch, kind=ProbeKind.LINK, evidence=replace(SOMEWHERE, offset=7))]
    )
    expected = {SOMEWHERE, *(probe.evidence for probe in newer)}
    assert repository.earlier_probe_records(runs[3], "portal", ProbeKind.FETCH) == expected
    assert repository.earlier_probe_records(runs[1], "portal", ProbeKind.FETCH) == {SOMEWHERE}
    assert repository.earlier_probe_records(runs[0], "portal", ProbeKind.FETCH) == set()
    assert repository.earlier_probe_records(runs[3], "other", ProbeKind.FETCH) == set()


def test_order_does_not_hang_on_the_order_of_writing(repository: Repository) -> None:
    one, other = begin(repository).id, begin(repository).id
    repository.add_captured(one, CAPTURES, VISITS, PROBES)
    repository.add_captured(other, CAPTURES[::-1], VISITS[::-1], PROBES[::-1])
    assert repository.captures(one, "portal") == repository.captures(other, "portal")
    assert repository.visits(one, "portal") == repository.visits(other, "portal")
    assert repository.probes(one, "portal") == repository.probes(other, "portal")


def test_runs_do_not_mix(repository: Repository) -> None:
    one, other = begin(repository).id, begin(repository).id
    repository.add_captured(one, CAPTURES[:1])
    assert repository.captures(other, "portal") == []


def test_text_that_no_database_takes_does_not_lose_the_batch(repository: Repository) -> None:
    run_id = begin(repository).id
    hostile = replace(VISITS[1], title="a\x00b\ud800c")
    observed: dict[str, object] = {"error": "\x00\ud800"}
    probe = replace(PROBES[0], observed=observed)
    repository.add_captured(run_id, [], [hostile, VISITS[0]], [probe])
    assert [visit.title for visit in repository.visits(run_id, "portal") if visit.title] == ["a\ufffdb\ufffdc"]
    assert repository.probes(run_id, "portal")[0].observed == observed
    repository.replace_findings(run_id, ["jiaoyuju"], [finding(passage="\x00正文\udfff")])
    assert repository.findings()[0].finding.passage == "\ufffd正文\ufffd"


def test_a_time_without_a_zone_is_refused(repository: Repository) -> None:
    run_id = begin(repository).id
    with pytest.raises(Exception, match="without a time zone"):
        repository.add_captured(run_id, [replace(CAPTURES[0], captured_at=datetime(2026, 1, 1))])
    assert repository.captures(run_id, "portal") == []


def test_a_batch_is_one_transaction_and_a_handful_of_statements(database: Database, repository: Repository) -> None:
    run_id = begin(repository).id
    statements: list[str] = []
    commits: list[int] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    event.listen(database.engine, "commit", lambda _: commits.append(1))
    many = [replace(CAPTURES[0], url=f"http://portal.test/{n}") for n in range(500)]
    repository.add_captured(run_id, many, [], [])
    assert len(commits) == 1
    assert len([statement for statement in statements if "INSERT" in statement]) == 1
    assert len(repository.captures(run_id, "portal")) == 500


# ---------------------------------------------------------------- findings


def test_findings_come_back_as_they_were(repository: Repository) -> None:
    run = begin(repository)
    passed = finding("http://portal.test/b", outcome=Outcome.PASS, column_id=None, screenshot=SOMEWHERE)
    kept = [finding(), passed, finding("http://portal.test/c", passage="")]
    repository.replace_findings(run.id, ["jiaoyuju"], kept, states={kept[0].fingerprint: PENDING})
    stored = repository.findings()
    assert [row.finding for row in stored] == kept
    assert [row.state for row in stored] == [PENDING, "", CONFIRMED]
    assert {(row.run_id, row.day, row.first_seen, row.last_seen) for row in stored} == {(run.id, DAY, DAY, DAY)}
    assert repository.count_findings(run.id) == {"FAIL": 2, "PASS": 1}


def test_findings_are_recorded_as_they_were_kept_however_many(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.repository.READ_AT_ONCE", 2)
    run = begin(repository)
    targets = [f"http://portal.test/{number}" for number in (3, 1, 2, 5, 4)]
    kept = [finding(target, screenshot=SOMEWHERE) for target in targets] + [finding(column_id=None, evidence=())]
    repository.replace_findings(run.id, ["jiaoyuju"], kept, states={kept[0].fingerprint: PENDING})
    assert list(repository.finding_records(run.id, "jiaoyuju")) == [
        asdict(stored.finding)
        | {"id": stored.id, "run": run.id, "day": DAY, "state": stored.state}
        | {"fingerprint": stored.finding.fingerprint, "evidence": [asdict(each) for each in stored.finding.evidence]}
        for stored in repository.findings()
    ]
    assert list(repository.finding_records(run.id, "caizhengju")) == []


def test_judging_again_replaces_and_keeps_screenshots(repository: Repository) -> None:
    run_id = begin(repository).id
    other = finding("http://portal.test/c", unit_id="caizhengju")
    repository.replace_findings(run_id, ["jiaoyuju", "caizhengju"], [finding(), other])
    repository.attach_screenshot(run_id, [finding().fingerprint], SOMEWHERE)
    repository.replace_findings(run_id, ["jiaoyuju"], [finding(), finding("http://portal.test/new")])
    assert [(row.finding.target, row.finding.screenshot) for row in repository.findings(unit_id="jiaoyuju")] == [
        ("http://portal.test/a", SOMEWHERE),
        ("http://portal.test/new", None),
    ]
    assert [row.finding for row in repository.findings(unit_id="caizhengju")] == [other]
    repository.replace_findings(run_id, ["jiaoyuju"], [])
    assert repository.findings(unit_id="jiaoyuju") == []


def test_a_number_never_means_another_finding(repository: Repository) -> None:
    run_id = begin(repository).id
    repository.replace_findings(run_id, ["jiaoyuju"], [finding()])
    [before] = repository.findings()
    repository.replace_findings(run_id, ["jiaoyuju"], [finding()])
    [after] = repository.findings()
    assert after.id != before.id
    with pytest.raises(FindingNotFound):
        repository.finding(before.id)


def test_findings_of_a_unit_not_replaced_are_refused(repository: Repository) -> None:
    run_id = begin(repository).id
    with pytest.raises(ValueError, match="caizhengju"):
        repository.replace_findings(run_id, ["jiaoyuju"], [finding(unit_id="caizhengju")])
    assert repository.findings() == []


def test_findings_are_picked_by_every_condition(repository: Repository) -> None:
    first, second = begin(repository), begin(repository)
    repository.replace_findings(first.id, ["jiaoyuju"], [finding()], states={finding().fingerprint: PENDING})
    kept = [finding(), finding("http://portal.test/b", outcome=Outcome.NOTICE), finding(check="ipv6", reason="no_aaaa")]
    repository.replace_findings(second.id, ["jiaoyuju"], kept)
    assert [row.run_id for row in repository.findings()] == [second.id] * 3 + [first.id]
    assert [row.finding for row in repository.findings(run_id=second.id)] == kept
    assert [row.finding for row in repository.findings(outcome=Outcome.NOTICE)] == [kept[1]]
    assert [row.finding for row in repository.findings(check="ipv6")] == [kept[2]]
    assert [row.run_id for row in repository.findings(state=PENDING)] == [first.id]
    assert [row.finding for row in repository.findings(limit=2)] == kept[:2]
    assert repository.findings(unit_id="nobody") == []


def test_a_fault_has_a_history(repository: Repository) -> None:
    days = [DAY - timedelta(days=back) for back in (5, 2, 0)]
    for day in days:
        repository.replace_findings(begin(repository, day=day).id, ["jiaoyuju"], [finding()])
    spot = begin(repository, kind=RunKind.SPOT)
    repository.replace_findings(
        spot.id, ["jiaoyuju"], [finding(outcome=Outcome.NOTICE), finding("http://portal.test/b")]
    )
    newest = repository.findings(run_id=spot.id)[0]
    stored, history = repository.finding(newest.id)
    assert stored == newest
    assert (stored.first_seen, stored.last_seen) == (days[0], DAY)
    assert [(seen.day, seen.kind, seen.outcome) for seen in history] == [
        (DAY, RunKind.SPOT, Outcome.NOTICE),
        (DAY, RunKind.NIGHTLY, Outcome.FAIL),
        (days[1], RunKind.NIGHTLY, Outcome.FAIL),
        (days[0], RunKind.NIGHTLY, Outcome.FAIL),
    ]


def test_days_seen_count_nights_once_and_only_faults(repository: Repository) -> None:
    def judged(back: int, kind: RunKind, *found: Finding) -> None:
        run = begin(repository, day=DAY - timedelta(days=back), kind=kind)
        repository.replace_findings(run.id, ["jiaoyuju", "caizhengju"], found)

    fault = finding()
    judged(0, RunKind.NIGHTLY, fault, fault)
    judged(0, RunKind.NIGHTLY, fault)
    judged(1, RunKind.SPOT, fault)
    judged(1, RunKind.NIGHTLY, replace(fault, outcome=Outcome.INCONCLUSIVE))
    judged(2, RunKind.NIGHTLY, fault, finding(unit_id="caizhengju"))
    judged(3, RunKind.NIGHTLY, fault)
    since = DAY - timedelta(days=2)
    assert repository.seen_days(["jiaoyuju"], since, DAY) == {fault.fingerprint: {DAY, since}}
    assert repository.seen_days(["jiaoyuju"], since, DAY - timedelta(days=1)) == {fault.fingerprint: {since}}
    assert set(repository.seen_days(["jiaoyuju", "caizhengju"], since, DAY)) == {
        fault.fingerprint,
        finding(unit_id="caizhengju").fingerprint,
    }
    assert repository.seen_days([], since, DAY) == {}


def test_a_thousand_findings_are_one_replacement(repository: Repository) -> None:
    run_id = begin(repository).id
    many = [finding(f"http://portal.test/{n}") for n in range(2000)]
    repository.replace_findings(run_id, ["jiaoyuju"], many)
    repository.attach_screenshot(run_id, [made.fingerprint for made in many], SOMEWHERE)
    assert all(row.finding.screenshot == SOMEWHERE for row in repository.findings(run_id))
    assert len(repository.findings(run_id)) == 2000


# ---------------------------------------------------------------- scores


BOUND = (BoundCheck("open_attribute", Decimal("1.50")), BoundCheck("ipv6", Decimal(1), ("aaaa", "reach")))


def score(unit_id: str = "jiaoyuju", value: str | None = "87.50", **changes: object) -> UnitScore:
    made = UnitScore(
        unit_id=unit_id,
        kind=UnitKind.DEPARTMENT,
        day=DAY,
        rules_version="2026.1",
        state=ScoreState.WITHHELD if value is None else ScoreState.PUBLISHED,
        score=None if value is None else Decimal(value),
        coverage=Decimal("0.9712345678901234567890"),
        verdict=None if value is None else Verdict.UNQUALIFIED,
        vetoes=(VetoHit("empty", "空白栏目", 5, ("http://portal.test/a", "http://portal.test/b")),),
        indicators=(
            IndicatorScore("1.3", Decimal("3"), Decimal("0.8"), Decimal("1"), BOUND),
            IndicatorScore("5.2", Decimal("3.0"), None, None, ()),
        ),
        checks=(),
        pending=(),
        reasons=("覆盖率不足",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def exact(scores: list[UnitScore]) -> list[str]:
    return [repr(made) for made in scores]


def test_scores_come_back_digit_for_digit(repository: Repository) -> None:
    run = begin(repository)
    kept = [score("caizhengju", None), score()]
    repository.save_scores(run.id, kept)
    stored = repository.scores_of_run(run.id)
    assert exact([row.score for row in stored]) == exact(kept)
    assert [row.published for row in stored] == [False, False]


def test_verdicts_on_sites_come_back_and_are_replaced(repository: Repository) -> None:
    run = begin(repository)
    vetoed = VetoHit("empty", "空白栏目", 5, ("http://portal.test/a",))
    kept = [
        SiteVerdict("jyj", DAY, None, (), Decimal("0.25")),
        SiteVerdict("portal", DAY, Verdict.UNQUALIFIED, (vetoed,), Decimal("0.9")),
    ]
    repository.save_site_verdicts(run.id, [replace(kept[0], verdict=Verdict.QUALIFIED), kept[1]])
    repository.save_site_verdicts(run.id, kept)
    assert repository.site_verdicts(run.id) == kept
    with pytest.raises(RunNotFound):
        repository.site_verdicts(run.id + 1)


def test_targets_are_counted_by_indicator(repository: Repository) -> None:
    run = begin(repository)
    targets = tuple(
        TargetResult("open_attribute", f"http://portal.test/{n}", "", state, Decimal(1), ())
        for n, state in enumerate((TargetState.PASSED, TargetState.PASSED, TargetState.PENDING))
    )
    items = tuple(
        TargetResult("ipv6", "portal.test", item, TargetState.FAILED, Decimal(1), ()) for item in ("aaaa", "delegation")
    )
    checks = (CheckResult("open_attribute", Decimal(1), Decimal(1), targets), CheckResult("ipv6", None, None, items))
    repository.save_scores(run.id, [score(checks=checks)])
    [stored] = repository.scores_of_run(run.id)
    assert stored.counts["1.3"] == {
        TargetState.PASSED: 2,
        TargetState.FAILED: 1,
        TargetState.PENDING: 1,
        TargetState.UNJUDGED: 0,
    }
    assert set(stored.counts["5.2"].values()) == {0}


def test_scoring_again_replaces(repository: Repository) -> None:
    run = begin(repository)
    repository.save_scores(run.id, [score(), score("caizhengju")])
    again = score(value="90.00", indicators=())
    repository.save_scores(run.id, [again])
    assert exact([row.score for row in repository.scores_of_run(run.id)]) == exact([score("caizhengju"), again])


def test_one_score_a_unit_and_day_is_published(repository: Repository) -> None:
    first, second = begin(repository), begin(repository)
    for run, value in ((first, "80.00"), (second, "90.00")):
        repository.save_scores(run.id, [score(value=value)])
        repository.publish(run.id, DAY, [score(value=value)])
    [stored] = repository.scores(DAY)
    assert (stored.run_id, stored.score.score, stored.published) == (second.id, Decimal("90.00"), True)
    assert [row.published for row in repository.scores_of_run(first.id)] == [False]


def test_a_withheld_score_never_displaces_a_published_one(repository: Repository) -> None:
    first, second = begin(repository), begin(repository)
    for run, value in ((first, "80.00"), (second, None)):
        repository.save_scores(run.id, [score(value=value), score("caizhengju", None)])
        repository.publish(run.id, DAY, [score(value=value), score("caizhengju", None)])
    assert [(row.score.unit_id, row.run_id, row.published) for row in repository.scores(DAY)] == [
        ("caizhengju", second.id, False),
        ("jiaoyuju", first.id, True),
    ]


def test_a_year_holds_what_counts_and_the_days_without_a_score(repository: Repository) -> None:
    nights = {DAY - timedelta(days=2): "80.00", DAY - timedelta(days=1): None, DAY: "90.00"}
    for day, value in nights.items():
        run = begin(repository, day=day)
        kept = [replace(score(value=value), day=day)]
        repository.save_scores(run.id, kept)
        repository.publish(run.id, day, kept)
    spot = begin(repository, kind=RunKind.SPOT)
    repository.save_scores(spot.id, [score(value="10.00")])
    left = repository.year(DAY - timedelta(days=2), DAY)["jiaoyuju"]
    assert left.published == [DAY - timedelta(days=2), DAY]
    assert left.withheld == [DAY - timedelta(days=1)]
    assert left.values == {"1.3": dict.fromkeys(left.published, Decimal("0.8"))}
    assert left.vetoes == {"empty": dict.fromkeys(left.published, "空白栏目")}
    assert repository.year(DAY + timedelta(days=1), DAY + timedelta(days=9)) == {}


def test_an_older_run_that_ends_late_never_displaces_a_newer_one(repository: Repository) -> None:
    older, newer = begin(repository), begin(repository)
    for run, value in ((newer, "90.00"), (older, "80.00")):
        repository.save_scores(run.id, [score(value=value)])
        repository.publish(run.id, DAY, [score(value=value)])
    assert [(row.run_id, row.published) for row in repository.scores(DAY)] == [(newer.id, True)]


def test_scores_of_a_day_default_to_the_last(repository: Repository) -> None:
    assert repository.scores() == []
    for day in (DAY - timedelta(days=1), DAY):
        run = begin(repository, day=day)
        repository.save_scores(run.id, [score(day=day)])
        repository.publish(run.id, day, [score(day=day)])
    later = begin(repository, day=DAY + timedelta(days=1))
    repository.save_scores(later.id, [score(day=later.day)])  # not published yet
    assert [row.score.day for row in repository.scores()] == [DAY]
    assert repository.scores(DAY + timedelta(days=1)) == []


@pytest.mark.parametrize("kind", [RunKind.RESCORE, RunKind.SPOT])
def test_a_what_if_or_a_spot_check_is_not_the_score_of_a_day(repository: Repository, kind: RunKind) -> None:
    run = begin(repository, kind=kind)
    repository.save_scores(run.id, [score(), score("caizhengju", None)])
    assert repository.scores(DAY) == repository.scores() == []
    repository.publish(run.id, DAY, [score()])
    assert [row.run_id for row in repository.scores(DAY)] == [run.id]


# ---------------------------------------------------------------- several writers

WRITER = """
import sys
from dataclasses import replace
from storage.database import open_database
from storage.repository import CONFIRMED, PENDING, Repository
from tests.storage.test_repository import CAPTURES, VISITS, PROBES, RunState
url, run_id, site = sys.argv[1], int(sys.argv[2]), sys.argv[3]
repository = Repository(open_database(url))
repository.set_site_state(run_id, site, RunState.RUNNING)
for n in range(20):
    mine = [replace(CAPTURES[1], site_id=site, url=f"http://{site}.test/{n}/{m}") for m in range(50)]
    shared = replace(CAPTURES[0], site_id="shared", url=f"http://shared.test/{n}")
    repository.add_captured(run_id, [*mine, shared], [replace(VISITS[0], site_id=site, url=c.url) for c in mine])
repository.set_site_state(run_id, site, RunState.CAPTURED)
"""


def test_several_processes_write_at_once(database_url: str) -> None:
    database = open_database(database_url)
    upgrade(database)
    repository = Repository(database)
    run_id = begin(repository, site_ids=["one", "two"]).id
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, database_url, str(run_id), site]) for site in ("one", "two")
    ]
    for _ in range(50):
        repository.count_captures(run_id)
    assert [writer.wait() for writer in writers] == [0, 0]
    for site in ("one", "two"):
        assert len(repository.captures(run_id, site)) == 1000
        assert len(repository.visits(run_id, site)) == 1000
        assert repository.site_states(run_id)[site].state is RunState.CAPTURED
    assert len(repository.captures(run_id, "shared")) == 20
    database.close()


def test_a_database_can_be_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    database = open_database(url)
    upgrade(database)
    run = begin(Repository(database))
    database.close()
    assert Repository(open_database(url)).run(run.id) == run
