"""Evidence for auditors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption

evidence_app = typer.Typer(help="证据：核对封存、生成签名密钥、导出给审计人员。", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(evidence_app, name="evidence")


@evidence_app.callback()
def evidence() -> None:
    """Group the commands about evidence."""


@evidence_app.command(
    "export",
    help="把一个单位一段时间的证据导出为 WACZ 文件，可用 ReplayWeb.page 打开。"
    "示例：inspect evidence export --unit 区教育局 --from 2026-11-01 --to 2026-11-30 --out 教育局.wacz",
)
def export(
    unit: Annotated[str, typer.Option("--unit", help="单位名称、别名或编号。", metavar="单位")],
    out: Annotated[Path, typer.Option("--out", help="写到哪个文件。", metavar="文件")],
    since: Annotated[
        str | None, typer.Option("--from", help="起始日期；默认最近一次巡查那天。", metavar="日期")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="截止日期；默认同起始日期。", metavar="日期")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Export a unit's evidence as a WACZ."""
    from cli.output import console
    from cli.parsing import parse_day, unit_ids
    from inspection.exporting import export_evidence
    from inspection.place import opened
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        ids = unit_ids(place, [unit])
        assert ids is not None
        summary = export_evidence(place, ids[0], parse_day(since), parse_day(until), out)
    console.print(
        f"已导出 {summary.pages} 个页面、{summary.records} 条证据记录、{summary.findings} 条检查结果：{out}",
        markup=False,
    )
