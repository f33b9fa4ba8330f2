"""待确认: when a fault that hangs on the network's mood counts."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta

from checks.model import Finding, Outcome
from config.rules import Confirmation, Rules


def seen_often_enough(nights_seen: Set[date], day: date, rule: Confirmation) -> bool:
    """Whether a fault seen on `day` was seen on enough of the last nights; `day` itself is the last of them.

    The nights are calendar nights: one on which nothing ran is one on which the fault was not seen.
    """
    window = {day - timedelta(days=back) for back in range(rule.nights)}
    return len(window & (nights_seen | {day})) >= rule.seen


@dataclass(frozen=True, slots=True)
class History:
    """What is known of faults beside this run: the days each fingerprint was seen on, and those a person confirmed."""

    day: date
    seen_days: Mapping[str, Set[date]]
    confirmed_by_person: Set[str] = frozenset()

    def waits(self, finding: Finding, rules: Rules) -> bool:
        """Whether a failing finding still waits for confirmation; raises AttributeError for an unknown check."""
        if finding.outcome is not Outcome.FAIL or finding.reason not in rules.checks.row(finding.check).confirm_reasons:
            return False
        if finding.fingerprint in self.confirmed_by_person:
            return False
        nights = self.seen_days.get(finding.fingerprint, frozenset())
        return not seen_often_enough(nights, self.day, rules.confirmation)
