"""Ranks: kinds apart, ties shared, the unscored without one."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.schema import UnitKind
from scoring.model import ScoreState, UnitScore
from scoring.ranking import rank
from tests.scoring.conftest import DAY


def unit_score(identifier, kind, score):
    return UnitScore(
        unit_id=identifier,
        kind=kind,
        day=DAY,
        rules_version="t1",
        state=ScoreState.WITHHELD if score is None else ScoreState.PUBLISHED,
        score=score,
        coverage=Decimal(1),
        verdict=None,
        vetoes=(),
        indicators=(),
        checks=(),
        pending=(),
        reasons=(),
    )


def test_townships_and_departments_are_ranked_apart_and_ties_share_a_rank():
    townships = {"a": "90.00", "b": "95.50", "c": "90", "d": "70.01"}
    scores = [unit_score(name, UnitKind.TOWNSHIP, Decimal(score)) for name, score in townships.items()]
    scores += [unit_score("x", UnitKind.DEPARTMENT, Decimal("1.00")), unit_score("y", UnitKind.DEPARTMENT, None)]
    assert rank(scores) == {"a": 2, "b": 1, "c": 2, "d": 4, "x": 1, "y": None}


@given(st.lists(st.tuples(st.sampled_from(UnitKind), st.one_of(st.none(), st.integers(0, 5)))))
def test_a_higher_score_of_the_same_kind_always_ranks_before(entries):
    scores = [unit_score(str(n), kind, None if s is None else Decimal(s)) for n, (kind, s) in enumerate(entries)]
    ranks = rank(scores)
    for one in scores:
        assert (ranks[one.unit_id] is None) is (one.score is None)
        for other in scores:
            if one.kind is other.kind and one.score is not None and other.score is not None:
                assert (ranks[one.unit_id] < ranks[other.unit_id]) is (one.score > other.score)
