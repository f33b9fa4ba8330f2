"""清理: what nothing rests on goes, what anything rests on stays, and what went is told for what it is."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from checks.model import Capture, EvidenceRef, Finding, Mode, Probe, ProbeKind
from crawler.sink import Exchange
from inspection.errors import EvidenceUnavailable, InvalidInput, RunInProgress
from inspection.evidence_check import check_evidence
from inspection.judging import Judgement
from inspection.locks import lock_file
from inspection.missing_files import require_files
from inspection.place import Place, opened
from inspection.pruning import LED_TO, LOST_POINTS, UNFINISHED_RUN, UNSEALED, YEAR_OPEN, preview, prune
from inspection.recording import recording
from inspection.run import Request, inspect_units
from inspection.sealing import folder_of, seal_waiting
from inspection.settings import resolve
from scoring.review import FaultState, Step
from storage.manifest import MANIFEST
from storage.model import AnnualVersion, RunKind, RunState
from tests.inspection.nights import FAULTY, FINE, REST, UNIT, Nights
from tests.made_district import write_made_config

DAY = date(2024, 3, 4)
NEXT = DAY + timedelta(days=1)
BEFORE = date(2024, 7, 1)
HOST = "http://jyj.luancheng.test:8000"
NOON = datetime(2024, 3, 4, 4, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    write_made_config(DAY, tmp_path / "config")
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    with opened(resolve(tmp_path / "config", tmp_path / "data", url, environment={})) as place:
        yield place


class Seen:
    """Nights whose pages lie in evidence files of their own, a file a page, as several children would leave them."""

    def __init__(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.monkeypatch = place, monkeypatch
        monkeypatch.setattr("inspection.run.illustrate", lambda *_: None)

    def night(
        self, day: date, pages: dict[str, bytes], *faulty: str, kind: RunKind = RunKind.NIGHTLY, stop: bool = False
    ) -> int:
        """Capture pages, by name, and find those of `faulty` to be faulty, citing their records; return the run."""
        place = self.place

        class Crawled:
            def __init__(self, _: Place, run_id: int, *__: object) -> None:
                self._run_id = run_id

            def capture(self, *_: object) -> None:
                for name, body in pages.items():
                    with recording(place.repository, place.evidence, self._run_id, name) as recorder:
                        capture = Capture("jyj", f"{HOST}/{name}", Mode.STATIC, NOON, f"{HOST}/{name}", status=200)
                        recorder.store(capture, Exchange("GET", (), "200 OK", (), body))
                        answer = {"digest": name, "shingles": "long" * 50}
                        recorder.probe(Probe("jyj", ProbeKind.FETCH, f"{HOST}/{name}", 0, NOON, answer))
                if stop:
                    raise KeyboardInterrupt

        def judged(*_: object) -> list[Judgement]:
            run = place.repository.runs()[0]
            lies = {c.url: c.evidence for c in place.repository.captures(run.id, "jyj")}
            found = [fault(name, lies[f"{HOST}/{name}"]) for name in faulty]
            passing = [replace(FINE, target=url) for url in lies if url not in {one.target for one in found}]
            return [Judgement({UNIT: [*REST, *passing, *found]}, {"jyj": ()}, ())]

        self.monkeypatch.setattr("inspection.run.Crawling", Crawled)
        self.monkeypatch.setattr("inspection.night.judge_in_pieces", judged)
        inspect_units(place, Request(kind, day, (UNIT,)))
        return place.repository.runs()[0].id

    def files(self, run_id: int) -> set[str]:
        """The evidence files that a run has still, by the name of their page."""
        return {path.name.split("-")[0] for path in folder_of(self.place, run_id).glob("*.warc.gz")}

    def publish_year(self, last_day: date = date(2024, 12, 31)) -> None:
        """Freeze the year, whatever is in it."""
        version = AnnualVersion(2024, 1, "李四", "", last_day, {}, {}, [], "sha256:0")
        self.place.versions.add(version)

    def clear(self, before: date = BEFORE):  # type: ignore[no-untyped-def]
        """Clear what may go."""
        return prune(self.place, before, by="张三", why="保存期满")


def fault(name: str, evidence: EvidenceRef | None = None) -> Finding:
    return replace(FAULTY, target=f"{HOST}/{name}", evidence=(evidence,) if evidence else ())


@pytest.fixture
def seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(place, monkeypatch)


def mend(seen: Seen, *names: str) -> None:
    """See pages to be good in a later year, in the next run."""
    seen.night(date(2026, 11, 20), {name: b"mended " + name.encode() for name in names})


# ---------------------------------------------------------------- what stays, what goes


def test_scores_of_a_year_that_is_not_published_keep_their_nights_whole(seen: Seen) -> None:
    run = seen.night(DAY, {"a": b"1", "b": b"2"})
    (one,) = preview(seen.place, BEFORE)
    assert (one.files, one.kept) == ({}, {YEAR_OPEN: 2})
    seen.clear()
    assert seen.files(run) == {"a", "b"}
    assert seen.place.pruned.files() == []


def test_a_published_year_keeps_what_its_lost_points_cite(seen: Seen) -> None:
    run = seen.night(DAY, {"a": b"1", "b": b"2"}, "a")
    mend(seen, "a")
    seen.publish_year()
    (one,) = preview(seen.place, BEFORE)
    assert (list(one.files), one.kept) == (["b-00000.warc.gz"], {LOST_POINTS: 1})
    assert one.freed == (folder_of(seen.place, run) / "b-00000.warc.gz").stat().st_size
    assert seen.files(run) == {"a", "b"}  # a preview changes nothing
    seen.clear()
    assert seen.files(run) == {"a"}
    (file,) = seen.place.pruned.files()
    assert (file.path, file.actor, file.why, file.length) == (f"{run}/b-00000.warc.gz", "张三", "保存期满", one.freed)
    (folder,) = [folder_of(seen.place, run)]
    assert {MANIFEST, "inputs.json.gz", "findings.jsonl.gz", "scores.json"} <= {path.name for path in folder.iterdir()}


def test_days_after_the_last_that_a_published_version_counts_stay_whole(seen: Seen) -> None:
    seen.night(DAY, {"a": b"1"})
    later = seen.night(date(2024, 5, 6), {"b": b"2"})
    seen.publish_year(date(2024, 4, 30))
    first, second = preview(seen.place, BEFORE)
    assert (len(first.files), second.run.id, second.kept) == (1, later, {YEAR_OPEN: 1})


@pytest.mark.parametrize("state", ["已确认", "整改中", "申诉中", "维持", "豁免"])
def test_what_a_fault_rests_on_that_is_not_settled_stays(seen: Seen, monkeypatch, state: str) -> None:  # type: ignore[no-untyped-def]
    spot = seen.night(DAY, {"a": b"1", "b": b"2"}, "a", kind=RunKind.SPOT)
    people = Nights(seen.place, monkeypatch)
    steps = {
        "整改中": [(Step.RECTIFY, "张三", {"until": NEXT})],
        "申诉中": [(Step.APPEAL, "李四", {})],
        "维持": [(Step.APPEAL, "李四", {}), (Step.UPHOLD, "王五", {})],
        "豁免": [(Step.WAIVE, "张三", {"until": NEXT})],
    }
    for step, by, more in steps.get(state, []):
        (taken,) = people.take(DAY, step, fault("a"), by=by, **more)
        assert not taken.refused
    assert people.state(fault("a")) == state
    (one,) = seen.clear()
    assert (list(one.files), one.kept) == (["b-00000.warc.gz"], {f"有问题还没有了结（{state}）": 1})
    assert seen.files(spot) == {"a"}


def test_a_revoked_fault_holds_nothing(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    spot = seen.night(DAY, {"a": b"1"}, "a", kind=RunKind.SPOT)
    people = Nights(seen.place, monkeypatch)
    people.take(DAY, Step.APPEAL, fault("a"), by="李四")
    people.take(DAY, Step.REVOKE, fault("a"), by="王五")
    assert people.state(fault("a")) is FaultState.REVOKED
    seen.clear()
    assert seen.files(spot) == set()


def test_originals_that_kept_nights_lead_to_stay(seen: Seen) -> None:
    first = seen.night(DAY, {"a": b"same", "b": b"2"})
    seen.publish_year()
    kept = seen.night(date(2025, 2, 3), {"a": b"same"})
    (one,) = preview(seen.place, BEFORE)
    assert (list(one.files), one.kept) == (["b-00000.warc.gz"], {LED_TO: 1})
    seen.clear(date(2025, 6, 1))  # its year is not published: the night leads to the first one's record
    assert seen.files(first) == {"a"}
    (capture,) = seen.place.repository.captures(kept, "jyj")
    assert seen.place.evidence.read_payload(capture.evidence) == b"same"


def test_answers_that_kept_nights_name_in_place_of_the_same_stay(seen: Seen) -> None:
    first = seen.night(DAY, {"a": b"1"})
    seen.publish_year()
    seen.night(date(2025, 2, 3), {"a": b"2"})  # another page, but the fetch brought the same
    (one,) = preview(seen.place, BEFORE)
    assert (one.files, one.kept) == ({}, {LED_TO: 1})
    seen.clear()
    assert seen.files(first) == {"a"}


def test_a_night_of_the_same_day_whose_scores_do_not_count_goes(seen: Seen) -> None:
    old = seen.night(DAY, {"a": b"1"})
    new = seen.night(DAY, {"b": b"2"})
    seen.clear()
    assert (seen.files(old), seen.files(new)) == (set(), {"b"})


def test_what_is_not_finished_or_not_sealed_is_not_touched(seen: Seen) -> None:
    unsealed = seen.night(DAY, {"a": b"1"}, kind=RunKind.SPOT)
    (folder_of(seen.place, unsealed) / MANIFEST).unlink()
    seen.place.repository.runs()
    with pytest.raises(KeyboardInterrupt):
        seen.monkeypatch.setattr("inspection.run.try_to_seal", lambda _: "")
        seen.night(DAY, {"b": b"2"}, kind=RunKind.SPOT, stop=True)
    first, second = seen.clear()
    assert (first.files, first.kept) == ({}, {UNSEALED: 1})
    assert (second.files, second.kept) == ({}, {UNFINISHED_RUN: 1})


# ---------------------------------------------------------------- what is refused


def test_nothing_within_the_time_of_keeping_goes(seen: Seen) -> None:
    with pytest.raises(InvalidInput, match="至少保存 400 天"):
        seen.clear(date(2026, 11, 1))
    with pytest.raises(InvalidInput, match="--why"):
        prune(seen.place, BEFORE, by="张三", why=" ")
    with pytest.raises(InvalidInput, match="--by"):
        prune(seen.place, BEFORE, by="", why="保存期满")


def test_nothing_goes_while_a_run_goes_on(seen: Seen) -> None:
    spot = seen.night(DAY, {"a": b"1"}, kind=RunKind.SPOT)
    with lock_file(seen.place, "evidence") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(RunInProgress, match="正在进行"):
            seen.clear()
    assert seen.files(spot) == {"a"}


def test_a_file_that_is_not_as_sealed_is_named_and_stays(seen: Seen) -> None:
    spot = seen.night(DAY, {"a": b"1", "b": b"2", "c": b"3"}, kind=RunKind.SPOT)
    changed, longer = (folder_of(seen.place, spot) / f"{name}-00000.warc.gz" for name in "ab")
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    longer.write_bytes(longer.read_bytes() + b"x")
    (one,) = seen.clear()
    assert (set(one.altered), list(one.files)) == ({changed.name, longer.name}, ["c-00000.warc.gz"])
    assert seen.files(spot) == {"a", "b"}


# ---------------------------------------------------------------- afterwards


def test_a_kill_between_leaves_what_a_repeat_finishes(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    spot = seen.night(DAY, {"a": b"1", "b": b"2"}, kind=RunKind.SPOT)
    unlink, removed = Path.unlink, list[Path]()

    def killed(path: Path, *given: object, **more: object) -> None:
        if path.name.endswith(".warc.gz"):
            if removed:
                raise KeyboardInterrupt
            removed.append(path)
        unlink(path, *given, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            seen.clear()
    assert len(seen.files(spot)) == 1
    assert len(seen.place.pruned.files()) == 2
    assert check_evidence(seen.place, spot).broken == []
    seen.clear()
    assert seen.files(spot) == set()
    assert len(seen.place.pruned.files()) == 2
    assert seen.clear() == ()


def test_checking_counts_what_was_cleared_and_misses_what_was_not(seen: Seen) -> None:
    spot = seen.night(DAY, {"a": b"1", "b": b"2"}, "a", kind=RunKind.SPOT)
    (one,) = seen.clear()
    checked = check_evidence(seen.place, spot)
    assert (checked.broken, checked.cleared_files, checked.cleared_bytes) == ([], 1, one.freed)
    (folder_of(seen.place, spot) / "a-00000.warc.gz").unlink()
    (broken,) = check_evidence(seen.place, spot).broken
    assert broken.where == "a-00000.warc.gz"


def test_who_cleared_a_file_is_told_where_it_is_wanted(seen: Seen) -> None:
    seen.night(DAY, {"a": b"1"}, kind=RunKind.SPOT)
    seen.clear()
    files = ["1/a-00000.warc.gz", *(f"1/{number}.warc.gz" for number in range(12))]
    with pytest.raises(EvidenceUnavailable, match=r"由 张三 清理（保存期满）：1/a-00000\.warc\.gz") as told:
        require_files(seen.place, files, "不能重新判定")
    assert "等共 12 个" in str(told.value)


def test_a_page_whose_original_was_cleared_is_kept_anew(seen: Seen) -> None:
    seen.night(DAY, {"a": b"same"}, kind=RunKind.SPOT)
    seen.clear()
    run = seen.night(NEXT, {"a": b"same"})
    (capture,) = seen.place.repository.captures(run, "jyj")
    assert capture.evidence is not None
    assert capture.evidence.warc_file.startswith(f"{run}/")
    assert seal_waiting(seen.place) == []
    assert seen.place.repository.run(run).state is RunState.PUBLISHED
    assert seen.place.repository.scores(NEXT)[0].score.score > Decimal(0)
