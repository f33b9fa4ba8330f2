"""What of the evidence is there no more: lost, or cleared away by somebody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inspection.errors import EvidenceUnavailable
from inspection.place import Place
from storage.pruned import PrunedFile

NAMED = 10  # files that a sentence names


def require_files(place: Place, files: Iterable[str], what: str) -> None:
    """Raise EvidenceUnavailable, naming every file that is missing, unless all of them are in the evidence folder.

    `files` are relative to that folder; `what` is what cannot be done without them, such as "第 7 次巡查不能重新判定".
    """
    missing = sorted(file for file in set(files) if not (place.evidence.folder / file).is_file())
    if not missing:
        return
    runs = {int(file.split("/")[0]) for file in missing}
    cleared = {file.path: file for file in place.pruned.files(runs)}
    by_hand = [cleared[file] for file in missing if file in cleared]
    lost = [file for file in missing if file not in cleared]
    raise EvidenceUnavailable("；".join([what, *_cleared(by_hand), *_lost(place, lost)]) + "。")


def _cleared(files: Sequence[PrunedFile]) -> list[str]:
    if not files:
        return []
    last = files[-1]
    when = f"{last.pruned_at:%Y-%m-%d}" if last.pruned_at else ""
    return [f"证据文件已于 {when} 由 {last.actor} 清理（{last.why}）：{listed([file.path for file in files])}"]


def _lost(place: Place, files: Sequence[str]) -> list[str]:
    if not files:
        return []
    return [f"{place.evidence.folder} 里找不到：{listed(files)}，请从备份恢复后再试"]


def listed(files: Sequence[str]) -> str:
    """Return the names of files, at most ten of them, and how many there are."""
    more = f" 等共 {len(files)} 个" if len(files) > NAMED else ""
    return "、".join(files[:NAMED]) + more
