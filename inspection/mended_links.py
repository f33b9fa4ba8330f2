"""断链改好了没有: a dead link is a target of its own only while it is dead, so that no check sees it mended.

It is mended when it can be had again, or when it is gone from the pages on which it stood, all of them read again.
What is said of it weighs nothing: the score hangs on the links of the night alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from checks import dead_links
from checks.judging.readability import is_undecided, page_obstacle
from checks.judging.verdict import evidence_of
from checks.model import Bundle, EvidenceRef, Finding, Outcome, Page
from checks.reading.link_answers import is_found, link_probes
from config.rules import Rules
from crawler.probes.leads import gather
from inspection.place import Place
from scoring.review import FaultState

OPEN = (FaultState.PENDING, FaultState.CONFIRMED, FaultState.RECTIFYING, FaultState.UPHELD, FaultState.WAIVED)
REMOVED = "link_removed"
WEIGHTLESS = Decimal(0)
_STOOD_ON = re.compile(r"它出现在 (\S+?)(?:等 \d+ 个页面)?。")  # as the check tells where a link stands


def known_dead(place: Place, unit_ids: Sequence[str]) -> list[Finding]:
    """Return the last finding of each dead link of the units, in their order, that nothing has seen mended yet; raises
    StorageError."""
    faults = place.faults.faults(unit_ids, check=dead_links.META.id, states=OPEN)
    found = place.repository.findings_numbered(fault.finding_id for fault in faults)
    order = {unit_id: number for number, unit_id in enumerate(unit_ids)}
    return sorted(found, key=lambda finding: order[finding.unit_id])


def judge_mended_links(bundle: Bundle, known: Iterable[Finding], rules: Rules) -> Iterator[Finding]:
    """Yield a PASS without weight for each of the known dead links of the unit that tonight shows to be mended."""
    faults = tuple(known)
    if not faults:  # as most units: then what the pages lead to need not be gathered
        return
    alive = {probe.target: probe for probe in link_probes(bundle) if is_found(probe, "alive")}
    listed = (*bundle.homes, *(page for visit in bundle.columns for page in (*visit.pages, *visit.articles)))
    read = {page.url: page for page in listed if page_obstacle(page) is None and not is_undecided(page)}
    leads = gather(page.facts for page in read.values() if page.facts is not None)
    for fault in faults:
        stood = _stood_on(fault, read)
        if (probe := alive.get(fault.target)) is not None:
            evidence = (probe.evidence,) if probe.evidence else ()
            yield _passed(fault, "alive", "原来打不开的链接现在打得开。", rules, evidence)
        elif stood and fault.target not in leads:
            told = "原来的断链已不在指出的页面上，本次读到的页面上也都没有。"
            yield _passed(fault, REMOVED, told, rules, evidence_of(*stood))


def _stood_on(fault: Finding, read: dict[str, Page]) -> list[Page]:
    """Return the pages that a finding named, if every one of them was read tonight."""
    told = _STOOD_ON.search(fault.observed)
    urls = told.group(1).split("、") if told else []
    return [read[url] for url in urls] if all(url in read for url in urls) else []


def _passed(fault: Finding, reason: str, observed: str, rules: Rules, evidence: tuple[EvidenceRef, ...]) -> Finding:
    return Finding(
        check=fault.check,
        target=fault.target,
        outcome=Outcome.PASS,
        reason=reason,
        observed=observed,
        weight=WEIGHTLESS,
        unit_id=fault.unit_id,
        evidence=evidence,
        rules_version=rules.version,
    )
