"""`inspect rescore`: a night comes out as it did, or says where not; other rules show who would move."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from checks.model import Capture, Mode, PageRole, Visit
from crawler.sink import Exchange
from fixtures.district.inventory import write_config
from fixtures.district.model import World
from fixtures.district.render import SiteRenderer
from inspection.place import Place, opened
from inspection.progress import Progress
from inspection.recording import recording
from inspection.rescoring import put_right
from inspection.run import Request, inspect_units
from inspection.settings import resolve
from scoring.review import FaultState, Step
from storage.errors import EvidenceDiskFull
from storage.model import AnnualVersion, RunKind
from storage.pruned import PrunedFile
from storage.record_members import whole_records
from storage.scored import ScoredNight, ScoredNights
from storage.tables import FindingRow, UnitScoreRow
from tests.cli.conftest import Answer, Inspect
from tests.inspection.nights import Nights
from tests.made_district import made_district

DAY = date(2026, 11, 23)
WORLD: World = made_district(DAY)
UNIT, NAME, SITE = "jiaoyuju", "区教育局", "jyj"


class Crawled:
    """A crawl that asks the made-up site without a network: home, lists, and what they show."""

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
                for order, article in enumerate(article for article in column.articles[:3] if article.file is None):
                    self._see(recorder, article.listed_path, PageRole.ARTICLE, column.id, order)

    def _see(self, recorder, path, role, column=None, order=0):  # type: ignore[no-untyped-def]
        response = self._renderer.answer(path)
        headers = (("content-type", response.content_type),)
        url = self._renderer.site.origin + path
        capture = Capture(
            SITE, url, Mode.STATIC, datetime(2026, 11, 23, 4, tzinfo=UTC), url, status=200, headers=headers
        )
        recorder.store(capture, Exchange("GET", (), "200 OK", headers, response.body))
        recorder.visit(Visit(SITE, url, role, order, unit_id=column and UNIT, column_id=column))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_config(WORLD, 53, tmp_path / "config")
    return tmp_path / "config"


@pytest.fixture
def place(inspect: Inspect, config: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A workplace with one night in it."""
    monkeypatch.setattr("inspection.run.Crawling", Crawled)
    monkeypatch.setattr("inspection.run.illustrate", lambda *_: None)
    rules = config / "rules.toml"
    rules.write_text(rules.read_text().replace("coverage_floor = 0.8", "coverage_floor = 0.01"))
    with opened(resolve(config, data, environment={})) as place:
        report = inspect_units(place, Request(RunKind.NIGHTLY, DAY, (UNIT,)))
        assert report.scores[0].published
        yield place


def stored(place: Place) -> object:
    return place.repository.runs(), place.repository.findings(), place.repository.scores()


def edited(config: Path, folder: Path, old: str, new: str) -> str:
    text = (config / "rules.toml").read_text()
    assert old in text
    other = folder / "other.toml"
    other.write_text(text.replace(old, new))
    return str(other)


# ---------------------------------------------------------------- by its own files


@pytest.mark.usefixtures("place")
def test_a_night_comes_out_as_it_did(inspect: Inspect) -> None:
    answer = inspect("rescore", "--run", "1")
    assert answer.code == 0, answer.err
    assert "都与当时一致" in answer.out
    document = inspect("rescore", "--run", "1", "--json").document
    assert document["same"] is True
    assert document["judged"]["findings"] > 100
    assert (document["findings"], document["scores"], document["sites"]) == ([], [], [])


def test_a_night_comes_out_as_it_did_whatever_was_changed_since(inspect: Inspect, place: Place, config: Path) -> None:
    rules = config / "rules.toml"
    rules.write_text(rules.read_text().replace("news = 14", "news = 1"))
    visits = place.repository.visits(1, SITE)
    place.repository.add_register(DAY, [])
    assert visits
    answer = inspect("rescore", "--run", "1", "--json")
    assert answer.code == 0, answer.err
    assert answer.document["same"] is True


def test_an_edited_finding_and_an_edited_score_are_named(inspect: Inspect, place: Place) -> None:
    fault = next(one for one in place.repository.findings(run_id=1) if one.finding.outcome == "FAIL")
    with place.database.writing() as session:
        session.execute(update(FindingRow).where(FindingRow.id == fault.id).values(outcome="PASS"))
        session.execute(update(UnitScoreRow).values(score="99.99"))
    answer = inspect("rescore", "--run", "1", "--json")
    assert answer.code == 6
    (change,) = answer.document["findings"]
    assert (change["unit"], change["check"], change["target"]) == (NAME, fault.finding.check, fault.finding.target)
    assert (change["before"]["outcome"], change["after"]["outcome"]) == ("PASS", "FAIL")
    assert change["after"]["fingerprint"] == fault.finding.fingerprint
    (score,) = answer.document["scores"]
    assert score["before"]["score"] == 99.99
    assert score["after"]["score"] != 99.99
    told = inspect("rescore", "--run", "1")
    assert told.code == 6
    assert fault.finding.fingerprint in told.out


# ---------------------------------------------------------------- what can be read no more


@pytest.mark.parametrize("lost", ["*.warc.gz", "inputs.json.gz"])
def test_what_is_missing_stops_the_judging_and_is_named(inspect: Inspect, place: Place, lost: str) -> None:
    before = stored(place)
    for path in (place.evidence.folder / "1").glob(lost):
        path.unlink()
    answer = inspect("rescore", "--run", "1")
    assert answer.code == 5
    assert lost.removeprefix("*") in answer.err
    assert "备份" in answer.err
    assert stored(place) == before


def test_a_configuration_that_is_gone_is_named(inspect: Inspect, place: Place, config: Path) -> None:
    shutil.rmtree(place.evidence.folder / "1" / "configuration")
    rules = config / "rules.toml"
    rules.write_text(rules.read_text().replace("news = 14", "news = 1"))
    answer = inspect("rescore", "--run", "1")
    assert answer.code == 5
    assert "configuration" in answer.err


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--run", "7"), 5, "没有编号为 7 的巡查"),
        (("--run", "1", "--rules", "没有.toml"), 2, "读不到文件"),
    ],
)
def test_what_cannot_be_done_is_said(inspect: Inspect, arguments: tuple[str, ...], code: int, said: str) -> None:
    answer = inspect("rescore", *arguments)
    assert answer.code == code
    assert said in answer.err


# ---------------------------------------------------------------- by other files


def test_other_rules_show_who_would_move_and_store_nothing(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path
) -> None:
    before = stored(place)
    stricter = edited(config, tmp_path, "news = 14", "news = 1")
    answer = inspect("rescore", "--run", "1", "--rules", stricter, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["trial"] is True
    assert {change["check"] for change in answer.document["findings"]} == {"column_freshness"}
    assert "什么也没有保存" in inspect("rescore", "--run", "1", "--rules", stricter).out
    assert stored(place) == before


def test_other_rules_that_only_have_another_version_move_nobody(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path
) -> None:
    version = place.configuration.rules.version
    other = edited(config, tmp_path, f'version = "{version}"', 'version = "2099.1"')
    answer = inspect("rescore", "--run", "1", "--rules", other, "--json")
    assert (answer.code, answer.document["same"]) == (0, True)


# ---------------------------------------------------------------- by other files, published


WORDS = ("--by", "张三", "--why", "时限改了")


def publish(inspect: Inspect, rules: str, *more: str) -> Answer:
    return inspect("rescore", "--run", "1", "--rules", rules, "--publish", *(more or WORDS), "--json")


def test_a_published_rescore_stands_beside_what_it_replaces(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path
) -> None:
    (before,) = place.repository.scores(DAY)
    ledger = place.faults.faults()
    stricter = edited(config, tmp_path, "news = 14", "news = 1")
    answer = publish(inspect, stricter)
    assert answer.code == 0, answer.err
    assert (answer.document["published"]["run"], answer.document["published"]["units"]) == (2, [NAME])
    (after,) = place.repository.scores(DAY)
    assert (after.run_id, before.run_id) == (2, 1)
    told = [{one.finding for one in place.repository.findings(number, check="column_freshness")} for number in (1, 2)]
    assert told[0] != told[1]
    run = place.repository.run(2)
    assert (run.kind, run.rescores, run.units, run.finished) == (RunKind.RESCORE, 1, (UNIT,), True)
    assert place.faults.faults() == ledger
    kept = place.evidence.folder / "2" / "configuration" / "rules.toml"
    assert kept.read_text() == Path(stricter).read_text()
    assert ScoredNights(place.database).between(DAY, DAY) == [ScoredNight(DAY, 1, (UNIT,), 2)]
    checked = inspect("evidence", "check", "--all", "--json")
    assert (checked.code, checked.document["broken"]) == (0, [])
    (unit,) = inspect("scores", "--date", str(DAY), "--json").document["units"]
    assert unit["score"] == float(after.score.score)
    assert (unit["first_published"]["run"], unit["first_published"]["score"]) == (1, float(before.score.score))
    assert "时限改了（经办人：张三" in unit["first_published"]["replaced"][0]["why"]
    assert "原公布" in inspect("scores", "--date", str(DAY)).out
    assert inspect("rescore", "--run", "1").code == 0  # the night itself still comes out as it did


def test_what_changes_nothing_is_not_published_again(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path
) -> None:
    stricter = edited(config, tmp_path, "news = 14", "news = 1")
    assert publish(inspect, stricter).code == 0
    runs = place.repository.runs()
    for answer in (publish(inspect, stricter), publish(inspect, stricter, "--by", "张三")):
        assert answer.code == 2
        assert "什么也没有保存" in answer.err or "--why" in answer.err
    assert place.repository.runs() == runs
    back = inspect("rescore", "--run", "1", "--publish", *WORDS, "--json")
    assert (back.code, back.document["published"]["run"]) == (0, 3)
    assert place.repository.scores(DAY)[0].score.score == place.repository.scores_of_run(1)[0].score.score


def test_a_later_night_of_the_day_keeps_its_own_scores(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path
) -> None:
    inspect_units(place, Request(RunKind.NIGHTLY, DAY, (UNIT,)))
    answer = publish(inspect, edited(config, tmp_path, "news = 14", "news = 1"))
    assert answer.code == 2
    assert "另一次巡查" in answer.err
    assert place.repository.scores(DAY)[0].run_id == 2


def test_revocations_hold_in_what_is_published_again(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = next(
        one.finding
        for one in place.repository.findings(run_id=1)
        if one.finding.outcome == "FAIL" and one.finding.weight
    )
    people = Nights(place, monkeypatch)
    people.take(DAY, Step.APPEAL, fault, by="李四")
    (taken,) = people.take(DAY, Step.REVOKE, fault, by="王五")
    assert taken.corrected == (DAY,)
    assert publish(inspect, edited(config, tmp_path, "news = 14", "news = 1")).code == 0
    (after,) = place.repository.scores(DAY)
    states = {
        one.state
        for one in place.repository.findings(run_id=after.run_id)
        if one.finding.fingerprint == fault.fingerprint
    }
    assert states == {FaultState.REVOKED}
    assert people.state(fault) is FaultState.REVOKED
    put_right(place, Progress())
    assert place.repository.scores(DAY)[0].run_id == after.run_id


def test_a_published_year_is_left_alone_and_the_correction_is_named(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path
) -> None:
    version = place.versions.add(AnnualVersion(2026, 1, "李四", "", date(2026, 12, 31), {}, {}, [], "sha256:0"))
    answer = publish(inspect, edited(config, tmp_path, "news = 14", "news = 1"))
    assert (answer.code, answer.document["published"]["corrections"]) == (0, [2026])
    assert place.versions.versions(2026) == [version]


def test_what_cannot_be_kept_is_not_published_and_can_be_later(
    inspect: Inspect, place: Place, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, stricter = place.repository.scores(DAY), edited(config, tmp_path, "news = 14", "news = 1")

    def full(*_: object) -> None:
        raise EvidenceDiskFull("证据文件夹所在磁盘已满。")

    with monkeypatch.context() as patched:
        patched.setattr("inspection.publishing_again.write_whole", full)
        assert publish(inspect, stricter).code == 5
    assert place.repository.scores(DAY) == before
    assert publish(inspect, stricter).document["published"]["run"] == 3


# ---------------------------------------------------------------- every way that evidence is missing


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50] = bytes(50)
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def leave_out(path: Path) -> None:
    """Pack the file again without one of its records: it is sound, and says nothing of the page."""
    whole = [(begin, end, block) for begin, end, block in whole_records(path)]
    responses = [place for place, (_, _, block) in enumerate(whole) if b"WARC-Type: response" in block[:2000]]
    content, gone = path.read_bytes(), responses[len(responses) // 2]
    path.write_bytes(b"".join(content[begin:end] for place, (begin, end, _) in enumerate(whole) if place != gone))


@pytest.mark.parametrize("spoil", [damage, cut_off, leave_out])
def test_a_record_that_is_damaged_or_gone_is_an_error_and_no_fault(inspect: Inspect, place: Place, spoil) -> None:  # type: ignore[no-untyped-def]
    before = stored(place)
    (path,) = (place.evidence.folder / "1").glob("*.warc.gz")
    spoil(path)
    answer = inspect("rescore", "--run", "1")
    assert (answer.code, answer.out) == (5, "")
    assert path.name in answer.err
    assert "404" not in re.sub("<urn:uuid:[^>]*>", "", answer.err)  # in which any digits may stand
    assert stored(place) == before


def other_inputs(path: Path) -> None:
    document = json.loads(gzip.decompress(path.read_bytes()))
    path.write_bytes(gzip.compress(json.dumps(document | {"seed": "another"}).encode()))


def other_rules(path: Path) -> None:
    path.write_text(path.read_text().replace("news = 14", "news = 1"))


@pytest.mark.parametrize(
    ("name", "change"), [("inputs.json.gz", other_inputs), ("configuration/rules.toml", other_rules)]
)
def test_what_a_night_was_judged_by_must_be_as_it_was_sealed(inspect: Inspect, place: Place, name: str, change) -> None:  # type: ignore[no-untyped-def]
    before, path = stored(place), place.evidence.folder / "1" / name
    kept = path.read_bytes()
    change(path)
    assert path.read_bytes() != kept
    answer = inspect("rescore", "--run", "1")
    assert (answer.code, answer.out) == (5, "")
    assert f"{name} 不是封存时的那一份；请从备份恢复这个文件" in answer.err
    assert stored(place) == before
    path.write_bytes(kept)
    assert inspect("rescore", "--run", "1").code == 0


def test_who_cleared_the_evidence_is_told(inspect: Inspect, place: Place) -> None:
    (path,) = (place.evidence.folder / "1").glob("*.warc.gz")
    place.pruned.enter([PrunedFile(1, path.name, path.stat().st_size, "0", "张三", "保存期满")])
    path.unlink()
    (place.evidence.folder / "1" / "inputs.json.gz").unlink()
    answer = inspect("rescore", "--run", "1")
    assert answer.code == 5
    for said in ("由 张三 清理（保存期满）", path.name, "inputs.json.gz"):
        assert said in answer.err
