"""年度汇总: a small year reckoned by hand, and what holds for any year."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import load
from config.schema import Duty, Indicator, Indicators, Unit, UnitKind
from fixtures.district.world import CONFIG_FOLDER
from scoring.annual import Annual, Deduction, Mark, Status, UnitYear, VetoCost, roll_up, rounded
from scoring.frozen import annual_of, document_of

FIRST = date(2026, 3, 2)


def row(identifier: str, points: int, share: str, **extra: object) -> Indicator:
    words = dict.fromkeys(("group", "title", "content", "method", "evaluated"), "文字")
    return Indicator(id=identifier, points=points, site_share=share, **{**words, **extra})


INDICATORS = Indicators(
    year=2026,
    title="评分表",
    document_number="〔2026〕1号",
    issued=date(2026, 1, 5),
    total=Decimal(20),
    indicators=(row("A", 3, "0.5"), row("B", 8, "1"), row("C", 7, "0"), row("D", 2, "0.5", duty="planning")),
)
PLANNING = Duty(id="planning", name="规划").id


def days(*values: str) -> dict[date, Decimal]:
    return {FIRST + timedelta(days=number): Decimal(value) for number, value in enumerate(values)}


def marks(**points: str | tuple[str, ...]) -> dict[str, tuple[Mark, ...]]:
    listed = {key: (value,) if isinstance(value, str) else value for key, value in points.items()}
    return {key: tuple(Mark(f"第{n}组", Decimal(v)) for n, v in enumerate(values)) for key, values in listed.items()}


def unit(identifier: str, kind: UnitKind = UnitKind.DEPARTMENT, *duties: str) -> Unit:
    return Unit(id=identifier, name=identifier, kind=kind, duties=duties)


PUBLISHED = tuple(days("1", "1", "1"))
X = UnitYear(
    unit("x", UnitKind.DEPARTMENT, PLANNING),
    daily={"A": days("0.8", "0.6"), "B": days("1", "0.5", "0.75"), "D": days("1")},
    published=PUBLISHED,
    marks=marks(A="2.5", C=("6", "7"), D="1"),
)
Y = UnitYear(
    unit("y"),
    daily={"A": days("1", "1"), "B": days("0.5")},
    published=PUBLISHED,
    marks=marks(A="3", C="5"),
)
Z = UnitYear(
    unit("z", UnitKind.TOWNSHIP, PLANNING),
    daily={"A": days("0.5"), "B": days("1"), "D": days("0.5")},
    published=PUBLISHED,
    marks=marks(A="1", C="7", D="1"),
    deductions=(Deduction("B", Decimal(1), "市政府办通报第3期"),),
)


def totals(annual: Annual) -> dict[str, tuple[Decimal, int]]:
    return {result.unit_id: (result.total, result.rank) for result in annual.units}


def test_a_small_year_by_hand() -> None:
    """X: 1.05 + 1.25, 8 × 0.75, 6.5, 1 + 0.5. Y: 3, 4, 5, mean of 1.5 and 1. Z: 1.25, 8 − 1, 7, 0.5 + 0.5."""
    annual = roll_up(INDICATORS, [X, Y, Z])
    finals = {r.unit_id: [str(rounded(i.final)) for i in r.indicators if i.final is not None] for r in annual.units}
    assert finals == {
        "x": ["2.30", "6.00", "6.50", "1.50"],
        "y": ["3.00", "4.00", "5.00", "1.25"],
        "z": ["1.25", "7.00", "7.00", "1.00"],
    }
    assert totals(annual) == {"x": (Decimal("16.30"), 1), "y": (Decimal("13.25"), 2), "z": (Decimal("16.25"), 1)}
    assert annual.status is Status.FINAL
    assert [i.formula for i in annual.units[0].indicators][:3] == [
        "3 × 0.5 × 0.7 + 0.5 × 2.5",
        "8 × 1 × 0.75",
        "1 × 6.5",
    ]


def only(year: UnitYear, indicator: str) -> tuple[Fraction | None, str]:
    other = replace(X, unit=unit("other", UnitKind.DEPARTMENT, PLANNING))
    result = roll_up(INDICATORS, [year, other]).units[0]
    found = next(i for i in result.indicators if i.id == indicator)
    return found.final, found.missing


@pytest.mark.parametrize(
    ("year", "indicator", "final", "missing"),
    [
        (replace(X, marks=marks(C="6", D="1")), "A", None, "缺考核组评分"),
        (replace(X, daily={}, published=()), "B", None, "没有可用的日常检查结果"),
        (replace(X, daily={}, published=()), "A", None, "没有可用的日常检查结果"),
        # the site never had anything of the row to show: people judge it alone
        (replace(X, daily={"B": days("1")}), "A", Fraction("2.5"), ""),
        # 日常工作: half from rectification on time; a mark overrules both
        (replace(X, rectified=Decimal("0.5")), "B", Fraction(5), ""),
        (replace(X, marks=marks(A="1", B="7", C="1", D="1")), "B", Fraction(7), ""),
        # circulars down to zero, not below
        (replace(X, deductions=(Deduction("B", Decimal(9), "通报"),)), "B", Fraction(0), ""),
        (replace(X, marks=marks(A="2.5", D="1"), not_assessed={"C": ("第1组",)}), "C", Fraction("6.5"), ""),
    ],
)
def test_an_indicator(year: UnitYear, indicator: str, final: Fraction | None, missing: str) -> None:
    found, told = only(year, indicator)
    assert found == final
    assert missing in told
    assert bool(missing) is bool(told)


def test_what_is_missing_makes_the_year_provisional_and_the_mean_of_others_wait() -> None:
    annual = roll_up(INDICATORS, [replace(X, marks={}), Y, Z])
    assert annual.status is Status.PROVISIONAL
    assert "平均值算不出" in " ".join(annual.units[1].missing)


def test_vetoes_cost_their_points_once_and_never_below_nothing() -> None:
    veto = VetoCost("home", "首页不更新", Decimal(2), PUBLISHED)
    assert totals(roll_up(INDICATORS, [replace(X, vetoes=(veto,))]))["x"][0] == Decimal("14.30")
    whole = replace(veto, points=Decimal(90))
    assert totals(roll_up(INDICATORS, [replace(X, vetoes=(whole,))]))["x"][0] == 0


def test_ties_share_a_rank_and_kinds_are_ranked_apart() -> None:
    twin = replace(X, unit=unit("twin", UnitKind.DEPARTMENT, PLANNING))
    ranks = {key: place for key, (_, place) in totals(roll_up(INDICATORS, [X, twin, Y, Z])).items()}
    assert ranks == {"x": 1, "twin": 1, "y": 3, "z": 1}


def test_each_unit_of_the_district_has_a_table_of_a_hundred_points() -> None:
    configuration = load(CONFIG_FOLDER)
    annual = roll_up(configuration.indicators_for(2020), [UnitYear(unit) for unit in configuration.inventory.units])
    assert {sum(row.points for row in result.indicators) for result in annual.units} == {Decimal(100)}


# ---------------------------------------------------------------- what holds for any year

SHARE = st.decimals(min_value=0, max_value=1, places=4)
YEARS = st.builds(
    lambda values, points, duties, kind: (values, points, duties, kind),
    st.fixed_dictionaries({key: st.lists(SHARE, min_size=1, max_size=5) for key in "ABD"}),
    st.fixed_dictionaries({"A": st.integers(0, 3), "C": st.integers(0, 7), "D": st.integers(0, 2)}),
    st.booleans(),
    st.sampled_from(UnitKind),
)


def made(number: int, drawn: tuple[dict[str, list[Decimal]], dict[str, int], bool, UnitKind]) -> UnitYear:
    values, points, bears, kind = drawn
    points = points if bears else {key: value for key, value in points.items() if key != "D"}
    return UnitYear(
        unit(f"unit{number}", kind, *([PLANNING] if bears else [])),
        daily={key: days(*map(str, listed)) for key, listed in values.items()},
        published=PUBLISHED,
        marks=marks(**{key: str(value) for key, value in points.items()}),
    )


@given(st.lists(YEARS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_sums_stay_in_bounds_and_the_order_of_units_does_not_matter(drawn, random) -> None:
    years = [made(number, each) for number, each in enumerate(drawn)]
    annual = roll_up(INDICATORS, years)
    assert all(0 <= result.exact <= 20 for result in annual.units)
    shuffled = years.copy()
    random.shuffle(shuffled)
    assert totals(roll_up(INDICATORS, shuffled)) == totals(annual)


@given(st.lists(YEARS, min_size=2, max_size=6))
def test_a_duty_that_does_not_concern_a_unit_gives_it_the_mean_of_those_it_does(drawn) -> None:
    annual = roll_up(INDICATORS, [made(number, each) for number, each in enumerate(drawn)])
    rows = [next(i for i in result.indicators if i.id == "D") for result in annual.units]
    assessed = [found.final for found in rows if not found.na]
    if assessed:
        mean = sum(assessed, Fraction(0)) / len(assessed)
        assert all(found.final == mean for found in rows if found.na)


@given(YEARS, st.sampled_from("ABD"), SHARE)
def test_no_unit_gains_by_failing_more(drawn, key, worse) -> None:
    values, points, _, kind = drawn
    better = made(1, (values, points, True, kind))
    lowered = {**values, key: [min(value, worse) for value in values[key]]}
    assert roll_up(INDICATORS, [made(1, (lowered, points, True, kind))]).units[0].exact <= (
        roll_up(INDICATORS, [better]).units[0].exact
    )


def drawn_years(drawn) -> list[UnitYear]:
    return [made(number, each) for number, each in enumerate(drawn)]


def row_of(annual: Annual, number: int, key: str):
    return next(found for found in annual.units[number].indicators if found.id == key)


def test_a_circular_against_a_row_that_is_no_more_is_wanting_and_not_dropped() -> None:
    gone = Deduction("E", Decimal(1), "第3期通报")
    (unit,) = roll_up(INDICATORS, [replace(X, deductions=(gone,))]).units
    assert unit.missing == ("E：本单位的指标表里没有这一行，第3期通报无处扣 1 分，须更正通报扣分表",)


def test_a_sum_by_hand_agrees_with_the_formula() -> None:
    marks = tuple(Mark(name, Decimal(points)) for name, points in (("一", "2.3"), ("二", "2.6"), ("三", "2.8")))
    found = row_of(roll_up(INDICATORS, [replace(X, marks={**X.marks, "C": marks})]), 0, "C")
    assert found.formula == "1 × 2.5667"


@given(st.lists(YEARS, min_size=2, max_size=5), st.decimals(min_value=0, max_value=30, places=1))
def test_deductions_take_points_of_their_own_row_and_unit_down_to_nothing(drawn, points) -> None:
    years = drawn_years(drawn)
    before = roll_up(INDICATORS, years)
    years[0] = replace(years[0], deductions=(Deduction("B", points, "通报"),))
    after = roll_up(INDICATORS, years)
    old, new = row_of(before, 0, "B").final, row_of(after, 0, "B").final
    assert new == max(old - Fraction(points), Fraction(0))
    assert [unit.indicators for unit in before.units[1:]] == [unit.indicators for unit in after.units[1:]]
    assert [i for i in before.units[0].indicators if i.id != "B"] == [
        i for i in after.units[0].indicators if i.id != "B"
    ]


@given(st.lists(YEARS, min_size=2, max_size=6), st.integers(0, 7))
def test_a_correction_changes_only_what_its_inputs_change(drawn, points) -> None:
    """Another mark for C changes C of that unit alone, and nothing of others but their rank."""
    years = drawn_years(drawn)
    before = roll_up(INDICATORS, years)
    years[0] = replace(years[0], marks={**years[0].marks, **marks(C=str(points))})
    after = roll_up(INDICATORS, years)
    changed = {
        (old.unit_id, left.id)
        for old, new in zip(before.units, after.units, strict=True)
        for left, right in zip(old.indicators, new.indicators, strict=True)
        if left != right
    }
    assert changed <= {("unit0", "C")}
    assert [replace(unit, rank=0) for unit in before.units[1:]] == [replace(unit, rank=0) for unit in after.units[1:]]


@given(st.lists(YEARS, min_size=2, max_size=6))
def test_a_unit_excused_by_the_reviewers_gets_the_mean_and_leaves_that_of_the_others_alone(drawn) -> None:
    years = drawn_years(drawn)
    others = [row_of(roll_up(INDICATORS, years), number, "C").final for number in range(1, len(years))]
    given_marks = {key: value for key, value in years[0].marks.items() if key != "C"}
    years[0] = replace(years[0], marks=given_marks, not_assessed={"C": ("第0组",)})
    found = row_of(roll_up(INDICATORS, years), 0, "C")
    assert found.na
    assert found.final == sum(others, Fraction(0)) / len(others)


@pytest.mark.parametrize(
    ("year", "indicator", "said"),
    [
        (replace(X, not_assessed={"A": ("第1组",)}), "A", "说法不一（未涉及：第1组；评分：第0组 2.5 分）"),
        (replace(X, marks=marks(A="3.5", C="6", D="1")), "A", "评分高于分值 3 分（第0组 3.5 分）"),
        (replace(Y, marks=marks(A="3", C="5", D="2")), "D", "却有评分或通报扣分（第0组 2 分）"),
        (replace(Y, deductions=(Deduction("D", Decimal(1), "第3期"),)), "D", "却有评分或通报扣分（第3期）"),
    ],
)
def test_what_people_said_that_cannot_all_be_true_holds_the_year_up(year: UnitYear, indicator: str, said: str) -> None:
    final, missing = only(year, indicator)
    assert final is None
    assert said in missing


def test_a_row_that_concerns_nobody_has_no_mean() -> None:
    assert "没有一个单位评了这一行" in " ".join(roll_up(INDICATORS, [Y]).units[0].missing)


def test_a_row_tells_what_it_rests_on() -> None:
    deduction = Deduction("A", Decimal(9), "第3期")
    found = row_of(roll_up(INDICATORS, [replace(X, deductions=(deduction,), uninspected=(FIRST,))]), 0, "A")
    assert (found.days, found.marks, found.deductions, found.share) == (2, X.marks["A"], (deduction,), Fraction(1, 2))
    assert found.formula.endswith("，通报扣 9 分（扣完为止）")


@given(st.lists(YEARS, min_size=1, max_size=4), st.booleans())
def test_a_frozen_year_comes_back_to_the_last_digit(drawn, rectified) -> None:
    years = [
        replace(
            year,
            vetoes=(VetoCost("home", "首页不更新", Decimal("0.50"), PUBLISHED),),
            rectified=Decimal(1) / Decimal(3) if rectified else None,
            withheld=(FIRST,),
            deductions=(Deduction("B", Decimal("1.0"), "通报"),),
        )
        for year in drawn_years(drawn)
    ]
    annual = roll_up(INDICATORS, years)
    assert annual_of(json.loads(json.dumps(document_of(annual)))) == annual
