"""The reports: what people read in the morning, and what goes out at the end of the year."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, DateOption

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
    from inspection.reporting import run_to_report, write_daily_reports
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        chosen = run_to_report(place, day=parse_day(day), number=run)
        files = write_daily_reports(place, chosen, out or place.settings.reports)
    print_files(files)


def print_files(files: Sequence[Path]) -> None:
    """Print where the files that were written lie, a line each."""
    from cli.output import console

    for path in files:
        console.print(f"已写出 {path}", markup=False)
