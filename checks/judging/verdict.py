"""Making findings: a subject is one target of one check, and every finding about it is made here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from checks.judging.readability import Obstacle
from checks.model import EvidenceRef, Finding, Outcome, Page
from checks.reading.masking import masked


@dataclass(frozen=True, slots=True)
class Subject:
    """One target (or one `item` of it) that one check judges, and the bytes the judgement rests on."""

    check: str
    target: str
    evidence: tuple[EvidenceRef, ...] = ()
    column_id: str | None = None
    item: str = ""
    weight: Decimal = Decimal(1)

    def finding(
        self, outcome: Outcome, reason: str, observed: str, expected: str = "", *, passage: str = "", where: str = ""
    ) -> Finding:
        """Return a finding about this subject."""
        return Finding(
            check=self.check,
            target=self.target,
            outcome=outcome,
            reason=reason,
            observed=observed,
            expected=expected,
            passage=masked(passage)[:300],
            where=where,
            item=self.item,
            weight=self.weight,
            column_id=self.column_id,
            evidence=self.evidence,
        )

    def passed(self, reason: str, observed: str, *, passage: str = "", where: str = "") -> Finding:
        """Return a PASS: what was seen is as it should be."""
        return self.finding(Outcome.PASS, reason, observed, passage=passage, where=where)

    def failed(self, reason: str, observed: str, expected: str, *, passage: str = "", where: str = "") -> Finding:
        """Return a FAIL: what was seen, what is expected, and by which clause."""
        return self.finding(Outcome.FAIL, reason, observed, expected, passage=passage, where=where)

    def not_applicable(self, reason: str, observed: str) -> Finding:
        """Return a NOT_APPLICABLE: the rule does not speak of this target."""
        return self.finding(Outcome.NOT_APPLICABLE, reason, observed)

    def cannot_tell(self, obstacle: Obstacle) -> Finding:
        """Return the finding that the obstacle makes of this subject."""
        return self.finding(obstacle.outcome, obstacle.reason, obstacle.observed)


def evidence_of(*pages: Page | None) -> tuple[EvidenceRef, ...]:
    """Return the evidence of several pages, each record once, in order."""
    return tuple(dict.fromkeys(ref for page in pages if page is not None for ref in page.evidence))
