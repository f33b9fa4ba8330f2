"""The life of a fault: every state, every step, and what rulings mean on which day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Finding, Outcome
from scoring.model import TargetState
from scoring.review import (
    OPENING,
    PERSONAL,
    FaultState,
    Rulings,
    Sight,
    Standing,
    Step,
    after,
    allowed,
    episode,
    found,
    involved,
    observation,
    revoked_periods,
    rulings_of,
    seen,
    seen_mended,
    stepped,
)
from tests.scoring.conftest import DAY, finding

S = FaultState
TOMORROW = DAY + timedelta(days=1)


# ---------------------------------------------------------------- people


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (S.PENDING, {Step.CONFIRM, Step.APPEAL, Step.WAIVE}),
        (S.CONFIRMED, {Step.RECTIFY, Step.APPEAL, Step.WAIVE}),
        (S.RECTIFYING, {Step.RECTIFY, Step.APPEAL, Step.WAIVE}),
        (S.UPHELD, {Step.RECTIFY, Step.APPEAL, Step.WAIVE}),
        (S.APPEALED, {Step.UPHOLD, Step.REVOKE}),
        (S.WAIVED, {Step.WAIVE}),
        (S.MENDED, {Step.APPEAL}),
        (S.REVOKED, set()),
    ],
)
def test_what_people_may_do(state: FaultState, steps: set[Step]) -> None:
    assert allowed(state) == steps
    assert allowed(state) <= PERSONAL


@pytest.mark.parametrize("step", sorted(set(Step) - PERSONAL))
def test_the_programs_steps_are_no_persons(step: Step) -> None:
    with pytest.raises(KeyError):
        after(step)


ORDERED = Standing(S.RECTIFYING, "o", deadline=DAY, overdue_since=TOMORROW)


@pytest.mark.parametrize(
    ("step", "until", "standing"),
    [
        (Step.APPEAL, None, replace(ORDERED, state=S.APPEALED)),
        (Step.UPHOLD, None, replace(ORDERED, state=S.UPHELD)),
        (Step.RECTIFY, TOMORROW, Standing(S.RECTIFYING, "o", deadline=TOMORROW)),
        (Step.REVOKE, None, Standing(S.REVOKED, "o")),
        (Step.WAIVE, TOMORROW, Standing(S.WAIVED, "o", waived_until=TOMORROW)),
    ],
)
def test_where_a_step_leaves_the_order_in_force(step: Step, until: date | None, standing: Standing) -> None:
    assert stepped(ORDERED, step, until) == standing


def test_an_appeal_after_it_was_mended_leaves_it_mended_when_it_is_dismissed() -> None:
    appealed = stepped(Standing(S.MENDED, "o"), Step.APPEAL)
    assert seen(appealed, CERTAIN)[0] == seen_mended(appealed)[0] == appealed
    assert stepped(appealed, Step.UPHOLD, mended=True) == Standing(S.MENDED, "o")
    assert stepped(appealed, Step.REVOKE, mended=True) == Standing(S.REVOKED, "o")


# ---------------------------------------------------------------- runs

WAITING, CERTAIN = Sight(TOMORROW, "o", waits=True), Sight(TOMORROW, "o", waits=False)
OTHER = Sight(TOMORROW, "another", waits=False)


@pytest.mark.parametrize(
    ("before", "sight", "step", "state"),
    [
        (Standing(S.PENDING, "o"), WAITING, None, S.PENDING),
        (Standing(S.PENDING, "o"), CERTAIN, Step.SETTLED, S.CONFIRMED),
        (Standing(S.CONFIRMED, "o"), CERTAIN, None, S.CONFIRMED),
        (Standing(S.CONFIRMED, "o"), WAITING, None, S.CONFIRMED),
        (Standing(S.CONFIRMED, "o"), OTHER, None, S.CONFIRMED),
        (Standing(S.MENDED, "o"), CERTAIN, Step.RETURNED, S.CONFIRMED),
        (Standing(S.MENDED, "o"), WAITING, Step.RETURNED, S.PENDING),
        (Standing(S.RECTIFYING, "o", deadline=TOMORROW), CERTAIN, None, S.RECTIFYING),
        (Standing(S.RECTIFYING, "o", deadline=DAY), CERTAIN, Step.OVERDUE, S.RECTIFYING),
        (Standing(S.RECTIFYING, "o", deadline=DAY, overdue_since=DAY), CERTAIN, None, S.RECTIFYING),
        (Standing(S.UPHELD, "o", deadline=DAY), CERTAIN, Step.OVERDUE, S.UPHELD),
        (Standing(S.UPHELD, "o"), CERTAIN, None, S.UPHELD),
        (Standing(S.APPEALED, "o", deadline=DAY), CERTAIN, None, S.APPEALED),
        (Standing(S.APPEALED, "o"), OTHER, None, S.APPEALED),
        (Standing(S.WAIVED, "o", waived_until=TOMORROW), CERTAIN, None, S.WAIVED),
        (Standing(S.WAIVED, "o", waived_until=DAY), CERTAIN, Step.EXPIRED, S.CONFIRMED),
        (Standing(S.WAIVED, "o", waived_until=DAY), WAITING, Step.EXPIRED, S.PENDING),
        (Standing(S.WAIVED, "o", waived_until=TOMORROW), OTHER, Step.CHANGED, S.CONFIRMED),
        (Standing(S.REVOKED, "o"), CERTAIN, None, S.REVOKED),
        (Standing(S.REVOKED, "o"), OTHER, Step.CHANGED, S.CONFIRMED),
    ],
)
def test_what_seeing_a_fault_does(before: Standing, sight: Sight, step: Step | None, state: FaultState) -> None:
    now, moves = seen(before, sight)
    assert [move[0] for move in moves] == ([step] if step else [])
    assert (now.state, now.observation) == (state, sight.observation)
    assert seen(now, sight) == (now, ()), "seen twice is seen once"


@pytest.mark.parametrize("state", list(FaultState))
def test_what_seeing_it_mended_does(state: FaultState) -> None:
    now, moves = seen_mended(Standing(state, "o", deadline=DAY, waived_until=DAY))
    if state in (S.APPEALED, S.REVOKED, S.MENDED):
        assert (now.state, moves) == (state, ())
    else:
        assert now == Standing(S.MENDED, "o")
        assert moves == ((Step.MENDED, now),)


def test_a_fault_begins_as_its_night_calls_it() -> None:
    assert found(WAITING) == (Step.FOUND, Standing(S.PENDING, "o"))
    assert found(CERTAIN) == (Step.FOUND, Standing(S.CONFIRMED, "o"))


# ---------------------------------------------------------------- any life at all


@dataclass(frozen=True)
class Happened:
    """A step as it is recorded."""

    step: Step
    state: FaultState
    day: date
    actor: str = "程序"
    until: date | None = None
    observation: str = "o"
    fingerprint: str = "f"


NIGHT = st.tuples(st.sampled_from("FWPN"), st.sampled_from("ab"))
PERSON = st.tuples(st.sampled_from(sorted(PERSONAL)), st.integers(0, 5))
LIFE = st.lists(st.one_of(NIGHT, PERSON), max_size=40)


def lived(life: list[tuple[str, object]]) -> tuple[Standing | None, list[Happened]]:
    """A day for each entry: a night that sees the fault Failing, Waiting, Passing or Not at all, or a person's step."""
    standing: Standing | None = None
    events: list[Happened] = []
    for number, (what, more) in enumerate(life):
        day = DAY + timedelta(days=number)
        if isinstance(what, Step):
            if standing is None or what not in allowed(standing.state):
                continue
            until = day + timedelta(days=int(str(more))) if what in (Step.RECTIFY, Step.WAIVE) else None
            standing = stepped(standing, what, until)
            events.append(Happened(what, standing.state, day, "张三", until, standing.observation))
            continue
        sight, moves = Sight(day, str(more), waits=what == "W"), ()
        if what in "FW" and standing is None:
            moves = (found(sight),)
            standing = moves[0][1]
        elif what in "FW" and standing is not None:
            standing, moves = seen(standing, sight)
        elif what == "P" and standing is not None:
            standing, moves = seen_mended(standing)
        events += [Happened(step, now.state, day, observation=now.observation) for step, now in moves]
    return standing, events


@given(LIFE)
def test_every_change_of_state_is_an_event(life: list[tuple[str, object]]) -> None:
    standing, events = lived(life)
    assert (standing is None) == (not events)
    if standing is not None:
        assert events[-1].state is standing.state
        assert events[0].step is Step.FOUND
        assert [event.step for event in events].count(Step.FOUND) == 1


@given(LIFE)
def test_an_order_in_force_has_a_deadline_and_a_waiver_a_last_day(life: list[tuple[str, object]]) -> None:
    standing, _ = lived(life)
    if standing is not None:
        assert (standing.deadline is not None) or standing.state is not S.RECTIFYING
        assert (standing.waived_until is not None) == (standing.state is S.WAIVED)
        assert standing.overdue_since is None or (standing.deadline and standing.overdue_since > standing.deadline)


@given(LIFE)
def test_no_fault_is_ruled_waived_and_revoked_at_once_and_rulings_agree_with_the_state(
    life: list[tuple[str, object]],
) -> None:
    standing, events = lived(life)
    for number in range(len(life)):
        ruled = rulings_of(events, DAY + timedelta(days=number))
        assert not set(ruled.waived) & set(ruled.revoked)
    if standing is not None and standing.state is not S.MENDED:
        ruled = rulings_of(events, events[-1].day)
        assert ("f" in ruled.revoked) == (standing.state is S.REVOKED)
        assert ("f" in ruled.waived) == (standing.state is S.WAIVED)


# ---------------------------------------------------------------- rulings by day


def days(*numbers: int) -> list[date]:
    return [DAY + timedelta(days=number) for number in numbers]


def test_a_confirmation_holds_from_its_day_and_ends_with_the_episode() -> None:
    first, second, third = days(0, 3, 6)
    events = [
        Happened(Step.FOUND, S.PENDING, first),
        Happened(Step.CONFIRM, S.CONFIRMED, second, "张三"),
        Happened(Step.MENDED, S.MENDED, third),
        Happened(Step.RETURNED, S.PENDING, third),
    ]
    assert [bool(rulings_of(events, day).confirmed) for day in (first, second, third)] == [False, True, False]


def test_a_revocation_holds_for_the_whole_of_its_episode() -> None:
    first, second, third, fourth = days(0, 3, 6, 9)
    events = [
        Happened(Step.FOUND, S.CONFIRMED, first, observation="a"),
        Happened(Step.APPEAL, S.APPEALED, second, "张三", observation="a"),
        Happened(Step.REVOKE, S.REVOKED, third, "李四", observation="a"),
        Happened(Step.CHANGED, S.CONFIRMED, fourth, observation="b"),
    ]
    for day in (first - timedelta(days=1), first, second):
        assert rulings_of(events, day).revoked == {"f": None}, "whatever was seen then: it was the same fault"
    assert rulings_of(events, third).revoked == {"f": "a"}
    assert rulings_of(events, fourth).revoked == {}
    assert revoked_periods(events) == [(date.min, fourth)]
    again = [
        *events[:1],
        Happened(Step.MENDED, S.MENDED, first),
        Happened(Step.RETURNED, S.CONFIRMED, second),
        *events[1:3],
    ]
    assert revoked_periods(again) == [(second, date.max)]


def test_a_waiver_holds_from_its_day_to_its_last() -> None:
    first, second, third, fourth = days(0, 3, 6, 7)
    waived = Happened(Step.WAIVE, S.WAIVED, second, "张三", third)
    events = [Happened(Step.FOUND, S.CONFIRMED, first), waived]
    assert [bool(rulings_of(events, day).waived) for day in (first, second, third, fourth)] == [
        False,
        True,
        True,
        False,
    ]


def test_whoever_had_a_part_in_the_episode_is_involved_and_nobody_else() -> None:
    events = [
        Happened(Step.FOUND, S.PENDING, DAY),
        Happened(Step.CONFIRM, S.CONFIRMED, DAY, "甲"),
        Happened(Step.MENDED, S.MENDED, DAY),
        Happened(Step.RETURNED, S.PENDING, DAY),
        Happened(Step.CONFIRM, S.CONFIRMED, DAY, "乙"),
        Happened(Step.RECTIFY, S.RECTIFYING, DAY, "丙", DAY),
        Happened(Step.APPEAL, S.APPEALED, DAY, "丁"),
        Happened(Step.UPHOLD, S.UPHELD, DAY, "戊"),
    ]
    assert involved(events) == {"乙", "丙", "丁"}
    assert episode(events)[0].step in OPENING


# ---------------------------------------------------------------- what is seen

FAULT = finding("column_freshness", "栏目", Outcome.FAIL, "stale")


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (
            "最新一条是 2026-08-01 的“通知”，距检查日 2026-11-23 114 天。",
            "最新一条是 2026-08-01 的“通知”，距检查日 2026-11-24 115 天。",
        ),
        ("里 2025-11-23 以来的 48 条信息，没有说到“就业”。", "里 2025-11-24 以来的 49 条信息，没有说到“就业”。"),
        (
            "正文区只有“今天是：2026年11月23日 星期一 暂无内容”。",
            "正文区只有“今天是：2026年11月24日 星期二 暂无内容”。",
        ),
        ("缺PubDate（39 页中有 2 页，如 http://a/1）。", "缺PubDate（54 页中有 9 页，如 http://a/7、http://a/8）。"),
        ("台账（2026-10-01 登记）注明没有互动功能。", "台账（2026-11-01 登记）注明没有互动功能。"),
    ],
)
def test_what_the_clock_and_the_sample_move_is_no_other_observation(one: str, another: str) -> None:
    assert observation(replace(FAULT, observed=one)) == observation(replace(FAULT, observed=another))
    assert observation(replace(FAULT, passage=one)) == observation(replace(FAULT, passage=another))


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (
            "最新一条是 2026-08-01 的“通知”，距检查日 2026-11-23 114 天。",
            "最新一条是 2026-08-02 的“通知”，距检查日 2026-11-23 113 天。",
        ),
        (
            "成文日期 2026-11-23 晚于发布日期 2026-11-20，相差 3 天。",
            "成文日期 2026-11-24 晚于发布日期 2026-11-20，相差 4 天。",
        ),
        ("有 1 条留言没有回复。", "有 2 条留言没有回复。"),
        ("没有“索引号”。", "没有“发文字号”。"),
    ],
)
def test_anything_else_is_another_observation(one: str, another: str) -> None:
    assert observation(replace(FAULT, observed=one)) != observation(replace(FAULT, observed=another))
    assert observation(replace(FAULT, passage=one)) != observation(replace(FAULT, passage=another))


def test_a_measurement_made_anew_every_night_is_the_same_observation() -> None:
    outage = finding("availability", "首页", Outcome.FAIL, "unavailable")
    one = replace(outage, observed="2026-11-16 至 2026-11-22 共探测首页 168 次，40 次打不开，占 23.81%。")
    another = replace(outage, observed="2026-11-17 至 2026-11-23 共探测首页 160 次，41 次打不开，占 25.63%。")
    assert observation(one) == observation(another)


# ---------------------------------------------------------------- rulings in the score


def ruled(*, revoked: tuple[Finding, ...] = (), waived: tuple[Finding, ...] = ()) -> Rulings:
    return Rulings(
        revoked={one.fingerprint: observation(one) for one in revoked},
        waived={one.fingerprint: observation(one) for one in waived},
    )


BAD = finding("open_attribute", "a", Outcome.FAIL, "missing", observed="没有。")
WORSE = finding("open_attribute", "a", Outcome.FAIL, "contradictory")
UNREAD = finding("open_attribute", "a", Outcome.INCONCLUSIVE, "not_read")
GOOD = finding("open_attribute", "a")
BESIDE = finding("open_attribute", "b")


@pytest.mark.parametrize(
    ("group", "rulings", "state"),
    [
        ((BAD,), ruled(revoked=(BAD,)), TargetState.PASSED),
        ((BAD, UNREAD), ruled(revoked=(BAD,)), TargetState.PASSED),
        ((BAD, WORSE), ruled(revoked=(BAD,)), TargetState.FAILED),
        ((BAD, WORSE), ruled(revoked=(BAD, WORSE)), TargetState.PASSED),
        ((replace(BAD, observed="变了。"),), ruled(revoked=(BAD,)), TargetState.FAILED),
        ((replace(BAD, observed="变了。"),), Rulings(revoked={BAD.fingerprint: None}), TargetState.PASSED),
        ((BAD,), ruled(waived=(BAD,)), None),
        ((BAD, GOOD), ruled(waived=(BAD,)), TargetState.PASSED),
        ((BAD, UNREAD), ruled(waived=(BAD,)), TargetState.UNJUDGED),
        ((BAD, WORSE), ruled(waived=(BAD,)), TargetState.FAILED),
        ((replace(BAD, observed="变了。"),), ruled(waived=(BAD,)), TargetState.FAILED),
    ],
)
def test_what_a_ruled_fault_makes_of_its_target(score, group, rulings, state) -> None:  # type: ignore[no-untyped-def]
    (check,) = score(*group, BESIDE, rulings=rulings).checks
    assert {target.target: target.state for target in check.targets}.get("a") == state
