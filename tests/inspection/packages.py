"""A small place with two sealed nights, the second of which saw the same pages again, and a package made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from checks.model import Capture, Mode, PageRole, Probe, ProbeKind, Visit
from crawler.sink import Exchange
from fixtures.district.inventory import write_config
from fixtures.district.model import World
from fixtures.district.render import SiteRenderer
from inspection.exporting import ExportSummary, export_evidence
from inspection.place import Place, opened
from inspection.progress import Progress
from inspection.recording import Recorder, recording
from inspection.run import Request, inspect_units
from inspection.selection import Asked
from inspection.settings import resolve
from storage.model import RunKind
from storage.signing import create_key
from tests.made_district import made_district

DAY = date(2026, 11, 23)
WORLD: World = made_district(DAY)
UNIT, NAME, SITE = "jiaoyuju", "区教育局", "jyj"
NEIGHBOUR = "neighbour"  # a site that is none of the unit's
PERSONAL = "/gk/personal.html"
PICTURE = b"\x89PNG\r\n\x1a\n picture"
_BODY = "<p>近日，区教育局组织有关股室到各学校走访，逐项核对安全、餐饮、校车等事项，要求限期整改到位。</p>" * 3
_LISTED = "<p>联系人张三，身份证号 130124198003072117，手机 13931112345，请相互转告。</p>"


@dataclass(frozen=True, slots=True)
class MadePackage:
    """The folders of the place, and a package of its unit over both nights."""

    config: Path
    data: Path
    path: Path
    summary: ExportSummary

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Open the place that the package was made of."""
        with opened(resolve(self.config, self.data, environment={})) as place:
            yield place

    def export(self, out: Path, asked: Asked) -> ExportSummary:
        """Make another package."""
        with self.place() as place:
            return export_evidence(place, asked, out, Progress())


def made_package(tmp_path_factory: pytest.TempPathFactory) -> MadePackage:
    """Inspect two nights, sealed and signed, and export them."""
    folder = tmp_path_factory.mktemp("package")
    config, data, path = folder / "config", folder / "data", folder / "made.wacz"
    write_config(WORLD, 53, config)
    rules, sites, key = config / "rules.toml", config / "sites.toml", folder / "key.pem"
    create_key(key)
    rules.write_text(rules.read_text().replace("coverage_floor = 0.8", "coverage_floor = 0.01"))
    sites.write_text(sites.read_text().replace("[crawl]", f'[evidence]\nsigning_key = "{key}"\n\n[crawl]', 1))
    with pytest.MonkeyPatch.context() as patch, opened(resolve(config, data, environment={})) as place:
        patch.setattr("inspection.run.Crawling", Crawled)
        patch.setattr("inspection.run.illustrate", _illustrated)
        for night in range(2):
            report = inspect_units(place, Request(RunKind.NIGHTLY, DAY + timedelta(days=night), (UNIT,)))
            assert report.scores[0].published
            assert not report.unsealed
        asked = Asked((UNIT,), DAY, DAY + timedelta(days=1))
        summary = export_evidence(place, asked, path, Progress())
    return MadePackage(config, data, path, summary)


def moment(run_id: int) -> datetime:
    """When a run captured."""
    return datetime(2026, 11, 22 + run_id, 4, tzinfo=UTC)


class Crawled:
    """A crawl that asks the made-up site without a network: home, lists, what they show, and a page that gives people
    away."""

    def __init__(self, place: Place, run_id: int, *_: object) -> None:
        self._place, self._run_id = place, run_id
        self._renderer = SiteRenderer(WORLD, WORLD.site(SITE))

    def capture(self, *_: object) -> None:
        with recording(self._place.repository, self._place.evidence, self._run_id, "sites-jyj") as recorder:
            self._see(recorder, "/", PageRole.HOME)
            section = next(s for s in WORLD.sections if s.unit.id == UNIT)
            for column in section.columns:
                if column.list_pages:
                    self._see(recorder, column.list_path(0), PageRole.COLUMN, column.id)
                for order, article in enumerate(article for article in column.articles[:2] if article.file is None):
                    self._see(recorder, article.listed_path, PageRole.ARTICLE, column.id, order)
            self._see_personal(recorder, next(column.id for column in section.columns if column.list_pages))
            at = moment(self._run_id)
            recorder.probe(Probe(SITE, ProbeKind.ADDRESSES, "jyj.luancheng.test", 0, at, {"a": [], "rcode": "NOERROR"}))
        with recording(self._place.repository, self._place.evidence, self._run_id, f"sites-{NEIGHBOUR}") as recorder:
            self._store(recorder, "/neighbour.html", b"<p>neighbour</p>", "text/html", NEIGHBOUR)

    def _see_personal(self, recorder: Recorder, column: str) -> None:
        head = "<html><head><title>关于走访情况的说明</title></head><body><h1>关于走访情况的说明</h1>"
        page = f"{head}{_BODY}{_LISTED}</body></html>"
        self._store(recorder, PERSONAL, page.encode(), "text/html; charset=utf-8")
        url = self._renderer.site.origin + PERSONAL
        recorder.visit(
            Visit(SITE, url, PageRole.ARTICLE, 0, unit_id=UNIT, column_id=column, title="关于走访情况的说明")
        )

    def _see(self, recorder: Recorder, path: str, role: PageRole, column: str | None = None, order: int = 0) -> None:
        response = self._renderer.answer(path)
        self._store(recorder, path, response.body, response.content_type)
        url = self._renderer.site.origin + path
        recorder.visit(Visit(SITE, url, role, order, unit_id=column and UNIT, column_id=column))

    def _store(self, recorder: Recorder, path: str, body: bytes, content_type: str, site: str = SITE) -> None:
        url, headers = self._renderer.site.origin + path, (("content-type", content_type),)
        at = moment(self._run_id)
        capture = Capture(site, url, Mode.STATIC, at, url, status=200, headers=headers, length=len(body))
        recorder.store(capture, Exchange("GET", (), "200 OK", headers, body))


def _illustrated(place: Place, run: object, *_: object) -> None:
    """Picture the home page and attach it to the first fault."""
    number = run.id  # type: ignore[attr-defined]
    url = WORLD.site(SITE).origin + "/"
    with recording(place.repository, place.evidence, number, "screenshots") as recorder:
        capture = Capture(SITE, url, Mode.SCREENSHOT, moment(number), url, length=len(PICTURE))
        kept = recorder.store(capture, Exchange("GET", (), "", (), PICTURE))
    failing = [one for one in place.repository.findings(run_id=number) if one.finding.outcome == "FAIL"]
    with_page = next(one for one in failing if one.finding.evidence)
    assert kept.evidence is not None
    place.repository.attach_screenshot(number, [with_page.finding.fingerprint], kept.evidence)
