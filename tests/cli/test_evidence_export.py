"""`inspect evidence export`: each way to ask gives a package that `inspect evidence verify` finds whole."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inspection.package import Contents, contents_of
from inspection.publishing import publish
from reports.entry_names import entry_of
from scoring.review import Step
from storage.model import RunKind
from storage.pruned import PrunedFile
from tests.cli.conftest import Answer, Inspect
from tests.inspection.nights import Nights
from tests.inspection.packages import DAY, NAME, NEIGHBOUR, UNIT, MadePackage

NEXT = DAY + timedelta(days=1)
Export = Callable[..., Answer]


@pytest.fixture
def spoilt(made: MadePackage, tmp_path: Path) -> MadePackage:
    """A copy of the place's data, to be changed."""
    return replace(made, data=Path(shutil.copytree(made.data, tmp_path / "copy")))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "导出.wacz"


@pytest.fixture
def export(inspect: Inspect, out: Path) -> Export:
    """Ask for a package of a place."""

    def ask(place: MadePackage, *arguments: str) -> Answer:
        where = ("--config", str(place.config), "--data", str(place.data))
        return inspect("evidence", "export", *arguments, "--out", str(out), *where)

    return ask


def contents(path: Path) -> Contents:
    with zipfile.ZipFile(path) as archive:
        return contents_of(archive.read(entry_of("inspection/contents.json")))


def failing(place: MadePackage) -> int:
    """Return the number of a fault that both nights saw."""
    with place.place() as opened:
        found = opened.repository.findings(run_id=2, check="personal_information")
        return next(one.id for one in found if one.finding.outcome == "FAIL")


# ---------------------------------------------------------------- what can be asked for


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        (("--unit", NAME), [2]),
        (("--unit", UNIT, "--from", f"{DAY}"), [1]),
        (("--unit", NAME, "--to", f"{DAY}"), [1]),
        (("--unit", NAME, "--from", f"{DAY}", "--to", f"{NEXT}"), [1, 2]),
        (("--unit", NAME, "--unit", "区财政局", "--from", f"{DAY}", "--to", f"{NEXT}"), [1, 2]),
        (("--unit", NAME, "--without-personal"), [2]),
    ],
    ids=["the newest run", "one day", "up to a day", "some days", "several units", "without personal information"],
)
def test_units_over_days_are_exported_and_verified(
    made: MadePackage, inspect: Inspect, export: Export, out: Path, arguments: tuple[str, ...], runs: list[int]
) -> None:
    answer = export(made, *arguments)
    assert answer.code == 0, answer.err
    assert f"已导出 {len(runs)} 次巡查" in answer.out
    assert ("因含个人信息未放入 1 条" in answer.out) == ("--without-personal" in arguments)
    assert [run.run for run in contents(out).runs] == runs
    assert contents(out).units == (UNIT,)  # the other unit was not inspected
    verified = inspect("evidence", "verify", str(out))
    assert verified.code == 0, verified.out


def test_a_finding_is_exported_and_verified(made: MadePackage, inspect: Inspect, export: Export, out: Path) -> None:
    number = failing(made)
    assert export(made, "--finding", str(number)).code == 0
    assert contents(out).finding == number
    assert inspect("evidence", "verify", str(out)).code == 0


@pytest.mark.parametrize("version", [(), ("--version", "1")], ids=["newest", "by number"])
def test_a_published_year_is_exported_and_verified(
    spoilt: MadePackage,
    inspect: Inspect,
    export: Export,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: tuple[str, ...],
) -> None:
    assert export(spoilt, "--year", "2026").code == 2  # not published yet
    for name in ("_require_past", "_require_complete"):  # most of the year was never inspected
        monkeypatch.setattr(f"inspection.publishing.{name}", lambda *_: None)
    with spoilt.place() as place:
        publish(place, 2026, DAY, by="张三")
    answer = export(spoilt, "--year", "2026", *version)
    assert answer.code == 0, answer.err
    inside = contents(out)
    assert (inside.year, inside.version, [run.run for run in inside.runs]) == (2026, 1, [1])
    verified = inspect("evidence", "verify", str(out))
    assert verified.code == 0, verified.out
    assert "2026年度第 1 版" in verified.out
    assert export(spoilt, "--year", "2026", "--version", "7").code != 0


def test_a_score_put_right_is_exported_with_what_it_replaces(
    spoilt: MadePackage, inspect: Inspect, export: Export, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with spoilt.place() as place:
        people, fault = Nights(place, monkeypatch), place.repository.finding(failing(spoilt))[0].finding
        people.take(NEXT, Step.APPEAL, fault, by="李四")
        (taken,) = people.take(NEXT, Step.REVOKE, fault, by="王五")
        assert taken.corrected
    answer = export(spoilt, "--unit", NAME, "--from", f"{DAY}", "--to", f"{NEXT}")
    assert answer.code == 0, answer.err
    assert [run.stands_on for run in contents(out).runs if run.kind == RunKind.RESCORE] == [1, 2]
    verified = inspect("evidence", "verify", str(out))
    assert verified.code == 0, verified.out


def test_what_other_sites_lack_stops_no_export(
    spoilt: MadePackage, inspect: Inspect, export: Export, out: Path
) -> None:
    with spoilt.place() as place:
        (place.evidence.folder / "1" / f"sites-{NEIGHBOUR}-00000.warc.gz").unlink()
    answer = export(spoilt, "--unit", NAME, "--from", f"{DAY}")
    assert answer.code == 0, answer.err
    assert inspect("evidence", "verify", str(out)).code == 0


# ---------------------------------------------------------------- what cannot


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--unit"),
        (("--unit", NAME, "--finding", "1"), 2, "不能与"),
        (("--unit", NAME, "--year", "2026", "--from", f"{DAY}"), 2, "不能与"),
        (("--unit", NAME, "--version", "1"), 2, "--year"),
        (("--unit", NAME, "--from", f"{NEXT}", "--to", f"{DAY}"), 2, "换过来"),
        (("--unit", NAME, "--from", "昨天"), 2, "昨天"),
        (("--unit", "区教育厅"), 2, "区教育局"),
        (("--unit", "区财政局"), 2, "没有该单位的巡查记录"),
        (("--unit", NAME, "--from", "2020-01-01", "--to", "2020-01-31"), 2, "换一段日期"),
        (("--year", "2025"), 2, "还没有公布过"),
        (("--finding", "999999"), 5, "999999"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_written(
    made: MadePackage, export: Export, out: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answer = export(made, *arguments)
    assert (answer.code, "Traceback" in answer.err) == (code, False), answer.err
    assert said in answer.err
    assert not out.exists()


def test_who_cleared_what_is_missing_is_told(
    spoilt: MadePackage, inspect: Inspect, export: Export, out: Path, tmp_path: Path
) -> None:
    file = "sites-jyj-00000.warc.gz"
    with spoilt.place() as place:
        place.pruned.enter([PrunedFile(1, file, 1, "00", "张三", "保存期满")])
        (place.evidence.folder / "1" / file).unlink()
    answer = export(spoilt, "--unit", NAME, "--from", f"{DAY}")
    assert answer.code == 5
    assert "由 张三 清理（保存期满）：1/sites-jyj-00000.warc.gz" in answer.err
    assert not out.exists()
    rules = tmp_path / "stricter.toml"
    rules.write_text((spoilt.config / "rules.toml").read_text().replace("news = 14", "news = 1"))
    where = ("--config", str(spoilt.config), "--data", str(spoilt.data))
    tried = inspect("rollup", "--year", "2026", "--rules", str(rules), *where)
    assert tried.code == 5
    assert f"{DAY}（第 1 次巡查）" in tried.err
    assert "由 张三 清理（保存期满）：1/sites-jyj-00000.warc.gz" in tried.err
