"""A full night over the served district: its findings are the answer key, and everything it says can be traced."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from wacz.main import main as wacz
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from checks.facts.attachments import read_attachment
from checks.model import Outcome
from checks.registry import CHECKS
from config.loader import load
from fixtures.district.agreement import Agreement, compare
from fixtures.district.faults import answer_key
from fixtures.district.server import ServedDistrict
from fixtures.district.world import CONFIG_FOLDER
from inspection.metrics import metrics_file
from inspection.place import Place
from storage.model import StoredFinding
from tests.conftest import SUMMARY
from tests.end_to_end.conftest import Inspected
from tests.end_to_end.driving import DAY, Answer, Workplace, difference

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1500)]

UNITS = 34
# What a passage calls by its proper name, whatever the page calls it.
OUR_WORDS = {"AAAA", "无", "成文日期", "发布日期", "发文字号", "发文机关"}
ELSEWHERE = {"availability", "new_media"}  # rest on the days before and on the office's register
FINDING_KEYS = {
    "id",
    "fingerprint",
    "unit",
    "check",
    "outcome",
    "state",
    "target",
    "reason",
    "observed",
    "expected",
    "basis",
    "first_seen",
    "last_seen",
    "evidence",
}


@pytest.fixture(scope="module")
def place(night: Inspected) -> Iterator[Place]:
    with night.workplace.opened() as place:
        yield place


@pytest.fixture(scope="module")
def run_id(night: Inspected) -> int:
    assert night.answer.code in (0, 3), night.answer
    return int(night.answer.document["run"])


@pytest.fixture(scope="module")
def failing(place: Place, run_id: int) -> list[StoredFinding]:
    return place.repository.findings(run_id=run_id, outcome=Outcome.FAIL)


# ---------------------------------------------------------------- what was found


def test_every_unit_is_judged(night: Inspected) -> None:
    assert night.answer.code == 0, night.answer.err
    assert [unit for unit in night.answer.document["units"] if unit["state"] != "published"] == []


def test_findings_are_the_answer_key(
    district: ServedDistrict, failing: list[StoredFinding], record_property: Callable[[str, object], None]
) -> None:
    agreement = compare(answer_key(district.world), (row.finding for row in failing))
    record_property(SUMMARY, _table(agreement))
    assert agreement.perfect, _table(agreement)


def _table(agreement: Agreement) -> str:
    rows = [f"{'check':20} {'found':>5} {'missed':>6} {'invented':>8} {'precision':>9} {'recall':>6}"]
    for check in CHECKS:
        part = agreement.of_check(check.META.id)
        counts = f"{len(part.found):5} {len(part.missed):6} {len(part.invented):8}"
        rows.append(f"{check.META.id:20} {counts} {part.precision!s:>9} {part.recall!s:>6}")
    rows += [f"missed   {row}" for row in sorted(agreement.missed)]
    rows += [f"invented {row}" for row in sorted(agreement.invented)]
    return "\n".join(rows)


def test_no_fault_is_told_twice(failing: list[StoredFinding]) -> None:
    assert [key for key, n in Counter(row.finding.fingerprint for row in failing).items() if n > 1] == []


def test_no_check_broke(place: Place, run_id: int) -> None:
    assert place.repository.findings(run_id=run_id, outcome=Outcome.ERROR) == []


@pytest.fixture(scope="module")
def second(night: Inspected, run_id: int) -> Answer:
    """Another full night on the same day."""
    return night.workplace.inspect("run", "--date", DAY.isoformat(), "--json")


def test_second_night_of_the_day_says_the_same(night: Inspected, run_id: int, second: Answer) -> None:
    again = second.document["run"]
    assert again != run_id
    first_said, then_said = night.workplace.fingerprints(run_id), night.workplace.fingerprints(again)
    assert first_said == then_said, difference(night.workplace.said(run_id), night.workplace.said(again))
    assert night.workplace.scores(run_id) == night.workplace.scores(again)


def test_second_night_of_an_unchanged_district_adds_little_evidence(
    place: Place, run_id: int, second: Answer, record_property: Callable[[str, object], None]
) -> None:
    folders = [place.evidence.folder / str(run) for run in (run_id, second.document["run"])]
    first, again = (_bytes_of(folder, "*.warc.gz", "index.cdxj") for folder in folders)
    first_all, again_all = (_bytes_of(folder, "**/*") for folder in folders)  # with what was said, and by what rules
    told = f"{again / first:.1%}; whole folders: {first_all} and {again_all} bytes ({again_all / first_all:.1%})"
    record_property(SUMMARY, f"evidence: {first} bytes, {again} the second night ({told})")
    assert again < first * 0.03


def _bytes_of(folder: Path, *patterns: str) -> int:
    return sum(path.stat().st_size for pattern in patterns for path in folder.glob(pattern) if path.is_file())


def test_two_runs_in_the_ledger_and_one_published_score_a_unit(place: Place, run_id: int, second: Answer) -> None:
    assert {run.id for run in place.repository.runs(day=DAY)} == {run_id, second.document["run"]}
    published = Counter(
        row.score.unit_id
        for run in place.repository.runs()
        for row in place.repository.scores_of_run(run.id)
        if row.published
    )
    assert len(published) == UNITS
    assert set(published.values()) == {1}


def test_sites_and_run_stand_as_published_in_the_ledger(place: Place, run_id: int) -> None:
    assert {row.state for row in place.repository.site_states(run_id).values()} == {"published"}
    assert place.repository.run(run_id).state == "published"


# ---------------------------------------------------------------- evidence


def _records(folder: Path, stored: StoredFinding) -> Iterator[tuple[str, bytes]]:
    """The type and the payload of every record that a finding points to, read by nothing of ours."""
    for reference in stored.finding.evidence:
        with (folder / reference.warc_file).open("rb") as file:
            file.seek(reference.offset)
            record = next(iter(ArchiveIterator(file)))
            assert record.rec_headers.get_header("WARC-Record-ID") == reference.record_id
            payload = record.content_stream().read()
            assert reference.payload_digest == f"sha256:{sha256(payload).hexdigest()}"
            yield record.rec_type, payload


def _text(payload: bytes) -> str:
    if payload.startswith((b"%PDF", b"PK")):
        return read_attachment(payload, name="").text
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.decode("gb18030", "replace")


def test_every_failure_leads_to_bytes_that_were_seen(failing: list[StoredFinding], place: Place) -> None:
    for stored in failing:
        column_is_absent = re.fullmatch(
            r"\w+/\w+", stored.finding.target
        )  # a person said so: there are no bytes to see
        if column_is_absent or stored.finding.check in ELSEWHERE:
            continue
        records = list(_records(place.evidence.folder, stored))
        assert records, stored
        assert all(payload for _, payload in records), stored


def test_evidence_holds_what_the_finding_quotes(failing: list[StoredFinding], place: Place) -> None:
    quoting = [stored for stored in failing if stored.finding.passage and stored.finding.evidence]
    assert quoting
    for stored in quoting:
        seen = "\n".join(_text(payload) for _, payload in _records(place.evidence.folder, stored))
        words = set(re.split(r"[\s：；]+", stored.finding.passage)) - OUR_WORDS
        assert [word for word in words if word not in seen and "*" not in word] == [], stored  # masked on purpose


def test_evidence_lacks_the_label_that_the_finding_misses(failing: list[StoredFinding], place: Place) -> None:
    missing = [s for s in failing if s.finding.check == "document_metadata" and s.finding.reason.startswith("missing_")]
    assert missing
    for stored in missing:
        label = re.findall("“(.+?)”", stored.finding.observed)[0]
        assert not any(label in _text(payload) for _, payload in _records(place.evidence.folder, stored)), stored


def test_screenshots_are_pictures_of_failing_pages(failing: list[StoredFinding], place: Place) -> None:
    pictures = {stored.finding.screenshot for stored in failing if stored.finding.screenshot}
    assert pictures
    for picture in pictures:
        assert place.evidence.read_payload(picture).startswith(b"\x89PNG")


def test_every_warc_passes_the_check_of_warcio(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(map(str, place.evidence.folder.rglob("*.warc.gz")))
    assert files
    checker = Checker(_CheckCommand(files))
    checker.process_all()
    assert checker.exit_value == 0, capsys.readouterr().out


class _CheckCommand:
    """What warcio's own command would hand its checker."""

    verbose = False

    def __init__(self, inputs: list[str]) -> None:
        self.inputs = inputs


def test_export_is_a_valid_wacz_with_pages_and_findings(
    night: Inspected, run_id: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "楼底镇.wacz"
    span = ("--from", DAY.isoformat(), "--to", DAY.isoformat())
    answer = night.workplace.ask("evidence", "export", "--unit", "楼底镇", *span, "--out", str(out))
    assert answer.code == 0, answer.err
    assert wacz(["validate", "-f", str(out)]) == 0, capsys.readouterr().out
    with zipfile.ZipFile(out) as archive:
        pages = [json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines()[1:]]
        findings = json.loads(archive.read("inspection/findings.json"))["findings"]
    failing = {finding["target"] for finding in findings if finding["outcome"] == "FAIL"}
    assert failing - {"loudizhen"} <= {page["url"] for page in pages}  # what fails the unit as a whole is no page


# ---------------------------------------------------------------- the documents of the contract


def _document(workplace: Workplace, *arguments: str) -> Any:
    answer = workplace.ask(*arguments, "--json")
    assert answer.code == 0, answer.err
    return answer.document


def test_document_of_the_run(night: Inspected, run_id: int) -> None:
    document = night.answer.document
    assert document.keys() >= {"run", "day", "units", "captures", "findings"}
    assert document["day"] == DAY.isoformat()
    assert len(document["units"]) == UNITS
    for unit in document["units"]:
        assert unit.keys() >= {"unit", "state", "score", "coverage", "reasons"}
    assert document["captures"]["ok"] > 1000
    assert document["findings"]["FAIL"] > 0


def test_document_of_findings(night: Inspected, run_id: int, failing: list[StoredFinding]) -> None:
    findings = _document(night.workplace, "findings", "--run", str(run_id))["findings"]
    assert [finding["id"] for finding in findings] == [stored.id for stored in failing]
    for finding in findings:
        assert finding.keys() >= FINDING_KEYS
        assert finding["outcome"] == "FAIL"
        assert finding["first_seen"] == finding["last_seen"] == DAY.isoformat()
        assert finding["basis"]
        if finding["evidence"] is not None:
            assert finding["evidence"].keys() >= {"warc", "record_id", "payload_digest", "screenshot"}


def test_findings_are_chosen_by_unit_check_and_state(night: Inspected, run_id: int) -> None:
    of_run = ("findings", "--run", str(run_id))
    chosen = _document(night.workplace, *of_run, "--unit", "楼底镇", "--check", "open_attribute")["findings"]
    assert {(finding["unit"], finding["check"]) for finding in chosen} == {("楼底镇", "open_attribute")}
    assert len(chosen) == 3
    waiting = _document(night.workplace, *of_run, "--state", "待确认")["findings"]
    assert {finding["check"] for finding in waiting} >= {"ipv6", "dead_links", "site_search", "tls"}
    rows = load(CONFIG_FOLDER).rules.checks
    assert all(finding["reason"] in rows.row(finding["check"]).confirm_reasons for finding in waiting)


def test_document_of_one_finding(night: Inspected, failing: list[StoredFinding], second: Answer) -> None:
    document = _document(night.workplace, "findings", "show", str(failing[0].id))
    assert document.keys() >= FINDING_KEYS | {"history"}
    assert [sighting["run"] for sighting in document["history"]] == [second.document["run"], failing[0].run_id]


def test_document_of_scores(night: Inspected, run_id: int) -> None:
    document = _document(night.workplace, "scores", "--date", DAY.isoformat())
    assert document["day"] == DAY.isoformat()
    assert len({unit["unit"] for unit in document["units"]}) == len(document["units"]) == UNITS
    for unit in document["units"]:
        assert unit.keys() >= {"unit", "kind", "score", "coverage", "published", "verdict", "rank", "indicators"}
        assert unit["kind"] in {"department", "township"}
        assert unit["verdict"] in {"合格", "不合格"}
        assert unit["published"] is True
        assert all(row.keys() >= {"id", "points", "value"} for row in unit["indicators"])
    sites = {site["site"]: site for site in document["sites"]}
    assert sites.keys() == {site.name for site in night.workplace.served.world.sites}
    portal = sites["石家庄市栾城区人民政府"]
    assert portal["verdict"] == "不合格"  # five units' columns together, none of which is vetoed for its own
    assert "news_columns_stale" in {veto["id"] for veto in portal["vetoes"]}
    assert (sites["石家庄市栾城区气象局"]["verdict"], sites["石家庄市栾城区气象局"]["vetoes"]) == ("合格", [])


def test_document_of_checks(night: Inspected) -> None:
    document = _document(night.workplace, "checks")
    assert [check["id"] for check in document["checks"]] == [check.META.id for check in CHECKS]
    for check in document["checks"]:
        assert check.keys() >= {"id", "title", "basis", "scope", "indicators"}
        assert check["indicators"], f"{check['id']} serves no indicator"


def test_tables_for_people_name_every_unit(night: Inspected, run_id: int, district: ServedDistrict) -> None:
    answer = night.workplace.ask("scores", "--date", DAY.isoformat())
    assert answer.code == 0
    assert [s.unit.name for s in district.world.sections if s.unit.name not in answer.out] == []


def test_night_leaves_metrics(night: Inspected) -> None:
    text = metrics_file(night.workplace.folder / "data").read_text()
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    document = night.answer.document
    for outcome, count in document["captures"].items():
        assert told["xuncha_captures", outcome] == count
    for outcome, count in document["findings"].items():
        assert told["xuncha_findings", outcome] == count
    published = sum(unit["score"] is not None for unit in document["units"])
    assert told["xuncha_units", "published"] == published
    assert told["xuncha_units", "withheld"] == len(document["units"]) - published
    assert told["xuncha_sites_failed",] == len(document["failed_sites"])
    assert told["xuncha_last_run_success",] == 1
    assert told["xuncha_last_success_timestamp_seconds",] == told["xuncha_last_run_timestamp_seconds",] > 0
    assert told["xuncha_requests",] >= sum(document["captures"].values())
    assert told["xuncha_evidence_bytes",] > 0 < told["xuncha_received_bytes",]
    assert all(told["xuncha_phase_seconds", phase] > 0 for phase in ("采集", "判定", "截图"))
