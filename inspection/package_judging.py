"""审计包里的判定: sites and units judged again from the records inside, by the rules inside, and held against what was
sealed."""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from checks.model import Capture, Finding, Mode, PageRole, Probe, Scope
from checks.registry import CHECKS
from config.loader import Configuration, load
from config.problem import ConfigurationError
from config.schema import Unit
from inspection.assembly import at_hand
from inspection.inputs import FILE as INPUTS
from inspection.inputs import LARGEST as LARGEST_INPUTS
from inspection.inputs import JudgingInputs, inputs_of
from inspection.judging import Part, Records
from inspection.night import Night, judged_night, score_of
from inspection.other_files import LARGEST_FILE
from inspection.package import Contents, PackagedRun
from inspection.package_container import Container, Unreadable, path_in
from inspection.package_records import PackageSource, index_of
from inspection.package_seals import manifest
from inspection.progress import Progress
from inspection.rescoring import rulings_of_night
from inspection.sealing import CONFIGURATION
from inspection.verification import Step
from scoring.daily import scored_again
from scoring.model import UnitScore
from storage.evidence_reader import EvidenceReader
from storage.manifest import Document, canonical
from storage.record_index import IndexedRecord
from storage.record_making import PREFIX
from storage.rescoring import NightFinding
from storage.rows import indicator_values, probe_values

_FINDINGS, _SCORE = TypeAdapter(Finding), TypeAdapter(UnitScore)
_FIELDS = frozenset(field.name for field in fields(Finding))
_APART = frozenset({"id", "state", "screenshot"})  # what only the night itself can say of a finding
_OF_PAGES = frozenset(check.META.id for check in CHECKS if check.META.scope is Scope.PAGE)
_NOT_AGAIN = "不能重现（原始记录未随附）"


@dataclass(frozen=True, slots=True)
class _Judged:
    """A run to judge again: what it was judged by, the records of the run that looked; whether any were left out, and
    the articles that none of these bears on."""

    run: PackagedRun
    configuration: Configuration
    inputs: JudgingInputs
    records: Records
    lacking: bool
    articles: frozenset[str]


def judge_package(
    container: Container, contents: Contents, source: PackageSource, step: Step, progress: Progress
) -> None:
    """Judge every run inside again, and tell `step` of all that does not come out as it was sealed."""
    counts: Counter[str] = Counter()
    for number, run in enumerate(contents.runs, start=1):
        try:
            counts += _judge_run(container, contents, run, source, step)
        except (Unreadable, ConfigurationError, ValidationError, ValueError, LookupError, TypeError) as error:
            step.differs(path_in("runs", run.run), f"不能重新判定：{_plainly(error)}")
        progress.advance("重新判定", number, len(contents.runs))
    step.told = "、".join(f"{counts[what]} {what}" for what in ("次巡查", "条检查结果", "个得分", "个站点结论"))


def _plainly(error: Exception) -> str:
    match error:
        case ConfigurationError():
            return f"包里的配置不可用（{error.problems[0]}）"
        case Unreadable():
            return str(error)
    return f"包里的内容不合规定（{type(error).__name__}）"


def _judge_run(
    container: Container, contents: Contents, run: PackagedRun, source: PackageSource, step: Step
) -> Counter[str]:
    before = step.count
    seen = _seen(contents, run)
    if run is seen or container.names(path_in("runs", run.run, CONFIGURATION) + "/"):
        told = _judge_night(container, run, seen, source, step)
    else:
        told = _score_again(container, run, seen, step)
    if step.count > before:
        _tell_versions(container, seen, step)
    return told | Counter({"次巡查": 1})


def _seen(contents: Contents, run: PackagedRun) -> PackagedRun:
    """Return the run that looked, which a run stands on; raises Unreadable."""
    known = {each.run: each for each in contents.runs}
    while run.stands_on is not None:
        if run.stands_on >= run.run or run.stands_on not in known:
            raise Unreadable(f"它所更正的第 {run.stands_on} 次巡查不在包里")
        run = known[run.stands_on]
    return run


def _judge_night(
    container: Container, run: PackagedRun, seen: PackagedRun, source: PackageSource, step: Step
) -> Counter[str]:
    """Judge what `seen` captured by the rules of `run`: the same, or one that judged that night again (重新判定)."""
    judged = _judged(container, run, seen, source, step)
    part = Part(frozenset(seen.sites), frozenset(run.units))
    night = judged_night(judged.configuration, judged.inputs, judged.records, part=part)
    told: Counter[str] = Counter()
    for unit in part.units_of(judged.configuration, judged.inputs):
        told["条检查结果"] += _compare_unit(container, judged, unit, night, source, step)
        told["个得分"] += 1
    if run is seen:
        told["个站点结论"] += _compare_verdicts(container, judged, night, step)
    return told


# ---------------------------------------------------------------- what the run is judged by


def _judged(container: Container, run: PackagedRun, seen: PackagedRun, source: PackageSource, step: Step) -> _Judged:
    inputs = _inputs(container, run, seen)
    configuration = configuration_of(container, run.run)
    _require_whole(run, seen, configuration, inputs, step)
    reader, sites = EvidenceReader(source), frozenset(seen.sites)
    captures = _captures(reader, seen.run, sites, inputs)
    probes = _probes(reader, seen.run, sites, inputs)
    index = index_of(container, seen.run) if source.withheld else []
    withheld = [record for record in index if (record.file, record.offset) in source.withheld]
    looked_up = {site: at_hand(of_site) for site, of_site in captures.items()}
    records = Records(
        lambda site: looked_up.get(site, at_hand(())), lambda site: probes.get(site, ()), reader.read_payload
    )
    pages = {_page_of(record)[1] for record in withheld}
    pages |= {
        each.url for listed in captures.values() for each in listed if each.evidence and _is_withheld(each, source)
    }
    return _Judged(run, configuration, inputs, records, bool(pages), _articles(inputs, pages))


def _inputs(container: Container, run: PackagedRun, seen: PackagedRun) -> JudgingInputs:
    """Return what the run was judged by: of one that judged a night again, people's rulings are those of that day."""
    inputs = inputs_of(container.read(path_in("runs", seen.run, INPUTS), LARGEST_INPUTS))
    if (inputs.run_id, inputs.day) != (seen.run, run.day):
        raise Unreadable(f"判定依据不是第 {seen.run} 次巡查的")
    if run is seen:
        return inputs
    lines = (line for unit in run.units for line in _sealed_findings(container, run.run, unit))
    return replace(inputs, rulings=rulings_of_night(NightFinding(_finding(line), line["state"]) for line in lines))


def configuration_of(container: Container, run: int) -> Configuration:
    """Return the configuration inside that a run went by; raises Unreadable, ConfigurationError."""
    folder = path_in("runs", run, CONFIGURATION) + "/"
    with tempfile.TemporaryDirectory(prefix="xuncha-") as temporary:
        for name in container.names(folder):
            if "/" in name:
                raise Unreadable(f"{folder}{name} 不是配置文件")
            Path(temporary, name).write_bytes(container.read(folder + name, LARGEST_FILE))
        return load(Path(temporary))


def _require_whole(
    run: PackagedRun, seen: PackagedRun, configuration: Configuration, inputs: JudgingInputs, step: Step
) -> None:
    """A unit can be judged only over all its sites: what the package leaves away is told."""
    inside = {plan.site.id for plan in inputs.plans(configuration)} & set(seen.sites)
    known = {unit.id: unit for unit in inputs.units_of(configuration)}
    for unit_id in run.units:
        unit = known.get(unit_id)
        lacking = {column.site for column in unit.columns} - inside if unit else set()
        if unit is None or lacking:
            what = f"缺站点 {'、'.join(sorted(lacking))} 的记录" if unit else "那次巡查没有这个单位"
            step.differs(path_in("contents.json"), f"第 {run.run} 次巡查 {unit_id}：{what}")


def _captures(
    reader: EvidenceReader, run: int, sites: frozenset[str], inputs: JudgingInputs
) -> dict[str, list[Capture]]:
    """Return captures as the database had them: the last of each page and mode, in their order."""
    kept: defaultdict[str, dict[tuple[str, Mode], Capture]] = defaultdict(dict)
    for capture, _ in reader.recover(run):
        if capture.site_id in sites and _counts(capture, inputs):
            kept[capture.site_id][capture.url, capture.mode] = capture
    return {site: [listed[key] for key in sorted(listed)] for site, listed in kept.items()}


def _probes(reader: EvidenceReader, run: int, sites: frozenset[str], inputs: JudgingInputs) -> dict[str, list[Probe]]:
    """Return probes as the database had them: the last of each question, in their order."""
    kept: defaultdict[str, dict[str, Probe]] = defaultdict(dict)
    for probe in reader.recover_probes(run):
        if probe.site_id in sites and _counts(probe, inputs):
            kept[probe.site_id][probe_values(run, probe)["question_key"]] = probe

    def order(probe: Probe) -> tuple[Any, ...]:
        return probe.kind, probe.target, probe.family, probe.captured_at

    return {site: sorted(listed.values(), key=order) for site, listed in kept.items()}


def _counts(seen: Capture | Probe, inputs: JudgingInputs) -> bool:
    counting = inputs.records.get(seen.site_id)
    return counting is None or (seen.evidence is not None and seen.evidence.record_id in counting)


# ---------------------------------------------------------------- what is not inside


def _page_of(record: IndexedRecord) -> tuple[Mode, str]:
    for mode, prefix in PREFIX.items():
        if record.url.startswith(prefix):
            return mode, record.url.removeprefix(prefix)
    return Mode.STATIC, record.url


def _is_withheld(capture: Capture, source: PackageSource) -> bool:
    reference = capture.evidence
    return reference is not None and (reference.warc_file, reference.offset) in source.withheld


def _articles(inputs: JudgingInputs, withheld: Set[str]) -> frozenset[str]:
    """Return the articles that nothing withheld bears on; home pages and columns are judged over many pages."""
    visits = [visit for listed in inputs.visits.values() for visit in listed]
    parents = {visit.parent for visit in visits if visit.parent and visit.url in withheld}
    return frozenset(visit.url for visit in visits if visit.role is PageRole.ARTICLE) - withheld - parents


# ---------------------------------------------------------------- held against what was sealed


def _compare_unit(
    container: Container, judged: _Judged, unit: Unit, night: Night, source: PackageSource, step: Step
) -> int:
    run = judged.run.run
    name = path_in("runs", run, "findings", f"{unit.id}.jsonl")
    lines = list(_sealed_findings(container, run, unit.id))
    _check_references(lines, source, name, step)
    then = Counter(_comparable(line) for line in lines)
    now = Counter(_comparable(_line(finding, judged)) for finding in night.findings[unit.id])
    excused = 0
    for what, listed in (("封存的检查结果重新判定不出来", then - now), ("重新判定多出的检查结果", now - then)):
        for text in sorted(listed.elements()):
            document = json.loads(text)
            if _rests_on_withheld(document, judged, source):
                excused += 1
            else:
                step.differs(name, f"{what}：{_said(document)}")
    if excused:
        step.note(f"第 {run} 次巡查 {unit.id}：{excused} 条检查结果{_NOT_AGAIN}，得分由封存的检查结果核对")
        score = score_of(judged.configuration, judged.inputs, unit, map(_finding, lines))
    else:
        score = next(score for score in night.scores if score.unit_id == unit.id)
    _compare_score(container, run, score, step)
    return len(lines)


def _sealed_findings(container: Container, run: int, unit: str) -> Iterator[Document]:
    name = path_in("runs", run, "findings", f"{unit}.jsonl")
    for number, line in enumerate(container.read(name, LARGEST_INPUTS).splitlines(), start=1):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{name} 第 {number} 行无法读取") from error
        if not isinstance(document, dict) or not document.keys() >= _FIELDS:
            raise Unreadable(f"{name} 第 {number} 行不是检查结果")
        yield document


def _line(finding: Finding, judged: _Judged) -> Document:
    sealed = {"run": judged.run.run, "day": judged.inputs.day, "fingerprint": finding.fingerprint}
    return asdict(finding) | sealed


def _comparable(document: Mapping[str, Any]) -> str:
    return canonical({key: value for key, value in document.items() if key not in _APART}).decode()


def _finding(document: Mapping[str, Any]) -> Finding:
    return _FINDINGS.validate_python({key: document[key] for key in _FIELDS})


def _said(document: Mapping[str, Any]) -> str:
    number = f"编号 {document['id']}，" if "id" in document else ""
    return f"{number}{document['check']} {document['target']} {document['outcome']} {document['observed']}"[:500]


def _rests_on_withheld(document: Mapping[str, Any], judged: _Judged, source: PackageSource) -> bool:
    if not judged.lacking:
        return False
    references = {(each["warc_file"], each["offset"]) for each in document["evidence"]}
    if references & source.withheld or document["check"] not in _OF_PAGES:
        return True
    return document["target"] not in judged.articles


def _check_references(lines: Iterable[Document], source: PackageSource, name: str, step: Step) -> None:
    """Tell of findings whose evidence is neither inside nor withheld."""
    for line in lines:
        for each in (*line["evidence"], *([line["screenshot"]] if line["screenshot"] else [])):
            if (key := (each["warc_file"], each["offset"])) not in source.places and key not in source.withheld:
                step.differs(name, f"检查结果编号 {line['id']} 的证据不在包里：{key[0]} 第 {key[1]} 字节")


def _compare_score(container: Container, run: int, score: UnitScore, step: Step) -> None:
    name = path_in("runs", run, "scores", f"{score.unit_id}.json")
    sealed, now = sealed_score(container, run, score.unit_id), _as_sealed(run, score)
    for key in sorted(now.keys() | sealed.keys()):
        if now.get(key) != sealed.get(key):
            then, again = _short(sealed.get(key)), _short(now.get(key))
            step.differs(name, f"{_TITLES.get(key, key)}封存的是 {then}，重新算出的是 {again}")


def _as_sealed(run: int, score: UnitScore) -> dict[str, Any]:
    counts = {row["indicator_id"]: row["counts"] for row in indicator_values(run, score)}
    document: dict[str, Any] = json.loads(canonical(asdict(replace(score, checks=(), pending=())) | {"counts": counts}))
    return document


def sealed_score(container: Container, run: int, unit_id: str) -> dict[str, Any]:
    """Return a unit's scores of a run as sealed; raises Unreadable."""
    return _sealed(container, path_in("runs", run, "scores", f"{unit_id}.json"), run, "unit")


_TITLES = {
    "score": "得分",
    "coverage": "覆盖率",
    "verdict": "结论",
    "reasons": "说明",
    "indicators": "指标得分",
    "counts": "各指标的条数",
}


def _short(value: object) -> str:
    return str(value)[:120]


def _sealed(container: Container, name: str, run: int, key: str) -> dict[str, Any]:
    document = container.document(name)
    if not isinstance(document, dict) or document.get("run") != run or not isinstance(document.get(key), dict):
        raise Unreadable(f"{name} 的内容不合规定")
    found: dict[str, Any] = document[key]
    return found


def _compare_verdicts(container: Container, judged: _Judged, night: Night, step: Step) -> int:
    if judged.lacking:
        step.note(f"第 {judged.run.run} 次巡查的站点结论{_NOT_AGAIN}")
        return 0
    for verdict in night.verdicts:
        name = path_in("runs", judged.run.run, "sites", f"{verdict.site_id}.json")
        if json.loads(canonical(asdict(verdict))) != _sealed(container, name, judged.run.run, "site"):
            step.differs(name, f"站点结论重新算出的是 {verdict.verdict or '不作结论'}，与封存的不同")
    return len(night.verdicts)


# ---------------------------------------------------------------- scores put right later


def _score_again(container: Container, run: PackagedRun, seen: PackagedRun, step: Step) -> Counter[str]:
    """Make the scores of a run again that took another's place by the same rules, from its findings and their states.

    Such a run leaves out what people revoked (更正得分), or goes by their rulings of another day (重新判定).
    """
    configuration = configuration_of(container, _configured(container, run))
    inputs = _inputs(container, run, seen)
    told: Counter[str] = Counter()
    for unit_id in run.units:
        unit = configuration.inventory.unit(unit_id)
        lines = list(_sealed_findings(container, run.run, unit_id))
        _compare_copied(container, run, unit_id, lines, step)
        found = [_finding(line) for line in lines]
        before = _score_before(container, run, unit_id)
        corrected = scored_again(before, unit, found, configuration.rules, inputs.rulings)
        judged = score_of(configuration, inputs, unit, found)
        same = _as_sealed(run.run, judged) == sealed_score(container, run.run, unit_id)
        _compare_score(container, run.run, judged if same else corrected, step)
        told += Counter({"条检查结果": len(lines), "个得分": 1})
    return told


def _configured(container: Container, run: PackagedRun) -> int:
    """Return the run whose configuration a run went by, its own or that of the one it stands on."""
    number = run.run
    while not container.names(path_in("runs", number, CONFIGURATION) + "/"):
        below = manifest(container, number)["stands_on"]
        if below is None or below["run"] >= number:
            raise Unreadable(f"包里没有第 {run.run} 次巡查所用的配置")
        number = below["run"]
    return number


def _score_before(container: Container, run: PackagedRun, unit_id: str) -> UnitScore:
    assert run.stands_on is not None
    before = sealed_score(container, run.stands_on, unit_id)
    return _SCORE.validate_python({key: value for key, value in before.items() if key != "counts"})


def _compare_copied(
    container: Container, run: PackagedRun, unit_id: str, lines: Iterable[Document], step: Step
) -> None:
    """Tell of findings that are not those of the run it stands on: only their states may be others."""
    assert run.stands_on is not None
    before = _sealed_findings(container, run.stands_on, unit_id)
    then, now = (Counter(_comparable(line | {"run": run.run}) for line in listed) for listed in (before, lines))
    name = path_in("runs", run.run, "findings", f"{unit_id}.jsonl")
    for what, listed in (("少了", then - now), ("多出的", now - then)):
        for text in sorted(listed.elements()):
            step.differs(name, f"{what}第 {run.stands_on} 次巡查的检查结果：{_said(json.loads(text))}")


# ---------------------------------------------------------------- by which programs


def _tell_versions(container: Container, run: PackagedRun, step: Step) -> None:
    """Say which programs are not those of the night: another reader may read a page otherwise."""
    stated = manifest(container, run.run)["sealed"].get("software", {})
    others = [
        f"{name} {str(then)[:40]}（本机 {now}）"
        for name, then in sorted(stated.items())
        if name != "python" and (now := _installed(name)) != then
    ]
    if others:
        step.note(f"第 {run.run} 次巡查封存时的程序与本机不同，差异可能由此而来：{'、'.join(others)}")


def _installed(name: str) -> str:
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):
        return "没有安装"
