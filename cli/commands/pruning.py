"""Evidence whose time is over: what would go, clearing it, and what was cleared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.evidence import evidence_app
from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption

if TYPE_CHECKING:
    from inspection.pruning import RunPruning
    from storage.pruned import PrunedFile

SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this module's commands to those about evidence."""
    evidence_app.command(
        "prune",
        help="清理过了保存期的证据文件，腾出磁盘；未了结的问题、申诉和已公布的得分所依据的都留着。不加 --yes 只预览。"
        "示例：inspect evidence prune --before 2025-01-01 --by 张三 --why 保存期满 --yes",
    )(prune)


def prune(
    before: Annotated[str | None, typer.Option("--before", help="清理这一天以前的巡查。", metavar="日期")] = None,
    by: Annotated[str, typer.Option("--by", help="由谁清理。", metavar="姓名")] = "",
    why: Annotated[str, typer.Option("--why", help="为什么清理。", metavar="理由")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="真的清理；不加只预览。")] = False,
    listing: Annotated[bool, typer.Option("--list", help="列出清理过的文件。")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Clear evidence files whose time is over, or tell what would go."""
    from cli.output import print_json
    from cli.parsing import parse_day
    from cli.progress import shown
    from inspection import pruning
    from inspection.errors import InvalidInput
    from inspection.place import opened
    from inspection.settings import resolve

    day = parse_day(before)
    if (day is None) != listing:
        raise InvalidInput("请给出 --before 日期（清理这一天以前的），或只给 --list（列出清理过的）。")
    with opened(resolve(config, data, database_url)) as place:
        if day is None:
            files = place.pruned.files()
            print_json({"files": [_file_document(file) for file in files]}) if json else _print_files(files)
            return
        with shown(quiet=json) as progress:
            if yes:
                planned = pruning.prune(place, day, by=by, why=why, progress=progress)
            else:
                planned = pruning.preview(place, day, progress)
    print_json(_document(planned, yes)) if json else _print(planned, yes)
    raise typer.Exit(pruning.EXIT_DIFFERENT if any(one.altered for one in planned) else 0)


def _document(planned: Sequence[RunPruning], done: bool) -> dict[str, object]:
    return {
        "done": done,
        "files": sum(len(one.files) for one in planned),
        "bytes": sum(one.freed for one in planned),
        "runs": [
            {
                "run": one.run.id,
                "day": one.run.day,
                "files": dict(one.files),
                "kept": dict(one.kept),
                "altered": list(one.altered),
            }
            for one in planned
        ],
    }


def _file_document(file: PrunedFile) -> dict[str, object]:
    return {
        "run": file.run_id,
        "file": file.file,
        "bytes": file.length,
        "sha256": file.sha256,
        "at": file.pruned_at,
        "by": file.actor,
        "account": file.account,
        "why": file.why,
    }


# ---------------------------------------------------------------- for people


def _print(planned: Sequence[RunPruning], done: bool) -> None:
    from cli.output import console, print_table, printable

    rows = [
        (
            one.run.id,
            one.run.day,
            len(one.files),
            _megabytes(one.freed),
            "；".join(f"{reason}：{count} 个" for reason, count in one.kept.items()),
        )
        for one in planned
    ]
    title = "清理了的证据" if done else "可以清理的证据（预览，什么也没有改动）"
    headings = ("巡查", "日期", "文件", "MB", "留下的为什么留")
    print_table(title, headings, rows, empty="没有可以清理的证据。")
    altered = [f"{one.run.id}/{file}" for one in planned for file in one.altered]
    for file in altered[:SHOWN]:
        console.print(f"{printable(file)} 和封存时不同，没有动它；先用 inspect evidence check 查清楚。")
    if len(altered) > SHOWN:
        console.print(f"另有 {len(altered) - SHOWN} 个这样的文件，用 --json 查看全部。")
    files, freed = sum(len(one.files) for one in planned), sum(one.freed for one in planned)
    if done:
        console.print(f"清理了 {files} 个文件，腾出 {_megabytes(freed)} MB；inspect evidence prune --list 可查。")
    elif files:
        console.print(f"可清理 {files} 个文件，腾出 {_megabytes(freed)} MB；核对后加 --by 姓名 --why 理由 --yes 清理。")


def _print_files(files: Sequence[PrunedFile]) -> None:
    from cli.output import print_table

    rows = [
        (file.path, _megabytes(file.length), file.pruned_at and file.pruned_at.date(), file.actor, file.why)
        for file in files
    ]
    print_table("清理过的证据", ("文件", "MB", "日期", "经办人", "理由"), rows, empty="还没有清理过证据。")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.2f}"
