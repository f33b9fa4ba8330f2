"""以前的采集: what an earlier night leaves to stand for tonight, and what keeps it from standing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from checks.model import Capture, Finding, Mode, Outcome, PageRole, Visit
from config.schema import District
from crawler.carrying import EarlierPage
from crawler.sink import Exchange
from inspection.past import Past
from inspection.place import Place
from inspection.recording import recording
from storage.database import open_database, upgrade
from storage.evidence import EvidenceStore
from storage.model import RunKind, RunState
from storage.repository import Repository
from tests.crawler.harness import MANNERS, plan

DAY = date(2026, 11, 20)
HOME = "http://www.a.test/"
URL, FILE = f"{HOME}tz/1.html", f"{HOME}tz/1.pdf"
NOON = datetime(2026, 11, 19, 4, tzinfo=UTC)
PAGE = Exchange("GET", (), "HTTP/1.1 200 OK", (("content-type", "text/html"),), "区".encode())
ARTICLE = Visit("portal", URL, PageRole.ARTICLE, 0, "education", "tz", reason="最新 1/1", title="通知")
ATTACHED = Visit("portal", FILE, PageRole.ATTACHMENT, 0, "education", "tz", parent=URL, title="表")
DIGESTS = {"rules": "r", "indicators": "i", "inventory": "v"}
FINDING = Finding("open_attribute", URL, Outcome.FAIL, "missing", observed="没有标注。", unit_id="education")


@dataclass
class Nights:
    """Nights of one page and its file, in a place of their own."""

    place: Place

    def night(self, day: date, kind: RunKind = RunKind.NIGHTLY, *, judged: bool = True, rescores: int = 0) -> int:
        """Capture the page and its file in a run, unless that only scores another again, and return its number."""
        run_id = self.begun(day, kind, rescores=rescores or None)
        if not rescores:
            with recording(self.place.repository, self.place.evidence, run_id, "batch-0000") as recorder:
                for visit in (ARTICLE, ATTACHED):
                    capture = Capture("portal", visit.url, Mode.STATIC, NOON, visit.url, status=200)
                    recorder.store(capture, replace(PAGE, payload=f"{visit.url} {run_id}".encode()))
                    recorder.visit(visit)
        for state in (RunState.RUNNING, RunState.CAPTURED, *([RunState.JUDGED] if judged else [])):
            self.place.repository.set_run_state(run_id, state)
        return run_id

    def begun(
        self,
        day: date,
        kind: RunKind = RunKind.NIGHTLY,
        *,
        rescores: int | None = None,
        digests: dict[str, str] = DIGESTS,
    ) -> int:
        """Begin a run."""
        return self.place.repository.create_run(
            kind=kind, day=day, seed="s", rules_version="1", digests=digests, rescores=rescores
        ).id

    def known(self, **digests: str) -> EarlierPage | None:
        """Return what a night of DAY knows of the page."""
        run = self.place.repository.run(self.begun(DAY, digests=DIGESTS | digests))
        return Past(self.place, run, [plan(HOME, {"tz": f"{HOME}tz/"})]).pages("portal", [URL]).get(URL)


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    upgrade(database)
    district = District(name="石家庄市栾城区", city="石家庄市", division_code="130111", timezone="Asia/Shanghai")
    configuration = SimpleNamespace(inventory=SimpleNamespace(district=district, crawl=MANNERS))
    repository, evidence = Repository(database), EvidenceStore(tmp_path / "evidence")
    place = SimpleNamespace(database=database, repository=repository, evidence=evidence, configuration=configuration)
    yield Nights(cast(Place, place))
    database.close()


YESTERDAY = DAY - timedelta(days=1)


def test_the_newest_night_is_known_with_the_files_it_found(nights: Nights) -> None:
    nights.night(DAY - timedelta(days=2))
    newest = nights.night(YESTERDAY)
    found = nights.known()
    assert found is not None and not found.is_open
    assert [capture.evidence.warc_file for capture in found.captures if capture.evidence] == [
        f"{newest}/batch-0000-00000.warc.gz"
    ]
    assert (found.captured_on, found.files) == (date(2026, 11, 19), (ATTACHED,))


def test_what_was_said_of_it_and_waits_keeps_it_open(nights: Nights) -> None:
    run_id = nights.night(YESTERDAY)
    other = replace(FINDING, target=f"{HOME}tz/")
    (captured,) = nights.place.repository.captures(run_id, "portal", [URL])
    assert captured.evidence is not None
    for finding in (FINDING, replace(FINDING, outcome=Outcome.ERROR), replace(other, evidence=(captured.evidence,))):
        nights.place.repository.replace_findings(run_id, ["education"], [finding])
        found = nights.known()
        assert found is not None and found.is_open
    nights.place.repository.replace_findings(run_id, ["education"], [replace(FINDING, outcome=Outcome.PASS), other])
    found = nights.known()
    assert found is not None and not found.is_open


def test_after_a_change_of_the_rules_nothing_is_known(nights: Nights) -> None:
    nights.night(YESTERDAY)
    assert nights.known() is not None
    assert nights.known(rules="others") is None


def test_after_a_change_of_the_inventory_the_page_itself_tells_its_files(nights: Nights) -> None:
    nights.night(YESTERDAY)
    found = nights.known(inventory="another")
    assert found is not None and found.files is None


def test_a_night_that_was_not_judged_tells_nothing(nights: Nights) -> None:
    nights.night(YESTERDAY, judged=False)
    assert nights.known() is None


def test_a_night_too_long_ago_tells_nothing(nights: Nights) -> None:
    nights.night(DAY - timedelta(days=MANNERS.sampling.recheck_days + 1))
    assert nights.known() is None


def test_a_correction_of_the_score_leaves_what_was_seen(nights: Nights) -> None:
    corrected = nights.night(YESTERDAY)
    nights.night(YESTERDAY, RunKind.RESCORE, rescores=corrected)
    found = nights.known()
    assert found is not None and found.captures[0].evidence is not None
    assert found.captures[0].evidence.warc_file.startswith(f"{corrected}/")


def test_what_a_spot_check_saw_counts(nights: Nights) -> None:
    nights.night(YESTERDAY, RunKind.SPOT)
    assert nights.known() is not None


@pytest.mark.parametrize("harm", ["pruned", "cut", "changed", "empty"])
def test_a_record_that_is_gone_or_damaged_has_the_page_asked_for_anew(nights: Nights, harm: str) -> None:
    run_id = nights.night(YESTERDAY)
    (captured,) = nights.place.repository.captures(run_id, "portal", [URL])
    assert captured.evidence is not None
    file = nights.place.evidence.folder / captured.evidence.warc_file
    data, offset = file.read_bytes(), captured.evidence.offset
    if harm == "pruned":
        file.unlink()
    elif harm == "cut":
        file.write_bytes(data[: offset + 40])
    elif harm == "changed":
        file.write_bytes(data[: offset + 60] + bytes([data[offset + 60] ^ 1]) + data[offset + 61 :])
    else:
        file.write_bytes(b"")
    assert nights.known() is None
