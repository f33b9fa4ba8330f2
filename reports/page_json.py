"""The facts of a page in the words of `inspect page --json`.

Other tools rely on the keys: more may be added, none removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from checks.facts.model import DateCandidate, EntryList, Identity, PageFacts, PublishedDate
from checks.model import Finding
from checks.reading.masking import masked


def page_json(facts: PageFacts, findings: Sequence[Finding] = ()) -> dict[str, Any]:
    """Return a JSON-like value: absent facts are None, dates are ISO."""
    first = facts.attributes[0] if facts.attributes else None
    document = facts.document
    return {
        "url": facts.url,
        "kind": facts.kind.value,
        "title": masked(facts.title) or None,
        "charset": facts.charset,
        "published": _published(facts.published),
        "open_attribute": {
            "value": first.value.value if first else None,
            "where": first.where.value if first else None,
            "statements": [
                {"value": each.value.value, "where": each.where.value, "text": each.text} for each in facts.attributes
            ],
        },
        "document": {
            "index_number": document.index_number,
            "doc_number": document.doc_number,
            "issuer": document.issuer,
            "written_date": _iso(document.written_on) or document.written_date,
            "published_date": _iso(document.published_on) or document.published_date,
            "validity": document.validity,
            "subject": document.subject,
            "official": facts.form.is_official,
            "labels": [{"label": label, "value": value} for label, value in document.labels],
        },
        "identity": _identity(facts.identity),
        "list": _list(facts.list),
        "tables": [{"caption": table.caption, "rows": [list(row) for row in table.rows]} for table in facts.tables],
        "attachments": [{"text": link.text, "url": link.url} for link in facts.links if link.attachment],
        "frames": list(facts.frames),
        "redirect": facts.redirect,
        "rendering_needs": sorted(facts.rendering_needs),
        "soft_not_found": facts.soft_not_found,
        "findings": [_finding(finding) for finding in findings],
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _published(published: PublishedDate) -> dict[str, Any]:
    return {
        "date": _iso(published.date),
        "source": published.source.value if published.source else None,
        "label": published.label or None,
        "candidates": [_candidate(candidate) for candidate in published.candidates],
        "conflicts": [_candidate(candidate) for candidate in published.conflicts],
    }


def _candidate(candidate: DateCandidate) -> dict[str, Any]:
    return {
        "date": candidate.date.isoformat(),
        "source": candidate.source.value,
        "meaning": candidate.meaning.value,
        "label": candidate.label or None,
        "text": candidate.text,
    }


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "site_code": identity.site_code,
        "site_code_meta": identity.site_code_meta,
        "icp": identity.icp,
        "police": identity.police,
        "conac_badge": identity.conac_badge,
        "host_unit": identity.host_unit,
        "contact": identity.contact,
    }


def _list(entries: EntryList) -> dict[str, Any]:
    return {
        "entries": [{"title": masked(e.title), "url": e.url or None, "date": _iso(e.date)} for e in entries.entries],
        "newest": _iso(entries.newest),
        "next": entries.next,
        "total_pages": entries.total_pages,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "outcome": finding.outcome.value,
        "reason": finding.reason,
        "observed": finding.observed,
        "expected": finding.expected,
        "where": finding.where,
        "passage": finding.passage,
        "item": finding.item,
    }
