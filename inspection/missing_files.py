"""What of the evidence is there no more: lost, or cleared away by somebody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from inspection.errors import EvidenceUnavailable
from inspection.place import Place
from storage.pruned import PrunedFile

NAMED = 10  # files that a sentence names


def require_files(place: Place, files: Iterable[str], what: str) -> None:
    """Raise EvidenceUnavailable, naming every file that is missing, unless all of them are in the evidence folder.

    `files` are relative to that folder; `what` is what cannot be done without them, such as "第 7 次巡查不能重新判定".
    """
    missing = missing_of(place, files)
    if missing:
        raise EvidenceUnavailable("；".join([what, *told_missing(place, missing)]) + "。")


def missing_of(place: Place, files: Iterable[str]) -> list[str]:
    """Return, sorted, which of the files are not in the evidence folder; they are relative to it."""
    return sorted(file for file in set(files) if not (place.evidence.folder / file).is_file())


def told_missing(place: Place, missing: Sequence[str]) -> list[str]:
    """Return sentences without full stops on missing files: who cleared which, when and why; and what is lost."""
    cleared = {file.path: file for file in place.pruned.files({int(file.split("/")[0]) for file in missing})}
    by_hand = [cleared[file] for file in missing if file in cleared]
    return [*_cleared(by_hand), *_lost(place, [file for file in missing if file not in cleared])]


def _cleared(files: Iterable[PrunedFile]) -> list[str]:
    """Return a sentence for each time that somebody cleared."""
    times = defaultdict[tuple[str, str, str], list[str]](list)
    for file in files:
        times[f"{file.pruned_at:%Y-%m-%d}" if file.pruned_at else "", file.actor, file.why].append(file.path)
    return [
        f"证据文件已于 {day} 由 {actor} 清理（{why}）：{listed(paths)}" for (day, actor, why), paths in times.items()
    ]


def _lost(place: Place, files: Sequence[str]) -> list[str]:
    if not files:
        return []
    return [f"{place.evidence.folder} 里找不到：{listed(files)}，请从备份恢复后再试"]


def listed(files: Sequence[str]) -> str:
    """Return the names of files, at most ten of them, and how many there are."""
    more = f" 等共 {len(files)} 个" if len(files) > NAMED else ""
    return "、".join(files[:NAMED]) + more
