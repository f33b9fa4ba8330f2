"""The command of the year: what the daily checks and the marks come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption, YearOption

if TYPE_CHECKING:
    from inspection.place import Place
    from scoring.annual import Annual, IndicatorYear, UnitResult

ExplainOption = Annotated[
    str | None, typer.Option("--explain", help="逐行说明一个单位的得分是怎么来的。", metavar="单位")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("rollup", help="年度汇总。示例：inspect rollup --year 2026 --explain 区教育局")(rollup)


def rollup(
    year: YearOption = None,
    explain: ExplainOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Print the year's result of all units, or of one unit line by line."""
    from cli.output import print_json
    from cli.parsing import unit_ids
    from inspection.place import opened
    from inspection.rollup import annual
    from inspection.rollup_documents import rollup_document
    from inspection.run import today
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        chosen = unit_ids(place, [explain] if explain else None)
        result = annual(place, year or today(place).year)
        if chosen:
            result = result.of(chosen)
        if json:
            print_json(rollup_document(place, result))
        elif chosen:
            _print_unit(place, result, result.units[0])
        else:
            _print_ranking(place, result)


def _print_ranking(place: Place, result: Annual) -> None:
    from cli.output import console, print_table
    from cli.tables import KIND_TITLES
    from inspection.documents import unit_names

    names = unit_names(place)
    for kind, title in KIND_TITLES.items():
        of_kind = sorted((unit for unit in result.units if unit.kind is kind), key=lambda unit: unit.rank)
        rows = (
            (unit.rank, names[unit.unit_id], f"{unit.total:.2f}", len(unit.published), len(unit.missing))
            for unit in of_kind
        )
        heads = ("名次", "单位", "得分", "有分的天数", "缺少的项")
        print_table(f"{result.year}年度汇总（{result.status}）　{title}", heads, rows)
    missing = sum(len(unit.missing) for unit in result.units)
    if missing:
        console.print(f"还缺 {missing} 项，结果是暂定的，只加了已有的分；用 --explain 单位 查看缺什么。", markup=False)


def _print_unit(place: Place, result: Annual, unit: UnitResult) -> None:
    from cli.output import console, print_table
    from inspection.documents import unit_names

    titles = {row.id: row.title for row in place.configuration.indicators_for(result.year).indicators}
    rows = [(row.id, titles[row.id], row.points, _final(row), _told(row)) for row in unit.indicators]
    name = unit_names(place)[unit.unit_id]
    print_table(f"{name} {result.year}年度（{result.status}）", ("行", "指标", "分值", "得分", "算式"), rows)
    for veto in unit.vetoes:
        console.print(f"单项否决：{veto.title}，{len(veto.days)} 天，扣 {veto.points} 分。", markup=False)
    days = f"有分 {len(unit.published)} 天，覆盖率不足、没有分 {len(unit.withheld)} 天"
    console.print(f"合计 {unit.total:.2f} 分，同类第 {unit.rank} 名；{days}。", markup=False)


def _told(row: IndicatorYear) -> str:
    return "；".join(filter(None, (row.formula, row.missing)))


def _final(row: IndicatorYear) -> str:
    from scoring.annual import rounded

    return "—" if row.final is None else f"{rounded(row.final):.2f}"
