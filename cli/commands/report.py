"""The reports: what people read in the morning, and what goes out at the end of the year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, DateOption, OutOption, UnitOption, YearOption

if TYPE_CHECKING:
    from reports.annual import AnnualReport
    from reports.brief import Brief

RunOption = Annotated[int | None, typer.Option("--run", help="按某次巡查出报告，抽查也可以。", metavar="编号")]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="已公布的第几版；默认最近公布的一版。", metavar="版本", min=1)
]
DraftOption = Annotated[bool, typer.Option("--draft", help="按现有数据重新计算，不取已公布的版本。")]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", help="日常检查截至哪一天，形如 2026-11-30；按现有数据计算。", metavar="日期"),
]

report_app = typer.Typer(help="出报告：每日巡查报告和简报、年度报告、单位得分单、整改通知单。", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(report_app, name="report")


@report_app.command(
    "daily",
    short_help="每日巡查报告和简报。",
    help="每日巡查报告（xlsx、html）和简报。示例：inspect report daily --date 2026-11-23 --out 报告",
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
    from cli.output import print_files
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
        filled = [column for column in zip(("单位", "内容", "说明", "位置"), *rows, strict=True) if any(column[1:])]
        heads, *shown = zip(*filled, strict=True)
        print_table(f"{part.title}（{len(part.lines)}）", heads, shown)
        if len(part.lines) > SHOWN:
            console.print(f"另有 {len(part.lines) - SHOWN} 条，见工作簿的“简报”。", markup=False)
    if brief.silent:
        console.print(f"{brief.silent}。", markup=False)


@report_app.command(
    "rectification",
    short_help="整改通知单和整改问题清单。",
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
    from cli.output import console, print_files
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


@report_app.command(
    "annual",
    short_help="年度汇总、通报、年度报告和各单位得分单。",
    help="年度汇总（xlsx）、通报（docx）、年度报告（html）和各单位得分单（docx）：默认取最近公布的一版，没有公布过的是暂定或送审稿。"
    "示例：inspect report annual --year 2026 --out 2026年度 --document-number 石栾政办函〔2027〕1号",
)
def annual(
    year: YearOption = None,
    version: VersionOption = None,
    draft: DraftOption = False,
    until: UntilOption = None,
    document_number: Annotated[
        str, typer.Option("--document-number", help="通报的发文字号；不给则留空，由人填写。", metavar="字号")
    ] = "",
    recipients: Annotated[
        str, typer.Option("--recipients", help="通报的主送；默认取 sites.toml 的 recipients。", metavar="单位")
    ] = "",
    out: OutOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Write everything that goes out at the end of the year."""
    from cli.output import console, print_files
    from cli.parsing import parse_day
    from cli.progress import shown
    from inspection.annual_report import annual_report, write_annual
    from inspection.place import opened
    from inspection.run import today
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place, shown() as progress:
        report = annual_report(
            place,
            year or today(place).year,
            version=version,
            draft=draft,
            last_day=parse_day(until),
            document_number=document_number,
            recipients=recipients,
        )
        files = write_annual(report, out or place.settings.reports / f"{report.year}年度", progress)
    console.print(_standing(report), markup=False)
    print_files(files)


@report_app.command(
    "unit",
    short_help="一个或几个单位的年度得分单。",
    help="一个或几个单位的年度得分单（docx）。示例：inspect report unit --unit 区教育局 --year 2026 --out 得分单",
)
def unit_sheets(
    unit: Annotated[list[str], typer.Option("--unit", help="单位名称、别名或编号；可重复。", metavar="单位")],
    year: YearOption = None,
    version: VersionOption = None,
    draft: DraftOption = False,
    until: UntilOption = None,
    out: OutOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Write the year's sheets of some units."""
    from cli.output import console, print_files
    from cli.parsing import parse_day, unit_ids
    from inspection.annual_report import annual_report, write_unit_sheet
    from inspection.place import opened
    from inspection.run import today
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        chosen = unit_ids(place, unit) or ()
        report = annual_report(
            place, year or today(place).year, version=version, draft=draft, last_day=parse_day(until)
        )
        folder = out or place.settings.reports
        files = [write_unit_sheet(report, one, folder) for one in report.units if one.result.unit_id in chosen]
    console.print(_standing(report), markup=False)
    print_files(files)


def _standing(report: AnnualReport) -> str:
    """Say which result it is, and what a draft lacks."""
    if report.version:
        return f"{report.year}年度第 {report.version.number} 版，{report.version.published_at:%Y-%m-%d} 公布。"
    if not report.missing:
        return f"{report.year}年度的结果已经齐全、尚未公布，写的是送审稿；公布用 inspect rollup --publish。"
    rows = sum(len(missing) for _, missing in report.missing)
    return f"{report.year}年度还缺 {rows} 项，写的是暂定结果；缺什么见各单位的表，或用 inspect rollup --explain 单位。"
