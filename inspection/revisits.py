"""复查: faults under order whose pages may have slid out of the sample, so that mending them can be seen at all.

What is looked at again answers for the faults that it was asked for and for nothing else, and weighs nothing: the
score hangs on the sample alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

from checks import backdated_publication
from checks.judging.readability import is_gone
from checks.model import WITHDRAWN, Bundle, ColumnVisit, Finding, Outcome, Page, Revisit, Scope
from checks.registry import CHECKS, judge
from config.rules import Rules
from crawler.plan import choose_revisits
from inspection.place import Place
from scoring.review import FaultState
from storage.model import Fault

UNDER_ORDER = (FaultState.RECTIFYING, FaultState.UPHELD)
# Checks that judge a page wherever it is met; what a list showed on its first night nobody can see again.
FOLLOWED = tuple(
    check for check in CHECKS if check.META.scope is Scope.PAGE and check.META.id != backdated_publication.META.id
)
WEIGHTLESS = Decimal(0)


def revisits_for(place: Place, unit_ids: Collection[str] | None = None) -> tuple[Revisit, ...]:
    """Return what a run that begins now looks at again: what was not seen for the longest, by deadline, comes first."""
    followed = {check.META.id for check in FOLLOWED}
    ordered = [
        fault
        for fault in place.faults.faults(unit_ids, states=UNDER_ORDER)
        if fault.deadline is not None and fault.column_id is not None and fault.check in followed
    ]
    wanted = [_revisit(fault) for fault in sorted(ordered, key=_urgency)]
    return choose_revisits(place.configuration.inventory, wanted)


def _urgency(fault: Fault) -> tuple[object, ...]:
    return fault.last_seen, fault.deadline, fault.finding_id


def _revisit(fault: Fault) -> Revisit:
    assert fault.column_id is not None
    return Revisit(fault.target, fault.unit_id, fault.column_id, fault.check, fault.item, fault.finding_id)


def judge_revisits(
    bundle: Bundle, revisited: Sequence[ColumnVisit], revisits: Collection[Revisit], rules: Rules
) -> list[Finding]:
    """Return what the checks say of the pages looked at again, each finding without weight.

    `bundle` is the unit's sample, which they are judged in: whether a policy is explained, other pages tell. A page
    that the sample holds as well was judged there.
    """
    sampled = {page.url for visit in bundle.columns for page in visit.everything}
    again = {page.url: page for visit in revisited for page in visit.everything if page.url not in sampled}
    asked = [revisit for revisit in revisits if revisit.url in again]
    gone = {url for url, page in again.items() if is_gone(page)}
    readable = {(revisit.check, revisit.url) for revisit in asked if revisit.url not in gone}
    checks = [check for check in FOLLOWED if check.META.id in {check_id for check_id, _ in readable}]
    found = judge(_with(bundle, revisited), rules, checks) if checks else ()
    told = [finding for finding in found if (finding.check, finding.target) in readable]
    told += [_withdrawn(revisit, again[revisit.url], rules) for revisit in asked if revisit.url in gone]
    return [replace(finding, weight=WEIGHTLESS) for finding in dict.fromkeys(told)]


def _with(bundle: Bundle, revisited: Sequence[ColumnVisit]) -> Bundle:
    """Return the sample with the pages looked at again among the articles of their columns."""
    more = {visit.column.id: visit for visit in revisited}
    return replace(bundle, columns=tuple(_joined(visit, more.get(visit.column.id)) for visit in bundle.columns))


def _joined(visit: ColumnVisit, more: ColumnVisit | None) -> ColumnVisit:
    if more is None:
        return visit
    return replace(
        visit, articles=(*visit.articles, *more.articles), attachments=(*visit.attachments, *more.attachments)
    )


def _withdrawn(revisit: Revisit, page: Page, rules: Rules) -> Finding:
    """Say that a page is there no more, and with it the fault."""
    return Finding(
        check=revisit.check,
        target=revisit.url,
        outcome=Outcome.PASS,
        reason=WITHDRAWN,
        observed="复查时服务器答复这一页已经不在了，原来指出的问题随之不存在。",
        item=revisit.item,
        unit_id=revisit.unit_id,
        column_id=revisit.column_id,
        evidence=page.evidence,
        rules_version=rules.version,
    )
