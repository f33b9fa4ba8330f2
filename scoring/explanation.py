"""The Chinese sentences that go with a score: what was withheld and why, what was vetoed, what waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_DOWN, Decimal

from checks.model import Finding, Outcome
from scoring.model import ScoreState, TargetResult, TargetState, VetoHit

CAUSES = 5  # causes told one by one before the rest is only counted
EXAMPLES = 3  # pages named for each

OUTCOMES = {
    Outcome.INCONCLUSIVE: "看过但不能断定",
    Outcome.NOT_TESTED: "没有检测",
    Outcome.ERROR: "检查程序出错",
}


def reasons(
    state: ScoreState,
    coverage: Decimal,
    floor: Decimal,
    targets: Sequence[TargetResult],
    vetoes: Sequence[VetoHit],
    pending: Sequence[Finding],
) -> tuple[str, ...]:
    """Return what the report must say of a score, at most a dozen sentences."""
    sentences: list[str] = []
    if state is ScoreState.NOT_APPLICABLE:
        sentences.append("没有一项检查适用于本单位，不评分（不是零分）")
    if state is ScoreState.WITHHELD:
        sentences.append(f"覆盖率 {_percent(coverage)} 低于下限 {_percent(floor)}，当日不发布分数")
        sentences.extend(_causes(targets))
    sentences.extend(_veto_sentence(veto) for veto in vetoes)
    if pending:
        sentences.append(f"另有 {len(pending)} 个问题待确认，未计分")
    return tuple(sentences)


def _percent(share: Decimal) -> str:
    """Return a share in percent, cut off rather than rounded: 79.99 % must not read as the floor of 80 %."""
    return f"{(share * 100).quantize(Decimal('0.01'), ROUND_DOWN).normalize():f}%"


def _veto_sentence(veto: VetoHit) -> str:
    return f"单项否决：{veto.title}，{len(veto.targets)} 个（满 {veto.at_least} 个即不合格）：{_named(veto.targets)}"


def _causes(targets: Iterable[TargetResult]) -> Iterator[str]:
    """Yield one sentence a cause, the most frequent first: which pages could not be judged, and why."""
    pages: defaultdict[str, set[str]] = defaultdict(set)
    for target in targets:
        for cause in _causes_of(target):
            pages[cause].add(target.target)
    ranked = sorted(pages.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    for cause, names in ranked[:CAUSES]:
        yield f"{cause}：{_named(sorted(names))}"
    if len(ranked) > CAUSES:
        rest = set().union(*(names for _, names in ranked[CAUSES:]))
        yield f"还有 {len(ranked) - CAUSES} 种原因，涉及 {len(rest)} 个页面"


def _causes_of(target: TargetResult) -> Iterator[str]:
    if target.state is TargetState.PENDING:
        yield "问题待确认"
    if target.state is TargetState.UNJUDGED:
        for finding in target.findings:
            if finding.outcome in OUTCOMES:
                yield finding.observed.rstrip("。") or OUTCOMES[finding.outcome]


def _named(targets: Sequence[str]) -> str:
    more = f" 等 {len(targets)} 个" if len(targets) > EXAMPLES else ""
    return "、".join(targets[:EXAMPLES]) + more
