"""Sealed nights: what was seen and said can't change unseen, and the commands say what did."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from checks.model import Capture, Mode
from inspection.judging import Judgement
from inspection.place import Place, opened
from inspection.run import Request, inspect_units
from inspection.sealing import folder_of, seal, seal_waiting
from inspection.settings import resolve
from scoring.review import Step
from storage.errors import AlreadySealed, EvidenceDiskFull, SigningKeyRefused
from storage.manifest import MANIFEST, canonical, digests_of
from storage.model import Run, RunKind, RunState
from storage.signing import create_key, fingerprint, load_key, public_key_of, sign
from storage.tables import FindingRow, RunRow, UnitScoreRow
from tests.cli.conftest import Inspect
from tests.inspection.nights import ALIVE, FAULTY, FINE, PAGE, REST, UNIT, Nights
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
INDICATORS = "configuration/indicators.toml"
WARC = "batch-0001-00000.warc.gz"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_made_config(DAY, tmp_path / "config")
    return tmp_path / "config"


@pytest.fixture
def place(inspect: Inspect) -> Iterator[Place]:
    with opened(resolve()) as place:
        yield place


@pytest.fixture
def nights(place: Place, monkeypatch: pytest.MonkeyPatch) -> Nights:
    nights = Nights(place, monkeypatch)
    nights.night(DAY, FAULTY)
    nights.night(after(1), FAULTY)
    nights.night(after(2), FINE)
    return nights


def after(days: int) -> date:
    return DAY + timedelta(days=days)


def sealed(place: Place, run_id: int) -> dict:
    return json.loads((folder_of(place, run_id) / MANIFEST).read_bytes())


def unsealed(place: Place, *urls: str) -> Run:
    """Make a run that failed, after it kept a record of each address; it waits for its seal."""
    run = place.repository.create_run(
        kind=RunKind.SPOT, day=DAY, seed="s", rules_version="1", digests=place.digests_for(2026), site_ids=["jyj"]
    )
    with place.evidence.writer(run.id, "batch-0001") as writer:
        for url in urls:
            writer.write_failure(Capture("jyj", url, Mode.STATIC, datetime(2026, 11, 23, 1, tzinfo=UTC)))
    place.repository.set_run_state(run.id, RunState.FAILED)
    return place.repository.run(run.id)


def edit(path: Path, change: Callable[[bytearray], None]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def flip(path: Path) -> None:
    edit(path, lambda content: content.__setitem__(len(content) // 2, content[len(content) // 2] ^ 1))


# ---------------------------------------------------------------- sealing


def test_a_night_is_sealed_with_all_that_it_rests_on(place: Place, nights: Nights) -> None:
    folder, manifest = folder_of(place, 2), sealed(place, 2)
    assert {"findings.jsonl.gz", "scores.json", "configuration/rules.toml", INDICATORS} <= set(manifest["files"])
    assert (manifest["run"]["number"], manifest["run"]["kind"], manifest["run"]["day"]) == (2, "nightly", "2026-11-24")
    assert manifest["run"]["seed"] == "130111-2026-11-24"
    assert manifest["captures"] == {"ok": 1}
    assert manifest["findings"]["outcomes"] == {"FAIL": 1, "PASS": 3}
    assert {"xuncha", "python", "lxml", "pypdf"} <= set(manifest["sealed"]["software"])
    assert manifest["sealed"]["signer"] is None
    findings = gzip.decompress((folder / "findings.jsonl.gz").read_bytes())
    assert manifest["findings"]["sha256"] == hashlib.sha256(findings).hexdigest()
    assert [json.loads(line)["outcome"] for line in findings.splitlines()].count("FAIL") == 1
    assert manifest["scores"]["sha256"] == hashlib.sha256((folder / "scores.json").read_bytes()).hexdigest()
    rules = b"".join((folder / "configuration" / name).read_bytes() for name in ("rules.toml", "words.toml"))
    assert manifest["run"]["rules_digest"] == hashlib.sha256(rules).hexdigest()
    assert (folder / MANIFEST).read_bytes() == canonical(manifest)


OTHER = replace(FINE, unit_id="caizhengju")


def test_units_and_sites_have_digests_of_their_own(
    place: Place, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_site = replace(ALIVE, unit_id="")
    judgement = Judgement({UNIT: [*REST, FAULTY], OTHER.unit_id: [OTHER]}, {"czj": (), "jyj": (of_site,)}, ())
    monkeypatch.setattr("inspection.night.judge_in_pieces", lambda *_: [judgement])
    run = inspect_units(place, Request(RunKind.NIGHTLY, after(3), (UNIT, OTHER.unit_id))).run
    folder, manifest = folder_of(place, run.id), sealed(place, run.id)
    lines = gzip.decompress((folder / "findings.jsonl.gz").read_bytes()).splitlines(keepends=True)
    for unit, count in {UNIT: 4, OTHER.unit_id: 1}.items():
        its = [line for line in lines if json.loads(line)["unit_id"] == unit]
        assert len(its) == count
        assert manifest["findings"]["units"][unit] == digests_of(its).document
    scores = json.loads((folder / "scores.json").read_bytes())
    assert manifest["scores"]["units"] == {
        unit["unit_id"]: digests_of([canonical({"run": run.id, "unit": unit})]).document for unit in scores["units"]
    }
    assert manifest["scores"]["sites"] == {
        site["site_id"]: digests_of([canonical({"run": run.id, "site": site})]).document for site in scores["sites"]
    }
    assert {site["site_id"] for site in scores["sites"]} == {"czj", "jyj"}


def test_every_night_names_the_one_before(place: Place, nights: Nights) -> None:
    nights.night(after(2), FAULTY, kind=RunKind.SPOT)
    nights.night(after(3), FINE)
    assert [(sealed(place, run)["previous"] or {}).get("run") for run in (1, 2, 3, 4, 5)] == [None, 1, 2, 3, 3]
    digest = hashlib.sha256((folder_of(place, 1) / MANIFEST).read_bytes()).hexdigest()
    assert sealed(place, 2)["previous"]["sha256"] == digest


def test_sealing_again_changes_nothing_unless_something_was_changed(place: Place, nights: Nights) -> None:
    before = (folder_of(place, 2) / MANIFEST).read_bytes()
    seal(place, place.repository.run(2))
    assert (folder_of(place, 2) / MANIFEST).read_bytes() == before
    flip(folder_of(place, 2) / "scores.json")
    with pytest.raises(AlreadySealed, match=r"第 2 次巡查已经封存.*scores\.json"):
        seal(place, place.repository.run(2))
    assert (folder_of(place, 2) / MANIFEST).read_bytes() == before


def test_sealing_again_with_other_results_is_refused(place: Place, nights: Nights) -> None:
    with place.database.writing() as session:
        session.execute(update(UnitScoreRow).where(UnitScoreRow.run_id == 2).values(score="99.99"))
    with pytest.raises(AlreadySealed, match="得分与封存时不同"):
        seal(place, place.repository.run(2))


def test_a_run_that_scores_again_names_what_it_stands_on(place: Place, nights: Nights) -> None:
    nights.take(after(2), Step.APPEAL, FAULTY)
    nights.take(after(2), Step.REVOKE, FAULTY, by="李四")
    rescored = [run for run in place.repository.runs(kind=RunKind.RESCORE) if run.rescores == 2]
    seal_waiting(place)
    manifest = sealed(place, rescored[0].id)
    digest = hashlib.sha256((folder_of(place, 2) / MANIFEST).read_bytes()).hexdigest()
    assert (manifest["stands_on"]["run"], manifest["stands_on"]["sha256"]) == (2, digest)
    assert sorted(manifest["files"]) == ["findings.jsonl.gz", "index.cdxj", "scores.json"]
    assert (sealed(place, 1)["stands_on"], manifest["run"]["kind"]) == (None, "rescore")


def test_a_full_disk_leaves_the_night_done_and_the_next_start_seals_it(
    place: Place, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise EvidenceDiskFull("磁盘已满")

    with monkeypatch.context() as patched:
        patched.setattr("inspection.sealing.write_pieces", full)
        report = inspect_units(place, Request(RunKind.NIGHTLY, after(3), (UNIT,)))
    assert (report.exit_code, report.unsealed) == (5, "磁盘已满")
    assert place.repository.run(report.run.id).state is RunState.PUBLISHED
    assert not (folder_of(place, report.run.id) / MANIFEST).exists()
    assert seal_waiting(place) == [report.run.id]
    assert not list(folder_of(place, report.run.id).rglob(".*"))


def test_a_night_whose_configuration_is_gone_claims_none(place: Place, nights: Nights, config: Path) -> None:
    run = unsealed(place)
    (config / "rules.toml").write_text("# changed since\n", encoding="utf-8")
    seal_waiting(place)
    assert sorted(sealed(place, run.id)["files"]) == ["findings.jsonl.gz", "index.cdxj", "scores.json"]


def test_what_a_killed_process_left_of_a_record_is_cut_before_the_seal(place: Place, nights: Nights) -> None:
    run = unsealed(place, PAGE)
    file = folder_of(place, run.id) / WARC
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:40])
    seal_waiting(place)
    assert file.read_bytes() == whole
    assert sealed(place, run.id)["files"][file.name]["bytes"] == len(whole)


# ---------------------------------------------------------------- checking


def test_untouched_evidence_holds(inspect: Inspect, nights: Nights) -> None:
    answer = inspect("evidence", "check", "--all")
    assert (answer.code, answer.err) == (0, "")
    assert "核对了 3 次巡查" in answer.out
    assert "全部相符" in answer.out
    newest = inspect("evidence", "check", "--json")
    assert (newest.code, newest.document["runs"], newest.document["links"]) == (0, 1, 1)
    assert newest.document["broken"] == []
    assert newest.document["files"] == len(sealed(nights.place, 3)["files"])


def relink(folder: Path, number: int) -> None:
    """Write a night's manifest anew, as somebody would who changed what it names."""
    path = folder / str(number) / MANIFEST
    path.write_bytes(canonical(json.loads(path.read_bytes()) | {"captures": {"ok": 2}}))


SPOILT = {
    "one flipped byte": (lambda f: flip(f / "2" / "findings.jsonl.gz"), (2, "findings.jsonl.gz")),
    "a truncated file": (lambda f: os.truncate(f / "2" / "scores.json", 10), (2, "scores.json")),
    "a removed file": (lambda f: (f / "2" / INDICATORS).unlink(), (2, INDICATORS)),
    "an added file": (lambda f: (f / "2" / "more.warc.gz").write_bytes(b""), (2, "more.warc.gz")),
    "swapped rules": (lambda f: flip(f / "1" / "configuration" / "rules.toml"), (1, "configuration/rules.toml")),
    "a replaced manifest": (lambda f: relink(f, 1), (1, MANIFEST)),
    "a removed manifest": (lambda f: (f / "1" / MANIFEST).unlink(), (1, MANIFEST)),
    "a torn manifest": (lambda f: os.truncate(f / "1" / MANIFEST, 100), (1, MANIFEST)),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_does_not_hold_is_named(inspect: Inspect, place: Place, nights: Nights, name: str) -> None:
    spoil, (run, where) = SPOILT[name]
    spoil(place.evidence.folder)
    answer = inspect("evidence", "check", "--all", "--json")
    assert answer.code == 6
    first = answer.document["broken"][0]
    assert (first["run"], first["where"]) == (run, where)
    told = inspect("evidence", "check", "--all")
    assert told.code == 6
    assert f"第 {run} 次巡查 {where}" in told.out


def test_a_replaced_manifest_breaks_the_chain_too(inspect: Inspect, place: Place, nights: Nights) -> None:
    relink(place.evidence.folder, 1)
    broken = inspect("evidence", "check", "--all", "--json").document["broken"]
    assert [(one["run"], one["where"]) for one in broken] == [(1, MANIFEST), (2, "previous")]
    assert "不是当时的那一份" in broken[1]["what"]


def test_a_correction_is_sealed_with_its_revocation(inspect: Inspect, place: Place, nights: Nights) -> None:
    nights.take(after(2), Step.APPEAL, FAULTY)
    (taken,) = nights.take(after(2), Step.REVOKE, FAULTY, by="李四")
    assert taken.corrected == (DAY, after(1))
    assert seal_waiting(place) == []
    answer = inspect("evidence", "check", "--all", "--json").document
    assert (answer["runs"], answer["waiting"], answer["broken"]) == (5, [], [])
    assert inspect("evidence", "check", "--all").code == 0


def test_what_waits_for_its_seal_is_told_and_is_no_fault(inspect: Inspect, place: Place, nights: Nights) -> None:
    run = unsealed(place, PAGE)
    answer = inspect("evidence", "check")
    assert answer.code == 0
    assert f"待封存 1 次巡查（第 {run.id} 次）" in answer.out
    assert inspect("evidence", "check", "--json").document["waiting"] == [run.id]
    seal_waiting(place)
    answer = inspect("evidence", "check")
    assert (answer.code, "待封存" in answer.out) == (0, False)


def test_a_manifest_that_is_gone_is_told_and_no_new_seal_hides_it(
    inspect: Inspect, place: Place, nights: Nights
) -> None:
    (folder_of(place, 3) / MANIFEST).unlink()  # the newest: no later night names it
    for _ in range(2):
        answer = inspect("evidence", "check")
        assert (answer.code, "待封存" in answer.out) == (6, False)
        assert "第 3 次巡查 manifest.json：封存清单不见了" in answer.out
        assert seal_waiting(place) == []
        with pytest.raises(AlreadySealed, match="封存清单不见了"):
            seal(place, place.repository.run(3))


def test_a_seal_that_a_kill_left_unnoted_is_noted_by_the_next(place: Place, nights: Nights) -> None:
    noted = place.seals.noted()
    with place.database.writing() as session:
        session.execute(update(RunRow).where(RunRow.id == 3).values(sealed=None))
    assert place.seals.noted() != noted
    assert seal_waiting(place) == []
    assert place.seals.noted() == noted


def test_the_first_broken_record_is_named(inspect: Inspect, place: Place, nights: Nights) -> None:
    run = unsealed(place, f"{PAGE}?a", f"{PAGE}?b", f"{PAGE}?c")
    seal_waiting(place)
    file = folder_of(place, run.id) / WARC
    lines = [line.split(" ", 2)[2] for line in (folder_of(place, run.id) / "index.cdxj").read_text().splitlines()]
    second = next(record for record in map(json.loads, lines) if record["url"] == f"{PAGE}?b")
    begin, length, whole = int(second["offset"]), int(second["length"]), file.read_bytes()
    named = f"第 {begin} 至 {begin + length} 字节，{second['id']}，{PAGE}?b"

    edit(file, lambda content: content.__setitem__(begin + 30, content[begin + 30] ^ 1))
    answer = inspect("evidence", "check", "--json")
    assert answer.code == 6
    (broken,) = answer.document["broken"]
    assert (broken["run"], broken["where"]) == (run.id, WARC)
    assert f"第一条损坏的记录（共 1 处）：{named}" in broken["what"]
    assert "为止完好" not in broken["what"]

    file.write_bytes(whole[: begin + 30])
    answer = inspect("evidence", "check", "--json")
    (broken,) = answer.document["broken"]
    assert f"文件到第 {begin} 字节为止完好；第一条损坏的记录（共 2 处）：{named}" in broken["what"]


def test_postgresql_seals_corrects_and_checks_alike(
    inspect: Inspect, config: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_DATABASE_URL", postgresql_url)
    with opened(resolve()) as place:
        nights = Nights(place, monkeypatch)
        nights.night(DAY, FAULTY)
        nights.take(after(1), Step.APPEAL, FAULTY)
        nights.take(after(1), Step.REVOKE, FAULTY, by="李四")
        run = unsealed(place, PAGE)
        with (folder_of(place, run.id) / WARC).open("ab") as file:
            file.write(b"\x1f\x8b\x08torn")
        seal_waiting(place)
        answer = inspect("evidence", "check", "--all", "--json").document
        assert (answer["runs"], len(answer["cuts"]), answer["broken"]) == (3, 1, [])
        (folder_of(place, run.id) / MANIFEST).unlink()
        assert "封存清单不见了" in inspect("evidence", "check").out


def test_an_edited_finding_is_told_where_the_database_has_it(inspect: Inspect, place: Place, nights: Nights) -> None:
    with place.database.writing() as session:
        session.execute(update(FindingRow).where(FindingRow.run_id == 2).values(outcome="PASS"))
    answer = inspect("evidence", "check", "--run", "2")
    assert answer.code == 6
    assert "数据库里的检查结果：与封存时不同" in answer.out


def test_a_night_left_out_of_the_chain_is_told(inspect: Inspect, place: Place, nights: Nights) -> None:
    path = folder_of(place, 3) / MANIFEST
    manifest = sealed(place, 3)
    path.write_bytes(canonical(manifest | {"previous": sealed(place, 2)["previous"]}))
    answer = inspect("evidence", "check")
    assert answer.code == 6
    assert "前一夜应是第 2 次巡查" in answer.out


def test_a_check_of_nothing_says_so(inspect: Inspect, place: Place) -> None:
    assert "还没有已结束的巡查" in inspect("evidence", "check").err
    answer = inspect("evidence", "check", "--run", "9")
    assert (answer.code, "没有编号为 9" in answer.err) == (5, True)
    assert inspect("evidence", "check", "--run", "1", "--all").code == 2


# ---------------------------------------------------------------- signatures


@pytest.fixture
def key(tmp_path: Path, inspect: Inspect, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys" / "signing-key.pem"
    answer = inspect("evidence", "keygen", "--out", str(path))
    assert answer.code == 0
    assert "PRIVATE" not in answer.out
    monkeypatch.setenv("INSPECT_SIGNING_KEY", str(path))
    return path


@pytest.fixture
def signed(key: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    with opened(resolve()) as place:
        nights = Nights(place, monkeypatch)
        nights.night(DAY, FAULTY)
        yield nights


def test_a_key_is_not_overwritten(inspect: Inspect, key: Path) -> None:
    before = key.read_bytes()
    answer = inspect("evidence", "keygen", "--out", str(key))
    assert (answer.code, "已经存在" in answer.err) == (5, True)
    assert key.read_bytes() == before


def test_signed_nights_hold_and_the_key_stays_in_its_file(inspect: Inspect, key: Path, signed: Nights) -> None:
    answer = inspect("evidence", "check", "--json")
    assert (answer.code, answer.document["signatures"], answer.document["unknown_signers"]) == (0, 1, 0)
    secret = key.read_text(encoding="ascii").splitlines()[1].encode()
    kept = [path for path in signed.place.settings.data.rglob("*") if path.is_file()]
    assert not [path for path in kept if secret in path.read_bytes()]


def test_the_doctor_shows_the_fingerprint_alone(inspect: Inspect, key: Path, signed: Nights) -> None:
    rows = {row["name"]: row for row in inspect("doctor", "--json").document["checks"]}
    assert rows["签名密钥"]["seen"] == f"指纹 {sealed(signed.place, 1)['sealed']['signer']}"
    key.chmod(0o644)
    rows = {row["name"]: row for row in inspect("doctor", "--json").document["checks"]}
    assert (rows["签名密钥"]["good"], "chmod 600" in rows["签名密钥"]["seen"]) == (False, True)


def test_a_wrong_signature_is_told(inspect: Inspect, signed: Nights) -> None:
    path = folder_of(signed.place, 1) / "manifest.sig"
    document = json.loads(path.read_bytes())
    path.write_bytes(canonical(document | {"signature": document["signature"][::-1].replace("=", "") + "=="}))
    answer = inspect("evidence", "check")
    assert (answer.code, "manifest.sig：签名" in answer.out) == (6, True)


def test_a_signature_by_another_key_or_none_is_told(
    inspect: Inspect, signed: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    create_key(other)
    monkeypatch.setenv("INSPECT_SIGNING_KEY", str(other))
    answer = inspect("evidence", "check")
    assert (answer.code, "本机不认得" in answer.out) == (6, True)
    (folder_of(signed.place, 1) / "manifest.sig").unlink()
    assert "签名文件不见了" in inspect("evidence", "check").out


def test_an_earlier_key_still_counts(
    inspect: Inspect, signed: Nights, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = json.loads((folder_of(signed.place, 1) / "manifest.sig").read_bytes())["public_key"]
    other = tmp_path / "other.pem"
    create_key(other)
    monkeypatch.delenv("INSPECT_SIGNING_KEY")
    assert inspect("evidence", "check", "--json").document["unknown_signers"] == 1
    sites = config / "sites.toml"
    told = f'[evidence]\nsigning_key = "{other}"\npublic_keys = ["{public}"]\n\n'
    text = sites.read_text(encoding="utf-8")
    sites.write_text(text.replace("[crawl]", told + "[crawl]", 1), encoding="utf-8")
    assert inspect("evidence", "check", "--json").document["unknown_signers"] == 0
    sites.write_text(sites.read_text(encoding="utf-8").replace(public, "short"), encoding="utf-8")
    answer = inspect("evidence", "check")
    assert (answer.code, "44 个字符" in answer.err) == (2, True)


def test_a_key_that_others_can_read_stops_the_seal_not_the_night(key: Path, signed: Nights) -> None:
    key.chmod(0o644)
    report = inspect_units(signed.place, Request(RunKind.NIGHTLY, after(1), (UNIT,)))
    assert (report.exit_code, "chmod 600" in report.unsealed) == (5, True)
    with pytest.raises(SigningKeyRefused):
        seal(signed.place, report.run)
    key.chmod(0o600)
    assert seal_waiting(signed.place) == [report.run.id]
    assert sealed(signed.place, report.run.id)["sealed"]["signer"]


def test_a_manifest_signed_by_another_than_it_says_is_told(inspect: Inspect, signed: Nights, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    create_key(other)
    folder = folder_of(signed.place, 1)
    (folder / "manifest.sig").write_bytes(sign(load_key(other), (folder / MANIFEST).read_bytes()))
    assert fingerprint(public_key_of(load_key(other))) != sealed(signed.place, 1)["sealed"]["signer"]
    assert "不是清单里写明的密钥签的" in inspect("evidence", "check").out
