"""An auditor's machine: whatever is changed in a package is found and named, also where outer digests were repaired."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from inspection.package_container import Container, opened_container
from inspection.selection import Asked
from inspection.verification import Step
from storage.manifest import canonical, digests_of
from storage.signing import create_key, public_key_of, sign
from tests.cli.conftest import Inspect
from tests.cli.tampering import (
    RUN,
    WARC,
    Files,
    begin_of,
    broken,
    files_of,
    flipped,
    places,
    repacked,
    resealed,
    verified,
    without,
)
from tests.inspection.packages import DAY, UNIT, MadePackage

NEXT = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def whole(made: MadePackage) -> Files:
    """Both nights."""
    return files_of(made.path)


@pytest.fixture(scope="module")
def files(made: MadePackage, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The first night alone, with the manifest of the second."""
    path = tmp_path_factory.mktemp("first") / "first.wacz"
    made.export(path, Asked((UNIT,), DAY))
    return files_of(path)


# ---------------------------------------------------------------- what holds


def test_a_fresh_export_holds_in_every_step(made: MadePackage) -> None:
    verification = verified(made.path)
    assert broken(verification) == {}
    assert verification.exit_code == 0
    judgement = next(step for step in verification.steps if step.key == "judgement")
    assert judgement.told == f"2 次巡查、{made.summary.findings} 条检查结果、2 个得分、2 个站点结论"


def test_the_command_needs_nothing_but_the_file(
    made: MadePackage, inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_CONFIG", "/nowhere")
    monkeypatch.setenv("INSPECT_DATA", "/nowhere")
    monkeypatch.setenv("INSPECT_DATABASE_URL", "nonsense://")
    assert inspect("evidence", "verify", str(made.path)).code == 0
    told = inspect("evidence", "verify", str(made.path), "--json")
    assert json.loads(told.out)["holds"] is True


def test_records_left_out_can_be_verified_but_not_judged_again(made: MadePackage, tmp_path: Path) -> None:
    path = tmp_path / "without.wacz"
    summary = made.export(path, Asked((UNIT,), DAY, NEXT, without_personal=True))
    assert summary.withheld
    verification = verified(path)
    assert broken(verification) == {}
    assert "不能重现（原始记录未随附）" in json.dumps(verification.document(), ensure_ascii=False)


def test_whose_signature_it_is_can_be_pinned(made: MadePackage, files: Files, tmp_path: Path) -> None:
    ours = json.loads(files[f"{RUN}/manifest.sig"])["public_key"]
    assert verified(made.path, ours).exit_code == 0
    other = public_key_of(create_key(tmp_path / "other.pem"))
    assert "不是 --public-key 的密钥签的" in broken(verified(made.path, other))["signatures"]


def test_no_package_is_told_as_one_sentence(inspect: Inspect, tmp_path: Path) -> None:
    for name, content in (("空", b""), ("文本", b"text"), ("没有", None)):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        assert inspect("evidence", "verify", str(path)).code == 2
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    assert inspect("evidence", "verify", str(tmp_path / "other.zip")).code == 2


# ---------------------------------------------------------------- what does not


def test_a_truncated_file_is_told_with_the_byte_and_the_member(made: MadePackage, tmp_path: Path) -> None:
    path, content = tmp_path / "cut.wacz", made.path.read_bytes()
    with opened_container(made.path, Step("", "")) as container:
        warc = container.members[WARC]
    path.write_bytes(content[: warc.begin + 5000])
    found = broken(verified(path))["container"]
    assert f"文件第 {warc.begin + 5000} 字节，在 {WARC} 里" in found
    path.write_bytes(content[:-10])
    assert "不完整" in broken(verified(path))["container"]


def test_a_flipped_byte_of_a_record_is_told_with_its_place(files: Files, tmp_path: Path) -> None:
    begin, (file, offset, _) = begin_of(files, 3), places(files)[3]
    changed = files | {WARC: flipped(files[WARC], begin + 200)}
    found = broken(verified(repacked(changed, tmp_path / "a.wacz")))
    assert f"{WARC} 第 {begin}–" in found["records"]
    assert f"{file} 第 {offset} 字节" in found["records"]
    assert "urn:uuid:" in found["records"]


@pytest.mark.parametrize("listed", [True, False], ids=["still listed", "taken off the list"])
def test_a_removed_record_is_told(files: Files, tmp_path: Path, listed: bool) -> None:
    begin, (file, offset, length) = begin_of(files, 4), places(files)[4]
    lines = files["inspection/records.jsonl"].splitlines(keepends=True)
    changed = files | {WARC: files[WARC][:begin] + files[WARC][begin + length :]}
    if not listed:
        changed["inspection/records.jsonl"] = b"".join(lines[:4] + lines[5:])
    verification = verified(repacked(changed, tmp_path / "a.wacz"))
    told = json.dumps(verification.document(), ensure_ascii=False)
    assert verification.exit_code == 6
    assert f"{file} 第 {offset} 字节" in told


def test_a_record_added_or_moved_is_told(files: Files, tmp_path: Path) -> None:
    begin, length = begin_of(files, 4), places(files)[4][2]
    warc = files[WARC]
    twice = warc + warc[begin : begin + length]
    assert "多出的记录" in broken(verified(repacked(files | {WARC: twice}, tmp_path / "a.wacz")))["records"]
    after = length + places(files)[5][2]
    moved = warc[:begin] + warc[begin + length : begin + after] + warc[begin : begin + length] + warc[begin + after :]
    found = broken(verified(repacked(files | {WARC: moved}, tmp_path / "b.wacz")))
    assert f"{WARC} 第 {begin}" in found["records"]


@pytest.mark.parametrize("kind", ["probes", "a page that nobody visits"])
def test_a_record_left_out_everywhere_is_named(files: Files, tmp_path: Path, kind: str) -> None:
    index = [json.loads(line.split(b" ", 2)[2]) for line in files[f"{RUN}/index.cdxj"].splitlines()]
    wanted = (
        (lambda each: each["type"] == "metadata") if kind == "probes" else (lambda each: "urn:view:" in each["url"])
    )
    record = next(each for each in index if wanted(each))
    found = broken(verified(repacked(without(files, record), tmp_path / "a.wacz")))
    assert record["id"] in found["records"]
    assert "不在包里，也没有列为未随附" in found["records"]


def test_an_earlier_record_left_out_everywhere_is_named(made: MadePackage, tmp_path: Path) -> None:
    made.export(tmp_path / "second.wacz", Asked((UNIT,), NEXT))
    second = files_of(tmp_path / "second.wacz")
    index = [json.loads(line.split(b" ", 2)[2]) for line in second[f"{RUN}/index.cdxj"].splitlines()]
    record = next(each for each in index if each["url"].endswith("/personal.html"))
    found = broken(verified(repacked(without(second, record), tmp_path / "a.wacz")))
    assert f"1/{record['filename']} 第 {record['offset']} 字节" in found["records"]


def test_evidence_that_fits_its_index_does_not_fit_the_manifest(files: Files, tmp_path: Path) -> None:
    begin, name = begin_of(files, 3), f"{RUN}/index.cdxj"
    length = places(files)[3][2]
    index = [line.split(b" ", 2) for line in files[name].splitlines()]
    changed = flipped(files[WARC], begin + 9)  # the operating system in the gzip header: it still inflates
    document = next(
        json.loads(line[2])
        for line in index
        if (f"1/{json.loads(line[2])['filename']}", int(json.loads(line[2])["offset"])) == places(files)[3][:2]
    )
    member = changed[begin : begin + int(document["length"])]
    assert len(member) <= length
    mended = files[name].replace(document["sha256"].encode(), digests_of([member]).sha256.encode())
    found = broken(verified(repacked(files | {WARC: changed, name: mended}, tmp_path / "a.wacz")))
    assert name in found["sealed"]
    assert "records" not in found


def edited_finding(files: Files) -> Files:
    name = f"{RUN}/findings/{UNIT}.jsonl"
    lines = files[name].splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if b'"outcome":"FAIL"' in line)
    lines[number] = lines[number].replace(b'"outcome":"FAIL"', b'"outcome":"PASS"')
    return files | {name: b"".join(lines)}


def edited_score(files: Files) -> Files:
    name = f"{RUN}/scores/{UNIT}.json"
    document = json.loads(files[name])
    document["unit"]["score"] = "99.99"
    return files | {name: canonical(document)}


@pytest.mark.parametrize(
    ("edit", "key", "name"),
    [
        (edited_finding, "findings", f"{RUN}/findings/{UNIT}.jsonl"),
        (edited_score, "scores", f"{RUN}/scores/{UNIT}.json"),
    ],
)
def test_what_was_said_cannot_be_edited(
    files: Files, tmp_path: Path, edit: Callable[[Files], Files], key: str, name: str
) -> None:
    changed = edit(files)
    assert name in broken(verified(repacked(changed, tmp_path / "a.wacz")))["sealed"]

    def reseal(manifest: dict) -> None:
        manifest[key]["units"][UNIT] = digests_of([changed[name]]).document

    found = broken(verified(repacked(resealed(changed, 1, reseal), tmp_path / "b.wacz")))
    assert "sealed" not in found
    assert name in found["judgement"]
    assert "链断了" in found["chain"], "the next night names the manifest that was"


def test_rules_cannot_be_swapped(files: Files, tmp_path: Path) -> None:
    name = f"{RUN}/configuration/rules.toml"
    rules = files[name].replace(b"coverage_floor = 0.01", b"coverage_floor = 0.99")
    changed = files | {name: rules}
    assert name in broken(verified(repacked(changed, tmp_path / "a.wacz")))["sealed"]

    def reseal(manifest: dict) -> None:
        manifest["files"]["configuration/rules.toml"] = digests_of([rules]).document

    unsigned = resealed(changed, 1, reseal)
    found = broken(verified(repacked(unsigned, tmp_path / "b.wacz")))
    assert f"{RUN}/scores" in found["judgement"]
    signature = f"{RUN}/manifest.sig"
    signed = unsigned | {signature: files[signature]}
    assert signature in broken(verified(repacked(signed, tmp_path / "c.wacz")))["signatures"]
    ours = json.loads(files[signature])["public_key"]
    assert signature in broken(verified(repacked(unsigned, tmp_path / "d.wacz"), ours))["signatures"]


def test_what_nobody_could_tell_is_said_and_a_digest_written_down_tells(
    files: Files, tmp_path: Path, inspect: Inspect
) -> None:
    """Where everything is made again, as by somebody who owns the program, only what lies elsewhere can tell."""

    def another(manifest: dict) -> None:
        manifest["run"]["note"] = "另一份"

    manifests = {number: files[f"inspection/runs/{number}/manifest.json"] for number in (1, 2)}
    made_again = resealed(files, 1, another)
    first = digests_of([made_again[f"{RUN}/manifest.json"]]).document

    def follow(manifest: dict) -> None:
        manifest["previous"] |= first

    path = repacked(resealed(made_again, 2, follow), tmp_path / "a.wacz")
    unaware = verified(path)
    assert unaware.exit_code == 0
    assert "没有签名：谁能改写整个包" in json.dumps(unaware.document(), ensure_ascii=False)
    told = inspect("evidence", "verify", str(path)).out
    assert "签名：未签名（0 个签名，2 份封存清单）" in told
    assert "全部相符（未签名、没有时间戳）。" in told
    noted = digests_of([manifests[2]]).sha256
    assert noted in broken(verified(path, manifests=(noted,)))["chain"]


def test_a_digest_written_down_proves_the_nights_before(made: MadePackage, whole: Files, inspect: Inspect) -> None:
    first, second = (digests_of([whole[f"inspection/runs/{number}/manifest.json"]]).sha256 for number in (1, 2))
    assert inspect("evidence", "verify", str(made.path), "--manifest-sha256", second.upper()).code == 0
    told = inspect("evidence", "verify", str(made.path), "--manifest-sha256", first)
    assert (told.code, "第 2 次巡查的封存清单不由 --manifest-sha256 证明" in told.out) == (0, True)
    assert inspect("evidence", "verify", str(made.path), "--manifest-sha256", "abc").code == 2


def test_a_broken_chain_is_told(files: Files, tmp_path: Path) -> None:
    gone = {name: content for name, content in files.items() if not name.startswith(f"{RUN}/manifest")}
    found = broken(verified(repacked(gone, tmp_path / "a.wacz")))
    assert "链断了：第 1 次巡查的清单不在包里" in found["chain"]

    def forget(manifest: dict) -> None:
        manifest["previous"] = None

    found = broken(verified(repacked(resealed(files, 2, forget), tmp_path / "b.wacz")))
    assert "没有接上第 1 次巡查" in found["chain"]


def test_a_signature_by_another_key_is_told(files: Files, tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    changed = files | {f"{RUN}/manifest.sig": sign(key, files[f"{RUN}/manifest.json"])}
    assert "不是清单里写明的密钥签的" in broken(verified(repacked(changed, tmp_path / "a.wacz")))["signatures"]
    changed[f"{RUN}/manifest.json"] = files[f"{RUN}/manifest.json"] + b" "
    assert "签名与清单不符" in broken(verified(repacked(changed, tmp_path / "b.wacz")))["signatures"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (f"{RUN}/manifest.json", b"{}"),
        (f"{RUN}/manifest.json", b"[" * 100_000),
        (f"{RUN}/inputs.json.gz", b"\xff"),
        ("inspection/contents.json", b"[" * 100_000),
        ("inspection/records.jsonl", b"null"),
        (f"{RUN}/index.cdxj", b"[" * 100_000),
        (f"{RUN}/findings/{UNIT}.jsonl", b"{}"),
        (f"{RUN}/scores/{UNIT}.json", b"null"),
    ],
)
def test_nonsense_inside_is_told_and_never_breaks_the_program(
    files: Files, tmp_path: Path, name: str, content: bytes
) -> None:
    assert verified(repacked(files | {name: content}, tmp_path / "a.wacz")).exit_code == 6


@pytest.mark.parametrize("name", ["../a", "/a", "a\\b"])
def test_hostile_names_are_refused(files: Files, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.wacz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    assert "文件名不合规定" in broken(verified(path))["container"]


def test_no_byte_can_be_flipped_unseen(made: MadePackage, tmp_path: Path) -> None:
    """But for three that carry nothing: by which system a file was packed, and its permissions when unpacked."""
    content, path, chosen = made.path.read_bytes(), tmp_path / "a.wacz", random.Random(5)
    directory = content.index(b"PK\x01\x02")
    positions = [chosen.randrange(len(content)) for _ in range(40)] + [
        chosen.randrange(directory, len(content)) for _ in range(40)
    ]
    for position in positions:
        path.write_bytes(flipped(content, position))
        step = Step("", "")
        with opened_container(path, step) as container:
            assert step.count or _carries_nothing(content, position, container), position


def _carries_nothing(content: bytes, position: int, container: Container) -> bool:
    entry = content.rindex(b"PK\x01\x02", 0, position + 4)
    return container.members.keys() and position - entry in {4, 5, *range(38, 42)}
