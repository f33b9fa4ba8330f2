"""待确认, 豁免, 撤销: when a fault counts, and when it does not."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta

from checks.model import Finding, Outcome
from config.rules import Confirmation, Rules
from scoring.review import NO_RULINGS, Rulings, observation


def seen_often_enough(nights_seen: Set[date], day: date, rule: Confirmation) -> bool:
    """Whether a fault seen on `day` was seen on enough of the last nights; `day` itself is the last of them.

    The nights are calendar nights: one on which nothing ran is one on which the fault was not seen.
    """
    window = {day - timedelta(days=back) for back in range(rule.nights)}
    return len(window & (nights_seen | {day})) >= rule.seen


@dataclass(frozen=True, slots=True)
class History:
    """What is known of faults beside this run: the days each fingerprint was seen on, and what people ruled on them."""

    day: date
    seen_days: Mapping[str, Set[date]]
    rulings: Rulings = NO_RULINGS

    def revoked(self, finding: Finding) -> bool:
        """Whether a failing finding shows what a person said is no fault (撤销)."""
        return self._ruled(finding, self.rulings.revoked)

    def waived(self, finding: Finding) -> bool:
        """Whether a failing finding shows what a person waived (豁免)."""
        return self._ruled(finding, self.rulings.waived)

    def counts(self, finding: Finding, rules: Rules) -> bool:
        """Whether a finding is a fault that counts; raises AttributeError for an unknown check."""
        excused = self.revoked(finding) or self.waived(finding)
        return finding.outcome is Outcome.FAIL and not excused and not self.waits(finding, rules)

    def waits(self, finding: Finding, rules: Rules) -> bool:
        """Whether a failing finding still waits for confirmation, or did on its night.

        Raises AttributeError for an unknown check of a night that has yet to be told.
        """
        if finding.outcome is not Outcome.FAIL or self.revoked(finding) or self.waived(finding):
            return False
        if self.rulings.waiting is not None:
            return finding.fingerprint in self.rulings.waiting
        if finding.reason not in rules.checks.row(finding.check).confirm_reasons:
            return False
        if finding.fingerprint in self.rulings.confirmed:
            return False
        nights = self.seen_days.get(finding.fingerprint, frozenset())
        return not seen_often_enough(nights, self.day, rules.confirmation)

    def _ruled(self, finding: Finding, spoken_of: Mapping[str, str] | Mapping[str, str | None]) -> bool:
        if finding.outcome is not Outcome.FAIL or finding.fingerprint not in spoken_of:
            return False
        ruled = spoken_of[finding.fingerprint]
        return ruled is None or observation(finding) == ruled
