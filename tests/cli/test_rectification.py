"""`inspect report rectification` over the ledger: who gets a notice, what it shows, and what stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook

from checks.model import Capture, EvidenceRef, Finding, Mode, Outcome
from inspection.place import Place, opened
from inspection.settings import resolve
from scoring.review import FaultState
from storage.model import Fault, RunKind
from tests.cli.conftest import Inspect
from tests.reports.made_notices import png, whole

DAY, DEADLINE = date(2026, 11, 23), date(2026, 11, 20)
PAGE = "http://www.example.test/1.html"


@pytest.fixture
def place(inspect: Inspect) -> Iterator[Place]:
    with opened(resolve()) as place:
        yield place


def _fault(place: Place, unit_id: str = "jiaoyuju", target: str = PAGE, **fields) -> Finding:
    """Keep a fault that was ordered mended, with the finding that saw it last."""
    finding = Finding(
        check="open_attribute",
        target=target,
        outcome=Outcome.FAIL,
        reason="missing",
        observed="没有公开属性",
        expected="应有公开属性",
        passage="关于教育督导的通知",
        unit_id=unit_id,
        rules_version="1",
    )
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = place.repository.create_run(
        kind=RunKind.NIGHTLY, day=DAY, seed="s", rules_version="1", digests=digests, units=(), site_ids=[]
    )
    place.repository.replace_findings(run.id, {unit_id}, [finding])
    (stored,) = place.repository.findings(run.id)
    fault = Fault(
        fingerprint=finding.fingerprint,
        unit_id=unit_id,
        check=finding.check,
        target=target,
        item="",
        reason=finding.reason,
        column_id=None,
        state=FaultState.RECTIFYING,
        observation="o",
        first_seen=DAY,
        last_seen=DAY,
        finding_id=stored.id,
        deadline=DEADLINE,
    )
    place.faults.record([replace(fault, **fields)], [])
    return stored


def _picture(place: Place, stored, payload: bytes) -> EvidenceRef:
    """Keep a screenshot and note it beside the finding."""
    capture = Capture("luancheng", PAGE, Mode.SCREENSHOT, datetime(2026, 11, 23, tzinfo=UTC))
    with place.evidence.writer(stored.run_id, "screenshots") as writer:
        reference = writer.write_resource(capture, "image/png", payload)
    place.repository.attach_screenshot(stored.run_id, [stored.finding.fingerprint], reference)
    return reference


def _write(inspect: Inspect, out: Path, *more: str) -> tuple[str, dict[str, bytes]]:
    answer = inspect("report", "rectification", "--date", DAY.isoformat(), "--out", str(out), *more)
    assert answer.code == 0, answer.err
    return answer.out, {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}


NOTICE, LIST = "整改通知单-区教育局-2026-11-23.docx", "整改问题清单-2026-11-23.xlsx"


def test_each_unit_with_something_to_mend_gets_a_notice_and_all_are_listed(inspect, place, tmp_path):
    _fault(place)
    _fault(place, "gonganju")
    _fault(place, "caizhengju", state=FaultState.CONFIRMED)
    said, files = _write(inspect, tmp_path / "out")
    assert set(files) == {NOTICE, "整改通知单-区公安局-2026-11-23.docx", LIST}
    assert said.count("已写出") == 3
    text = whole(files[NOTICE])
    assert all(told in text for told in (PAGE, "没有公开属性", "关于教育督导的通知", "2026年11月20日"))
    rows = list(load_workbook(BytesIO(files[LIST])).active.iter_rows(min_row=5, values_only=True))
    assert {row[1] for row in rows} == {"区教育局", "区公安局"}


def test_nothing_to_mend_writes_nothing_and_says_so(inspect, place, tmp_path):
    _fault(place, state=FaultState.MENDED)
    said, files = _write(inspect, tmp_path / "out")
    assert "没有整改中的问题，什么也没有写。" in said
    assert files == {}


def test_only_what_was_seen_after_its_deadline_is_overdue(inspect, place, tmp_path):
    _fault(place, overdue_since=date(2026, 11, 21))
    _fault(place, target="http://www.example.test/2.html")
    _, files = _write(inspect, tmp_path / "all")
    assert whole(files[NOTICE]).count("已逾期3天") == 2  # in the letter and beside the one fault
    _, files = _write(inspect, tmp_path / "overdue", "--overdue")
    assert "你单位有1个" in whole(files[NOTICE])
    said, files = _write(inspect, tmp_path / "other", "--overdue", "--unit", "区公安局")
    assert "没有逾期未改的问题" in said
    assert files == {}


def test_a_deadline_that_has_passed_unseen_is_neither_met_nor_missed(inspect, place, tmp_path):
    _fault(place)
    text = whole(_write(inspect, tmp_path / "out")[1][NOTICE])
    assert "2026年11月20日（期限已过，尚待巡查复查）" in text
    assert "逾期" not in text


def test_a_place_without_an_address_is_told_by_the_names_that_people_know(inspect, place, tmp_path):
    _fault(place, target="jiaoyuju/policy")
    _fault(place, target="jiaoyuju")
    text = whole(_write(inspect, tmp_path / "out")[1][NOTICE])
    assert "区教育局“政策文件”栏目" in text
    assert "区教育局（整个单位）" in text
    assert "jiaoyuju" not in text


def test_the_screenshot_of_the_last_finding_is_shown(inspect, place, tmp_path):
    _picture(place, _fault(place), png())
    _, files = _write(inspect, tmp_path / "out")
    assert len(Document(BytesIO(files[NOTICE])).inline_shapes) == 1


def test_a_screenshot_that_is_lost_stops_no_notice(inspect, place, tmp_path):
    reference = _picture(place, _fault(place), png())
    (place.evidence.folder / reference.warc_file).unlink()
    _, files = _write(inspect, tmp_path / "out")
    assert "截图缺失" in whole(files[NOTICE])


def test_a_damaged_screenshot_stops_no_notice(inspect, place, tmp_path):
    reference = _picture(place, _fault(place), png())
    path = place.evidence.folder / reference.warc_file
    content = bytearray(path.read_bytes())
    content[reference.offset + 20 :] = bytes(len(content) - reference.offset - 20)
    path.write_bytes(content)
    _, files = _write(inspect, tmp_path / "out")
    assert "截图缺失" in whole(files[NOTICE])


def test_a_picture_that_is_none_stops_no_notice(inspect, place, tmp_path):
    _picture(place, _fault(place), b"<html>no picture</html>")
    _, files = _write(inspect, tmp_path / "out")
    assert "截图文件不能用" in whole(files[NOTICE])


def test_a_finding_that_is_gone_stops_no_notice(inspect, place, tmp_path):
    _fault(place, finding_id=4711)
    _, files = _write(inspect, tmp_path / "out")
    assert PAGE in whole(files[NOTICE])


def test_the_same_ledger_gives_the_same_files(inspect, place, tmp_path):
    _fault(place)
    first = _write(inspect, tmp_path / "out")[1]
    assert _write(inspect, tmp_path / "out")[1] == first


def test_wrong_input_is_refused_in_a_sentence(inspect, place, tmp_path):
    answer = inspect("report", "rectification", "--unit", "区交于局", "--out", str(tmp_path / "out"))
    assert answer.code == 2
    assert not (tmp_path / "out").exists()
    assert inspect("report", "rectification", "--date", "昨天").code == 2


def test_a_folder_that_cannot_be_written_is_told(inspect, place, tmp_path):
    _fault(place)
    (tmp_path / "out").write_text("a file")
    answer = inspect("report", "rectification", "--out", str(tmp_path / "out"))
    assert answer.code == 5
    assert "无法写出" in answer.err
