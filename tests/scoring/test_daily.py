"""Daily scores, case by case: shares, coverage, the floor, what waits, vetoes, reasons."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from checks.model import Outcome
from config.rules import CheckRule
from config.schema import Binding, Unit, UnitKind
from scoring.model import ScoreState, TargetState, Verdict
from scoring.review import Rulings
from tests.scoring.conftest import DAY, INDICATORS, RULES, UNIT, finding, row

PASS, FAIL, NOTICE, NA = Outcome.PASS, Outcome.FAIL, Outcome.NOTICE, Outcome.NOT_APPLICABLE
UNCERTAIN = [Outcome.INCONCLUSIVE, Outcome.NOT_TESTED, Outcome.ERROR]


def pages(check, **counts):
    return [finding(check, f"{check}/{kind}/{n}", kind) for kind, count in counts.items() for n in range(count)]


def indicator(score, identifier):
    return next(entry for entry in score.indicators if entry.id == identifier)


def check_of(score, identifier):
    return next(entry for entry in score.checks if entry.check == identifier)


def test_a_score_is_the_points_weighted_mean_of_rows_which_are_the_weighted_means_of_checks(score):
    result = score(
        *pages("open_attribute", PASS=3, FAIL=1),  # 0.75, weight 2
        *pages("document_metadata", FAIL=2),  # 0, weight 1 → row 0.5 of 3 points
        *pages("ipv6", PASS=1),  # 1, weight 1
        *pages("column_freshness", PASS=1, FAIL=1),  # 0.5, weight 3 → row 0.625 of 8 points
    )
    assert indicator(result, "documents").value == Decimal("0.5")
    assert indicator(result, "site").value == Decimal("0.625")
    assert result.score == Decimal("59.09")  # 100 × (1.5 + 5) ÷ 11 = 59.0909…
    assert (result.state, result.published, result.coverage) == (ScoreState.PUBLISHED, True, 1)
    assert (result.unit_id, result.kind, result.day, result.rules_version) == (
        "jiaoyuju",
        UnitKind.DEPARTMENT,
        DAY,
        "t1",
    )


def test_rows_without_checks_or_for_other_kinds_of_unit_are_left_out(score):
    result = score(*pages("open_attribute", PASS=1), *pages("standard_catalog", FAIL=9))
    assert [entry.id for entry in result.indicators] == ["documents", "site"]
    assert result.score == 100
    township = Unit(id="zhen", name="小河镇", kind=UnitKind.TOWNSHIP)
    assert score(*pages("standard_catalog", FAIL=9), unit=township).score == 0


def test_a_row_for_bearers_of_a_duty_counts_for_them_only(score):
    table = INDICATORS.model_copy(update={"indicators": (row("market", 3, {"ipv6": 1}, duty="market"),)})
    bearer = UNIT.model_copy(update={"duties": ("market",)})
    assert score(*pages("ipv6", PASS=1), indicators=table).state is ScoreState.NOT_APPLICABLE
    assert score(*pages("ipv6", PASS=1), indicators=table, unit=bearer).score == 100


def test_a_row_takes_only_the_items_that_its_binding_names(score):
    def part(identifier, *items):
        binding = Binding(check="ipv6", items=items)
        return row(identifier, 2, {}).model_copy(update={"checks": (binding,)})

    parts = (part("4.1", "4.1:"), part("4.2", "4.2:", "4.3"), part("4.4", "4.4:"), part("all"))
    table = INDICATORS.model_copy(update={"indicators": parts})
    outcomes = {"4.1:plan": PASS, "4.1:park": FAIL, "4.2:debt": FAIL, "4.3": PASS, "4.3:trade": PASS, "4.5": FAIL}
    result = score(*(finding("ipv6", "unit", seen, item=item) for item, seen in outcomes.items()), indicators=table)
    values = {entry.id: entry.value for entry in result.indicators}
    third = Decimal(2) / Decimal(3)
    assert values == {"4.1": Decimal("0.5"), "4.2": third, "4.4": None, "all": Decimal("0.5")}
    assert [bound.items for entry in result.indicators for bound in entry.weights][:2] == [("4.1:",), ("4.2:", "4.3")]


def test_only_the_items_that_a_row_takes_are_blamed_for_missing_coverage(score):
    binding = Binding(check="ipv6", items=("4.1:",))
    table = INDICATORS.model_copy(update={"indicators": (row("4.1", 2, {}).model_copy(update={"checks": (binding,)}),)})
    unread = [finding("ipv6", item, Outcome.ERROR, item=item, observed=item) for item in ("4.1:park", "4.2:debt")]
    told = "".join(score(*unread, indicators=table).reasons)
    assert "4.1:park" in told
    assert "4.2:debt" not in told


@pytest.mark.parametrize("outcome", UNCERTAIN)
def test_what_cannot_be_judged_leaves_the_count_and_lowers_coverage(score, outcome):
    result = score(*pages("column_freshness", PASS=3, FAIL=1), finding("column_freshness", "blocked", outcome))
    assert check_of(result, "column_freshness").value == Decimal("0.75")
    assert result.coverage == Decimal("0.8")
    assert result.score == 75


@pytest.mark.parametrize("outcome", [NOTICE, NA])
def test_notices_and_what_is_not_applicable_change_nothing(score, outcome):
    seen = pages("open_attribute", PASS=1, FAIL=1)
    extra = [finding("open_attribute", "news", outcome), finding("open_attribute", seen[0].target, outcome)]
    assert score(*seen, *extra) == score(*seen)


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([PASS, FAIL], TargetState.FAILED),
        ([FAIL, Outcome.INCONCLUSIVE], TargetState.FAILED),
        ([PASS, Outcome.INCONCLUSIVE], TargetState.UNJUDGED),
        ([PASS, NOTICE, NA], TargetState.PASSED),
        ([PASS, PASS], TargetState.PASSED),
    ],
)
def test_the_findings_on_one_target_come_to_one_state(score, outcomes, state):
    result = score(*(finding("open_attribute", "a", outcome, reason=f"r{n}") for n, outcome in enumerate(outcomes)))
    assert [target.state for target in check_of(result, "open_attribute").targets] == [state]


def test_items_of_one_target_are_judged_each_with_its_weight(score):
    items = [finding("ipv6", "host", item="aaaa", weight=Decimal(3)), finding("ipv6", "host", FAIL, item="links")]
    assert check_of(score(*items), "ipv6").value == Decimal("0.75")


def test_a_target_weighs_what_its_weightiest_finding_weighs(score):
    heavy = finding("ipv6", "host", FAIL, weight=Decimal(3))
    light = finding("ipv6", "host", FAIL, reason="other", weight=Decimal(0))
    assert score(*pages("ipv6", PASS=1), heavy, light).score == 25


def test_the_floor_itself_is_enough_and_a_hair_below_is_not(score):
    thirds = [finding("ipv6", str(n), weight=Decimal(1) / 3) for n in range(12)]
    blocked = [finding("ipv6", f"b{n}", Outcome.INCONCLUSIVE, weight=Decimal(1) / 3) for n in range(3)]
    assert score(*thirds, *blocked).coverage == Decimal("0.8")
    assert score(*thirds, *blocked).published
    below = score(*thirds, *blocked, finding("ipv6", "b3", Outcome.ERROR, weight=Decimal("1e-20")))
    assert (below.published, below.score, below.state) == (False, None, ScoreState.WITHHELD)
    assert below.reasons[0] == "覆盖率 79.99% 低于下限 80%，当日不发布分数"


def test_coverage_is_weighted_by_points_like_the_score(score):
    result = score(*pages("open_attribute", PASS=1), *pages("ipv6", PASS=1, INCONCLUSIVE=1))
    assert result.coverage.quantize(Decimal("0.0001")) == Decimal("0.6364")  # (3 × 1 + 8 × 0.5) ÷ 11


def test_a_withheld_score_names_the_pages_and_the_causes_in_bounds(score):
    blocked = [
        finding("column_freshness", f"http://a/{n}", "INCONCLUSIVE", observed="页面被防护系统拦截。") for n in range(9)
    ]
    others = [finding("ipv6", f"h{n}", "NOT_TESTED", observed=f"原因{n}") for n in range(7)]
    broken = [finding("open_attribute", "http://a/doc", "ERROR")]
    result = score(*blocked, *others, *broken)
    assert (result.score, result.published, result.verdict) == (None, False, None)
    assert result.reasons[1] == "页面被防护系统拦截：http://a/0、http://a/1、http://a/2 等 9 个"
    assert len(result.reasons) == 7
    assert result.reasons[-1] == "还有 4 种原因，涉及 4 个页面"
    assert score(*broken).reasons[1] == "检查程序出错：http://a/doc"


def test_a_cause_in_a_check_that_does_not_bear_on_the_score_is_not_blamed(score):
    result = score(
        finding("ipv6", "host", "ERROR"), finding("site_identity", "home", "INCONCLUSIVE", observed="与分数无关")
    )
    assert not any("与分数无关" in sentence for sentence in result.reasons)


def test_nothing_applicable_is_not_a_zero(score):
    for findings in ([], pages("open_attribute", NOT_APPLICABLE=4, NOTICE=1)):
        result = score(*findings)
        assert (result.state, result.score, result.verdict) == (ScoreState.NOT_APPLICABLE, None, None)
        assert result.reasons == ("没有一项检查适用于本单位，不评分（不是零分）",)


def test_one_error_and_nothing_else_is_withheld_not_zero(score):
    result = score(finding("ipv6", "host", Outcome.ERROR))
    assert (result.state, result.score, result.coverage) == (ScoreState.WITHHELD, None, 0)


def test_targets_and_checks_of_no_weight_do_not_divide_by_zero(score):
    weightless = finding("ipv6", "host", FAIL, weight=Decimal(0))
    assert score(weightless).state is ScoreState.NOT_APPLICABLE
    silenced = RULES.model_copy(
        update={"checks": RULES.checks.model_copy(update={"open_attribute": CheckRule(weight=Decimal(0))})}
    )
    result = score(*pages("open_attribute", FAIL=2), *pages("document_metadata", PASS=1), rules=silenced)
    assert (result.score, check_of(result, "open_attribute").value) == (100, 0)
    assert score(*pages("open_attribute", FAIL=2), rules=silenced).state is ScoreState.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("passing", "failing", "expected"), [(1, 2, "33.33"), (2, 1, "66.67"), (1, 799, "0.13"), (1, 7, "12.50")]
)
def test_scores_round_half_up_to_two_places(score, passing, failing, expected):
    assert str(score(*pages("ipv6", PASS=passing, FAIL=failing)).score) == expected


# ---------------------------------------------------------------- waiting for confirmation

DOWN = finding("ipv6", "host", FAIL, reason="unreachable_v6")


def test_a_fault_of_the_networks_mood_waits_and_lowers_coverage(score):
    result = score(DOWN, *pages("column_freshness", PASS=1))
    assert check_of(result, "ipv6").targets[0].state is TargetState.PENDING
    assert (check_of(result, "ipv6").value, check_of(result, "ipv6").coverage) == (None, 0)
    assert result.pending == (DOWN,)
    assert "另有 1 个问题待确认，未计分" in result.reasons
    assert "问题待确认：host" in result.reasons


def nights(*back):
    return {DOWN.fingerprint: {DAY - timedelta(days=number) for number in back}}


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        ({}, False),
        (nights(0), False),
        (nights(1), True),
        (nights(2), True),
        (nights(3), False),
        (nights(0, 1, 2), True),
    ],
)
def test_it_counts_once_seen_on_two_of_the_last_three_nights(score, seen, counts):
    result = score(DOWN, *pages("column_freshness", PASS=1), seen=seen)
    assert (check_of(result, "ipv6").count(TargetState.FAILED) == 1) is counts
    assert (result.pending == ()) is counts


def test_it_counts_at_once_when_a_person_confirmed_it(score):
    result = score(DOWN, rulings=Rulings(confirmed={DOWN.fingerprint}))
    assert (result.score, result.pending) == (0, ())


def test_another_fault_on_the_same_target_counts_at_once_and_the_waiting_one_stays_listed(score):
    result = score(DOWN, replace(DOWN, reason="no_aaaa"))
    assert result.score == 0
    assert result.pending == (DOWN,)


def test_the_history_of_another_fault_confirms_nothing(score):
    other = replace(DOWN, target="other")
    assert score(DOWN, seen={other.fingerprint: {DAY - timedelta(days=1)}}).pending == (DOWN,)


# ---------------------------------------------------------------- vetoes


def stale(column):
    return finding("column_freshness", f"http://a/{column}", FAIL, column_id=column)


def test_a_veto_makes_the_verdict_and_leaves_the_score(score):
    result = score(*pages("ipv6", PASS=1), finding("home_freshness", "http://a/", FAIL))
    assert (result.verdict, result.score) == (Verdict.UNQUALIFIED, 100)
    assert [(veto.id, veto.targets) for veto in result.vetoes] == [("home", ("http://a/",))]
    assert result.reasons == ("单项否决：首页不更新，1 个（满 1 个即不合格）：http://a/",)


def test_a_veto_counts_columns_of_its_types_only(score):
    one_news = [stale("news0"), stale("notice0"), stale("notice1")]
    assert score(*one_news).verdict is Verdict.QUALIFIED
    assert [veto.id for veto in score(*one_news, stale("news1")).vetoes] == ["news", "columns"]


def test_two_faults_of_one_column_are_one_column(score):
    assert score(stale("news0"), replace(stale("news0"), item="again", reason="other")).vetoes == ()


def test_what_waits_or_cannot_be_judged_vetoes_nothing(score):
    moody = RULES.checks.home_freshness.model_copy(update={"confirm_reasons": ("seen",)})
    rules = RULES.model_copy(update={"checks": RULES.checks.model_copy(update={"home_freshness": moody})})
    assert score(*pages("ipv6", PASS=1), finding("home_freshness", "h", FAIL), rules=rules).verdict is Verdict.QUALIFIED
    assert score(*pages("ipv6", PASS=1), finding("home_freshness", "h", "INCONCLUSIVE")).verdict is Verdict.QUALIFIED


def test_what_is_only_looked_at_again_moves_nothing(score):
    seen = pages("open_attribute", PASS=3, FAIL=1)
    faults = [finding("open_attribute", "old", FAIL), *(stale(f"news{number}") for number in range(4))]
    assert score(*seen, *(replace(fault, weight=Decimal(0)) for fault in faults)) == score(*seen)
    assert score(*seen, *faults).vetoes


def test_a_veto_stands_even_when_too_little_was_seen_for_a_score(score):
    result = score(finding("ipv6", "host", Outcome.ERROR), finding("home_freshness", "http://a/", FAIL))
    assert (result.score, result.verdict) == (None, Verdict.UNQUALIFIED)
