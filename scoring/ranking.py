"""排名: townships and departments apart."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.model import UnitScore


def rank(scores: Iterable[UnitScore]) -> dict[str, int | None]:
    """Return each unit's rank among the units of its kind, by unit id; None without a published score.

    Ties share a rank and the next rank is skipped (1, 1, 3).
    """
    listed = list(scores)
    return {score.unit_id: _rank(score, listed) for score in listed}


def _rank(score: UnitScore, others: list[UnitScore]) -> int | None:
    if score.score is None:
        return None
    return 1 + sum(o.score is not None and o.kind is score.kind and o.score > score.score for o in others)
