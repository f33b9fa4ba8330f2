"""Evidence for auditors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, UnitOption

evidence_app = typer.Typer(help="证据：核对封存、生成签名密钥、导出给审计人员。", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(evidence_app, name="evidence")


@evidence_app.callback()
def evidence() -> None:
    """Group the commands about evidence."""


@evidence_app.command(
    "export",
    help="把单位一段时间、一个问题或一个已公布年度的证据导出为 WACZ 文件：网页原件、检查结果、得分与算式、封存清单。"
    "可用 ReplayWeb.page 打开，用 inspect evidence verify 核验。"
    "示例：inspect evidence export --unit 区教育局 --from 2026-11-01 --to 2026-11-30 --out 教育局.wacz；"
    "inspect evidence export --finding 1234 --out 问题1234.wacz",
)
def export(
    out: Annotated[Path, typer.Option("--out", help="写到哪个文件。", metavar="文件")],
    unit: UnitOption = None,
    since: Annotated[
        str | None, typer.Option("--from", help="起始日期；默认最近一次巡查那天。", metavar="日期")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="截止日期；默认同起始日期。", metavar="日期")] = None,
    finding: Annotated[
        int | None, typer.Option("--finding", help="只导出这一个问题：看到过它的各次巡查。", metavar="编号")
    ] = None,
    year: Annotated[
        int | None,
        typer.Option("--year", help="导出已公布的年度结果所依据的全部巡查。", metavar="年份", min=2008, max=9998),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="年度结果的第几版；默认最新一版。", metavar="版次", min=1)
    ] = None,
    without_personal: Annotated[
        bool, typer.Option("--without-personal", help="不放入查出个人信息的网页原件；封存清单仍能证明它们。")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Export evidence as a WACZ."""
    from cli.output import console
    from cli.parsing import parse_day, unit_ids
    from cli.progress import shown
    from inspection.exporting import export_evidence
    from inspection.place import opened
    from inspection.selection import Asked
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        units = unit_ids(place, unit) or ()
        asked = Asked(units, parse_day(since), parse_day(until), finding, year, version, without_personal)
        with shown() as progress:
            summary = export_evidence(place, asked, out, progress)
    told = f"，因含个人信息未放入 {summary.withheld} 条" if summary.withheld else ""
    console.print(
        f"已导出 {summary.runs} 次巡查、{summary.pages} 个页面、{summary.records} 条证据记录、"
        f"{summary.findings} 条检查结果{told}：{out}",
        markup=False,
    )
