"""The reports: what people read in the morning, and what goes out at the end of the year."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, DateOption, UnitOption

if TYPE_CHECKING:
    from reports.brief import Brief

OutOption = Annotated[
    Path | None, typer.Option("--out", help="写到哪个文件夹；默认数据文件夹里的 reports。", metavar="文件夹")
]
RunOption = Annotated[int | None, typer.Option("--run", help="按某次巡查出报告，抽查也可以。", metavar="编号")]

report_app = typer.Typer(help="出报告：每日巡查报告和简报、年度报告、单位得分单、整改通知单。", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(report_app, name="report")


@report_app.command(
    "daily", help="每日巡查报告（xlsx、html）和简报。示例：inspect report daily --date 2026-11-23 --out 报告"
)
def daily(
    day: DateOption = None,
    run: RunOption = None,
    out: OutOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Write the report of a day's newest finished night, or of one run."""
    from cli.parsing import parse_day
    from inspection.place import opened
    from inspection.reporting import daily_report, run_to_report, write_daily
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        chosen = run_to_report(place, day=parse_day(day), number=run)
        report = daily_report(place, chosen)
        files = write_daily(report, out or place.settings.reports)
    if report.brief:
        _print_brief(report.brief)
    print_files(files)


def _print_brief(brief: Brief) -> None:
    from cli.output import console, print_table
    from reports.brief import SHOWN

    console.print(f"{brief.day} 简报", style="bold")
    for note in (*brief.notes, brief.summary):
        console.print(note, markup=False)
    for part in brief.told:
        rows = [(line.unit, line.what, line.detail, line.address) for line in part.lines[:SHOWN]]
        print_table(f"{part.title}（{len(part.lines)}）", ("单位", "内容", "说明", "位置"), rows)
        if len(part.lines) > SHOWN:
            console.print(f"另有 {len(part.lines) - SHOWN} 条，见工作簿的“简报”。", markup=False)
    if brief.silent:
        console.print(f"{brief.silent}。", markup=False)


@report_app.command(
    "rectification",
    help="整改通知单（每个单位一份 docx）和整改问题清单（xlsx）：整改中的问题，逾期的列在前面。"
    "示例：inspect report rectification --out 整改 ｜ inspect report rectification --unit 区教育局 --overdue",
)
def rectification(
    unit: UnitOption = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="只要过了期限仍未整改的。")] = False,
    day: Annotated[
        str | None, typer.Option("--date", help="通知单的日期，形如 2026-11-23；默认今天。", metavar="日期")
    ] = None,
    out: OutOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Write a rectification notice for each unit that has something to mend, and the list of it all."""
    from cli.output import console
    from cli.parsing import parse_day, unit_ids
    from inspection.place import opened
    from inspection.rectification import write_rectification
    from inspection.run import today
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        chosen = unit_ids(place, unit)
        folder = out or place.settings.reports
        files = write_rectification(place, folder, parse_day(day) or today(place), chosen, overdue=overdue)
    if not files:
        console.print("没有逾期未改的问题，什么也没有写。" if overdue else "没有整改中的问题，什么也没有写。")
    print_files(files)


def print_files(files: Sequence[Path]) -> None:
    """Print where the files that were written lie, a line each."""
    from cli.output import console

    for path in files:
        console.print(f"已写出 {path}", markup=False)
