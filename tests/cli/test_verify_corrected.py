"""Scores put right and years published, in a package: what was said again is made again, and an edit of it is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inspection.judging_again import judge_again
from inspection.progress import Progress
from inspection.publishing import digest_of, publish
from inspection.publishing_again import publish_again
from inspection.selection import Asked
from scoring.annual import reckoned_again
from scoring.frozen import annual_of, document_of
from scoring.review import Step
from storage.manifest import digests_of
from tests.cli.tampering import Files, broken, files_of, repacked, resealed, verified
from tests.inspection.nights import Nights
from tests.inspection.packages import DAY, UNIT, MadePackage

NEXT = DAY + timedelta(days=1)
YEAR = "inspection/published/2026-1.json"
AGAIN, PUT_RIGHT = 3, 5  # run 2 judged by other rules; that one put right (as run 1 is, by run 4)


@pytest.fixture(scope="module")
def files(made: MadePackage, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A year whose second night was judged again by stricter rules, and that then lost a fault to an appeal."""
    folder = tmp_path_factory.mktemp("corrected")
    mine, stricter = replace(made, data=Path(shutil.copytree(made.data, folder / "data"))), folder / "rules.toml"
    stricter.write_text((made.config / "rules.toml").read_text().replace("news = 14", "news = 1"))
    with mine.place() as place, pytest.MonkeyPatch.context() as patch:
        again = judge_again(place, 2, {"rules.toml": stricter}, Progress(), publishing=True)
        assert publish_again(place, again, Progress(), by="张三", why="时限改了").run.id == AGAIN
        both = [{one.finding.fingerprint for one in place.repository.findings(run_id=run)} for run in (1, AGAIN)]
        fault = next(
            one.finding
            for one in place.repository.findings(run_id=1)
            if one.finding.outcome == "FAIL" and one.finding.weight and one.finding.fingerprint in both[1]
        )
        people = Nights(place, patch)
        people.take(NEXT, Step.APPEAL, fault, by="李四")
        people.take(NEXT, Step.REVOKE, fault, by="王五")
        for name in ("_require_past", "_require_complete"):  # most of the year was never inspected
            patch.setattr(f"inspection.publishing.{name}", lambda *_: None)
        publish(place, 2026, NEXT, by="张三")
    mine.export(folder / "year.wacz", Asked(year=2026))
    return files_of(folder / "year.wacz")


def test_what_was_judged_again_and_put_right_holds(files: Files, tmp_path: Path) -> None:
    contents = json.loads(files["inspection/contents.json"])
    assert [(run["run"], run["stands_on"]) for run in contents["runs"]] == [
        (1, None),
        (2, None),
        (3, 2),
        (4, 1),
        (5, 3),
    ]
    assert f"inspection/runs/{AGAIN}/configuration/rules.toml" in files
    verification = verified(repacked(files, tmp_path / "a.wacz"))
    assert broken(verification) == {}
    assert verification.exit_code == 0


@pytest.mark.parametrize("run", [AGAIN, PUT_RIGHT], ids=["judged again", "put right"])
def test_a_finding_or_score_of_a_correction_cannot_be_edited(files: Files, tmp_path: Path, run: int) -> None:
    name = f"inspection/runs/{run}/findings/{UNIT}.jsonl"
    edited = files[name].replace(b'"outcome":"FAIL"', b'"outcome":"PASS"', 1)
    assert edited != files[name]

    def reseal(manifest: dict[str, Any]) -> None:
        manifest["findings"]["units"][UNIT] = digests_of([edited]).document

    found = broken(verified(repacked(resealed(files | {name: edited}, run, reseal), tmp_path / "a.wacz")))
    assert "sealed" not in found
    assert name in found["judgement"]


def with_year(files: Files, change: Callable[[dict[str, Any]], None]) -> Files:
    """Change a published result, and make its digest fit."""
    document = json.loads(files[YEAR])
    change(document)
    document["digest"] = digest_of({key: document[key] for key in ("inputs", "result")})
    return files | {YEAR: json.dumps(document).encode()}


def test_a_total_of_a_published_year_cannot_be_edited(files: Files, tmp_path: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        document["result"]["units"][0]["total"] = "99.99"

    found = broken(verified(repacked(with_year(files, better), tmp_path / "a.wacz")))
    assert (
        f"{YEAR} {annual_of(json.loads(files[YEAR])['result']).units[0].unit_id}：总分公布的是 99.99"
        in found["published"]
    )


def test_a_daily_mean_cannot_be_edited_though_all_sums_come_out(files: Files, tmp_path: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        unit = next(each for each in document["result"]["units"] if each["unit_id"] == UNIT)
        row = next(each for each in unit["indicators"] if each["site"] not in (None, "1"))
        row["site"] = "1"
        document["result"] = document_of(reckoned_again(annual_of(document["result"])))

    found = broken(verified(repacked(with_year(files, better), tmp_path / "a.wacz")))
    assert f"{YEAR} {UNIT}" in found["published"]
    assert "日均值公布的是 1.000000" in found["published"]
