"""What holds for whatever findings a night may bring."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from checks.model import Finding, Outcome
from scoring.daily import daily_score
from scoring.model import ScoreState
from tests.scoring.conftest import DAY, INDICATORS, RULES, UNIT

WEIGHTS = st.one_of(st.just(Decimal(1)), st.decimals(min_value=0, max_value=9, places=3))

FINDINGS = st.lists(
    st.builds(
        Finding,
        check=st.sampled_from(
            ["open_attribute", "document_metadata", "ipv6", "column_freshness", "home_freshness", "standard_catalog"]
        ),
        target=st.sampled_from(["http://a/", "http://a/1", "http://a/2", "http://a/3"]),
        item=st.sampled_from(["", "aaaa"]),
        outcome=st.sampled_from(Outcome),
        reason=st.sampled_from(["seen", "unreachable_v6"]),
        column_id=st.sampled_from([None, "news0", "news1", "notice0"]),
        weight=WEIGHTS,
        unit_id=st.just(UNIT.id),
    ),
    max_size=25,
)

NIGHTS = st.sets(st.sampled_from([DAY - timedelta(days=back) for back in range(5)]))


def daily(findings, nights=frozenset()):
    return daily_score(UNIT, findings, INDICATORS, RULES, {f.fingerprint: nights for f in findings}, DAY)


@given(FINDINGS, NIGHTS)
def test_scores_and_coverage_stay_in_bounds_and_are_published_only_above_the_floor(findings, nights):
    result = daily(findings, nights)
    assert 0 <= result.coverage <= 1
    assert result.published is (result.score is not None)
    assert result.score is None or (0 <= result.score <= 100 and result.coverage >= RULES.coverage_floor)
    for part in (*result.checks, *result.indicators):
        assert part.value is None or 0 <= part.value <= 1
        assert part.coverage is None or 0 <= part.coverage <= 1
    assert len(result.reasons) <= 12


@given(FINDINGS, NIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(findings, nights, random):
    shuffled = findings.copy()
    random.shuffle(shuffled)
    assert daily(findings, nights) == daily(shuffled, nights)


@given(FINDINGS, FINDINGS)
def test_failing_more_never_raises_the_score(findings, more):
    failing = [replace(finding, outcome=Outcome.FAIL) for finding in more]
    before, after = daily(findings), daily(findings + failing)
    assert before.score is None or after.score is None or after.score <= before.score
    assert len(after.vetoes) >= len(before.vetoes)


@given(FINDINGS, FINDINGS, st.sampled_from([Outcome.NOT_APPLICABLE, Outcome.NOTICE]))
def test_what_leaves_the_count_changes_nothing(findings, more, outcome):
    assert daily(findings) == daily(findings + [replace(finding, outcome=outcome) for finding in more])


@given(FINDINGS, FINDINGS, st.sampled_from([Outcome.INCONCLUSIVE, Outcome.NOT_TESTED, Outcome.ERROR]))
def test_failing_to_read_is_never_a_fault(findings, more, outcome):
    unread = [replace(finding, outcome=outcome, target=f"unread/{n}") for n, finding in enumerate(more)]
    before, after = daily(findings), daily(findings + unread)
    assert {check.check: check.value for check in after.checks if check.value is not None} == {
        check.check: check.value for check in before.checks if check.value is not None
    }
    assert after.coverage <= before.coverage
    assert after.vetoes == before.vetoes
    assert after.score in (before.score, None)


@given(FINDINGS)
def test_a_binding_of_every_item_is_a_binding_of_the_check(findings):
    everything = tuple(
        row.model_copy(
            update={"checks": tuple(bound.model_copy(update={"items": ("", "aaaa")}) for bound in row.checks)}
        )
        for row in INDICATORS.indicators
    )
    table = INDICATORS.model_copy(update={"indicators": everything})
    whole, parts = daily(findings), daily_score(UNIT, findings, table, RULES, {}, DAY)
    assert (whole.score, whole.coverage, whole.reasons) == (parts.score, parts.coverage, parts.reasons)
    assert [(row.value, row.coverage) for row in whole.indicators] == [
        (row.value, row.coverage) for row in parts.indicators
    ]


@given(FINDINGS)
def test_nothing_but_what_is_not_applicable_is_never_a_number(findings):
    result = daily([replace(finding, outcome=Outcome.NOT_APPLICABLE) for finding in findings])
    assert (result.state, result.score) == (ScoreState.NOT_APPLICABLE, None)


@given(FINDINGS)
def test_what_waits_today_counts_when_seen_again_tomorrow(findings):
    waiting = daily(findings).pending
    assert all(finding.reason == "unreachable_v6" and finding.check == "ipv6" for finding in waiting)
    assert daily(findings, {DAY - timedelta(days=1)}).pending == ()
