"""Tables of findings and scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from cli.output import console, percent, print_table, printable, score_text
from inspection.documents import meta_of, site_names, unit_names
from reports.daily import KIND_TITLES
from scoring.ranking import rank

if TYPE_CHECKING:
    from inspection.place import Place
    from scoring.model import SiteVerdict, UnitScore
    from storage.model import StoredFinding
    from storage.rescoring import FirstPublished


def print_findings(
    place: Place, findings: Sequence[StoredFinding], title: str, empty: str = "没有判定为问题的结果。"
) -> None:
    """Print findings, a row each."""
    names = unit_names(place)
    rows = (
        (
            stored.id,
            names.get(stored.finding.unit_id, stored.finding.unit_id),
            check_title(stored.finding.check),
            stored.finding.outcome,
            stored.finding.observed,
            stored.finding.target,
        )
        for stored in findings
    )
    print_table(title, ("编号", "单位", "检查", "结果", "所见", "位置"), rows, empty=empty)


def print_scores(place: Place, scores: Iterable[UnitScore], title: str) -> None:
    """Print scores, townships and departments apart, best first; the reasons of what is withheld below."""
    listed = list(scores)
    names, ranks = unit_names(place), rank(listed)
    for kind, kind_title in KIND_TITLES.items():
        of_kind = sorted((s for s in listed if s.kind is kind), key=lambda s: (s.score is None, -(s.score or 0)))
        if of_kind:
            rows = (
                (ranks[s.unit_id] or "—", names[s.unit_id], score_text(s.score), percent(s.coverage), s.verdict or "—")
                for s in of_kind
            )
            print_table(f"{title}　{kind_title}", ("名次", "单位", "得分", "覆盖率", "单项否决"), rows)
    for score in listed:
        if not score.published:
            console.print(f"{names[score.unit_id]}：" + "；".join(printable(reason) for reason in score.reasons))


def print_first_published(
    place: Place, scores: Iterable[UnitScore], first: Mapping[str, FirstPublished], title: str
) -> None:
    """Print the scores first published beside those that took their place, with why; nothing where there are none."""
    names = unit_names(place)
    rows = [
        (
            names[score.unit_id],
            score_text(first[score.unit_id].score),
            score_text(score.score),
            "；".join(f"第 {run} 次：{why}" for run, why in first[score.unit_id].since),
        )
        for score in scores
        if score.unit_id in first
    ]
    if rows:
        print_table(title, ("单位", "原公布", "现在", "为什么"), rows)


def print_site_verdicts(place: Place, verdicts: Sequence[SiteVerdict], title: str) -> None:
    """Print the verdict on each site, with what it was vetoed for."""
    names = site_names(place)
    rows = (
        (
            names.get(verdict.site_id, verdict.site_id),
            verdict.verdict or "不下结论",
            percent(verdict.coverage),
            "；".join(f"{veto.title} {len(veto.targets)} 个" for veto in verdict.vetoes),
        )
        for verdict in verdicts
    )
    print_table(title, ("站点", "结论", "覆盖率", "否决项"), rows)


def check_title(check_id: str) -> str:
    """Return a check's Chinese title; the id itself for a check that this program no longer has."""
    meta = meta_of(check_id)
    return meta.title if meta else check_id
