"""An auditor's machine: whatever is changed in a package is found and named, also where outer digests were repaired."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from inspection.package_container import Container, opened_container
from inspection.progress import Progress
from inspection.selection import Asked
from inspection.verification import Step, Verification
from inspection.verifying import trust_of, verify
from reports.entry_names import entry_of
from storage.manifest import canonical, digests_of
from storage.signing import create_key, public_key_of, sign
from tests.cli.conftest import Inspect
from tests.inspection.packages import DAY, UNIT, MadePackage, made_package

RUN = "inspection/runs/1"
WARC = "archive/data.warc.gz"
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadePackage:
    return made_package(tmp_path_factory)


@pytest.fixture(scope="module")
def files(made: MadePackage) -> Files:
    with zipfile.ZipFile(made.path) as archive:
        return {name.replace("~", "/"): archive.read(name) for name in archive.namelist()}


def repacked(files: Files, path: Path) -> Path:
    """Write a package as an attacker would: CRCs and the outer digests are those of what is inside now."""
    kept = {name: content for name, content in files.items() if not name.startswith("datapackage")}
    listed = [
        {
            "name": name,
            "path": entry_of(name),
            "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "bytes": len(content),
        }
        for name, content in kept.items()
    ]
    datapackage = json.dumps({"profile": "data-package", "resources": listed}).encode()
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(datapackage).hexdigest()}"}
    kept |= {"datapackage.json": datapackage, "datapackage-digest.json": json.dumps(digest).encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(zipfile.ZipInfo(entry_of(name)), content)
    return path


def resealed(files: Files, run: int, change: Callable[[dict], None]) -> Files:
    """Change a manifest, and leave its signature away as if there had never been a key."""
    name = f"inspection/runs/{run}/manifest.json"
    document = json.loads(files[name])
    change(document)
    document["sealed"]["signer"] = None
    return {key: value for key, value in files.items() if key != f"inspection/runs/{run}/manifest.sig"} | {
        name: canonical(document)
    }


def verified(path: Path, *keys: str) -> Verification:
    return verify(path, trust_of(keys, None), Progress())


def broken(verification: Verification) -> dict[str, str]:
    """Return the first difference of each step that has any."""
    return {step.key: str(step.broken[0]) for step in verification.steps if step.broken}


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def places(files: Files) -> list[tuple[str, int, int]]:
    return [tuple(json.loads(line)) for line in files["inspection/records.jsonl"].splitlines()]


def begin_of(files: Files, number: int) -> int:
    """Return where a record begins in data.warc.gz: behind the warcinfo record."""
    ends = [length for _, _, length in places(files)]
    first = places(files)[0]
    index = [json.loads(line.split(b" ", 2)[2]) for line in files[f"{RUN}/index.cdxj"].splitlines()]
    sha256 = next(
        each["sha256"] for each in index if f"1/{each['filename']}" == first[0] and int(each["offset"]) == first[1]
    )
    length = next(int(each["length"]) for each in index if each["sha256"] == sha256)
    warc = files[WARC]
    begin = next(at for at in range(len(warc)) if hashlib.sha256(warc[at : at + length]).hexdigest() == sha256)
    return begin + sum(ends[:number])


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
    summary = made.export(path, Asked((UNIT,), DAY, DAY + timedelta(days=1), without_personal=True))
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

    found = broken(verified(repacked(resealed(changed, 1, reseal), tmp_path / "b.wacz")))
    assert f"{RUN}/scores" in found["judgement"]


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


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{}", b"\xff", b"null"])
@pytest.mark.parametrize(
    "name",
    [f"{RUN}/manifest.json", f"{RUN}/inputs.json.gz", "inspection/contents.json", "inspection/records.jsonl",
     f"{RUN}/index.cdxj", f"{RUN}/findings/{UNIT}.jsonl", f"{RUN}/scores/{UNIT}.json"],
)  # fmt: skip
def test_nonsense_inside_is_told_and_never_breaks_the_program(
    files: Files, tmp_path: Path, name: str, content: bytes
) -> None:
    small = {key: value for key, value in files.items() if not key.startswith("inspection/runs/2/")}
    assert verified(repacked(small | {name: content}, tmp_path / "a.wacz")).exit_code == 6


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
