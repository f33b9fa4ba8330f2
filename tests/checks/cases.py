"""The fixtures of the checks: each `fixtures/html/<check>/<case>.json` places pages in a bundle and says what is found.

Keys of a case: `about` (one sentence), `day`, `unit` (kind, catalog_fields), `site` (site_code), `division_code`,
`domain_suffix`, `home`, `homes`, `second_level`, `columns` (type, name, url, absent, failure, pages, articles,
attachments), `probes`, `availability` (ago in days, answered, failed, ours, told), `histories` (target, whole_ago in
days, known, titles), `new_media` (platform, name, posted_ago, recorded_ago in days, interaction), and `expected`: every
finding of the check, as outcome, reason, target (when it is not the only one), item and `mentions`, words that the
sentence must hold.

A page is `url` with either `failure` (a code of FailureKind) or a `file` beside the case (its own .html when left out);
`final_url` is where redirects ended; `rendered` says that a browser's state was captured, so that scripts decide
nothing any more. An attachment is `url`, `parent` (left out: the list leads straight to it), `title` and either
`failure` or `state` with `text`, `tables` and `attribute`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from checks.facts.kinds import kind_of_column
from checks.facts.model import (
    AttachmentFacts,
    AttachmentState,
    AttributePlace,
    AttributeStatement,
    OpenAttribute,
    PageKind,
    Table,
)
from checks.facts.page import read_page
from checks.model import (
    AvailabilityDay,
    Bundle,
    ColumnVisit,
    EvidenceRef,
    FailureKind,
    ListHistory,
    Mode,
    NewMediaAccount,
    Page,
    PageRole,
    Probe,
    ProbeKind,
    Visit,
)
from checks.model import Capture as CaptureRecord
from checks.registry import CHECKS
from config.schema import Column, ColumnType, Site, Unit

FOLDER = Path(__file__).parents[2] / "fixtures" / "html"
HOME = "http://www.yueshan.test/"


@dataclass(frozen=True, slots=True)
class Case:
    """One fixture: the check it is for, its name, and what the JSON file says."""

    check: str
    name: str
    said: dict[str, Any]

    @property
    def day(self) -> date:
        return date.fromisoformat(self.said.get("day", "2026-11-23"))

    @property
    def is_site(self) -> bool:
        return "unit" not in self.said and self._tells_of_a_site

    @property
    def _tells_of_a_site(self) -> bool:
        return "home" in self.said or "probes" in self.said or "availability" in self.said

    @property
    def expected(self) -> list[dict[str, Any]]:
        return self.said["expected"]


def all_cases() -> list[Case]:
    return [
        Case(path.parent.name, path.stem, json.loads(path.read_text(encoding="utf-8")))
        for check in CHECKS
        for path in sorted((FOLDER / check.META.id).glob("*.json"))
    ]


def bundle_of(case: Case) -> Bundle:
    said = case.said
    columns = tuple(_column(case, number, column) for number, column in enumerate(said.get("columns", ())))
    if not case.is_site:
        return Bundle(
            day=case.day,
            unit=_unit(said),
            division_code=said.get("division_code", ""),
            columns=columns,
            homes=tuple(_page(case, page, PageRole.HOME, PageKind.HOME) for page in said.get("homes", ())),
            probes=tuple(_probe(probe) for probe in said.get("probes", ())),
            histories=tuple(_history(case.day, history) for history in said.get("histories", ())),
            new_media=_accounts(case.day, said["new_media"]) if "new_media" in said else None,
        )
    home = said.get("home")
    return Bundle(
        day=case.day,
        site=Site(id="site", name="跃山县人民政府", home=HOME, **said.get("site", {})),
        division_code=said.get("division_code", ""),
        domain_suffix=said.get("domain_suffix", "gov.cn"),
        home=_page(case, {"url": HOME} | home, PageRole.HOME, PageKind.HOME) if home is not None else None,
        second_level=tuple(_page(case, page, PageRole.SECOND_LEVEL, None) for page in said.get("second_level", ())),
        columns=columns,
        probes=tuple(_probe(probe) for probe in said.get("probes", ())),
        availability=tuple(_availability(case.day, day) for day in said.get("availability", ())),
    )


def _unit(said: dict[str, Any]) -> Unit:
    return Unit(**{"id": "jiaoyuju", "name": "县教育局", "kind": "department"} | said.get("unit", {}))


def _column(case: Case, number: int, said: dict[str, Any]) -> ColumnVisit:
    column_type = ColumnType(said["type"])
    column = Column(
        id=said.get("id", f"column{number}"),
        type=column_type,
        name=said.get("name", "栏目"),
        site="site",
        url=said.get("url"),
        confirmed=said.get("url") is not None,
        absent=said.get("absent", False),
    )
    return ColumnVisit(
        column=column,
        unit=_unit(case.said),
        pages=tuple(_page(case, page, PageRole.COLUMN, kind_of_column(column_type)) for page in said.get("pages", ())),
        articles=tuple(
            _page(case, page, PageRole.ARTICLE, kind_of_column(column_type, article=True))
            for page in said.get("articles", ())
        ),
        attachments=tuple(_attachment(case, page) for page in said.get("attachments", ())),
        failure=FailureKind.of(said["failure"]) if "failure" in said else None,
    )


def _page(case: Case, said: dict[str, Any], role: PageRole, kind: PageKind | None) -> Page:
    visit = Visit("site", said["url"], role, title=said.get("title", ""))
    captures = (_capture(case, said["url"]),)
    if "failure" in said:
        failed = CaptureRecord("site", said["url"], Mode.STATIC, captures[0].captured_at, failure=_failure(said))
        return Page(visit, captures, capture=failed)
    body = (FOLDER / case.check / said.get("file", f"{case.name}.html")).read_bytes()
    facts = read_page(body, url=said.get("final_url", said["url"]), as_of=case.day, kind=kind)
    complete = said.get("rendered", False) or not facts.rendering_needs
    return Page(visit, captures, facts=facts, capture=captures[0], complete=complete)


def _capture(case: Case, url: str) -> CaptureRecord:
    evidence = EvidenceRef("run.warc.gz", 0, f"<{case.name}>", "sha256:00")
    captured_at = datetime.combine(case.day, datetime.min.time(), UTC)
    return CaptureRecord("site", url, Mode.STATIC, captured_at, status=200, evidence=evidence)


def _attachment(case: Case, said: dict[str, Any]) -> Page:
    visit = Visit("site", said["url"], PageRole.ATTACHMENT, parent=said.get("parent"), title=said.get("title", ""))
    name = said["url"].rpartition("/")[2]
    if "failure" in said:
        failed = CaptureRecord(
            "site", said["url"], Mode.STATIC, datetime(2026, 11, 23, tzinfo=UTC), failure=_failure(said)
        )
        return Page(visit, (failed,), capture=failed)
    value = said.get("attribute")
    facts = AttachmentFacts(
        name=name,
        format=name.rpartition(".")[2],
        state=AttachmentState(said.get("state", "read")),
        text=said.get("text", ""),
        tables=tuple(Table(tuple(tuple(row) for row in rows)) for rows in said.get("tables", ())),
        attributes=(AttributeStatement(OpenAttribute(value), AttributePlace.ATTACHMENT, f"（{value}）"),)
        if value
        else (),
    )
    captures = (_capture(case, said["url"]),)
    return Page(visit, captures, attachment=facts, capture=captures[0])


def _history(today: date, said: dict[str, Any]) -> ListHistory:
    whole_on = today - timedelta(days=said["whole_ago"]) if "whole_ago" in said else None
    return ListHistory(said["target"], whole_on, frozenset(said.get("known", ())), frozenset(said.get("titles", ())))


def _accounts(today: date, said: list[dict[str, Any]]) -> tuple[NewMediaAccount, ...]:
    return tuple(
        NewMediaAccount(
            unit_id="jiaoyuju",
            platform=account["platform"],
            name=account["name"],
            last_post=today - timedelta(days=account["posted_ago"]) if "posted_ago" in account else None,
            interaction=account.get("interaction"),
            recorded_on=today - timedelta(days=account["recorded_ago"]),
        )
        for account in said
    )


def _availability(today: date, said: dict[str, Any]) -> AvailabilityDay:
    counts = [int(said.get(name, 0)) for name in ("answered", "failed", "ours")]
    return AvailabilityDay("site", today - timedelta(days=said["ago"]), *counts, failures=tuple(said.get("told", ())))


def _failure(said: dict[str, Any]) -> FailureKind:
    return FailureKind.of(said["failure"])


def _probe(said: dict[str, Any]) -> Probe:
    return Probe(
        site_id="site",
        kind=ProbeKind(said["kind"]),
        target=said["target"],
        family=said.get("family", 0),
        captured_at=datetime(2026, 11, 23, tzinfo=UTC),
        observed=said.get("observed", {}),
        failure=FailureKind.of(said["failure"]) if "failure" in said else None,
        evidence=EvidenceRef("run.warc.gz", 0, "<probe>", "sha256:00"),
    )
