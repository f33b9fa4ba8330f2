"""Commands about the configuration: the inventory, the checks, and whether the files are right."""

from __future__ import annotations

from typing import Any

import typer

from cli.options import ConfigOption, JsonOption, YearOption

config_app = typer.Typer(
    help="配置文件：检查 sites.toml、rules.toml、words.toml 和各年的指标表。", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("units", help="列出纳入考核的单位、别名和栏目地址的确认情况。")(units)
    app.command(
        "checks",
        help="列出全部检查：依据、对象、权重、服务的评分指标，以及留给人评的指标。示例：inspect checks --year 2027",
    )(checks)
    app.add_typer(config_app, name="config")


def units(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the evaluated units."""
    from cli.output import print_json, print_table
    from cli.tables import KIND_TITLES
    from config.loader import load
    from inspection.settings import resolve

    inventory = load(resolve(config).config).inventory
    if json:
        print_json({"units": [_unit_document(unit) for unit in inventory.units]})
        return
    rows = (
        (
            unit.id,
            unit.name,
            KIND_TITLES[unit.kind],
            "、".join(unit.aliases),
            f"{sum(column.url is not None for column in unit.columns)}/{len(unit.columns)}",
        )
        for unit in inventory.units
    )
    print_table(f"{inventory.district.name}　纳入考核的单位", ("编号", "单位", "类别", "别名", "栏目地址已知"), rows)


def _unit_document(unit: Any) -> dict[str, Any]:
    return {
        "id": unit.id,
        "unit": unit.name,
        "kind": unit.kind,
        "aliases": list(unit.aliases),
        "columns": [
            {"id": c.id, "type": c.type, "name": c.name, "site": c.site, "url": c.url, "confirmed": c.confirmed}
            for c in unit.columns
        ],
    }


def checks(year: YearOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List every check with its clause, in the order of the year's rows that it serves, and the rows left to people."""
    from checks.documentation import SCOPES
    from checks.registry import CHECKS
    from cli.output import print_json, print_table
    from config.loader import load
    from inspection.day import day_in
    from inspection.settings import resolve

    configuration = load(resolve(config).config)
    table = configuration.indicators_for(year or day_in(configuration.inventory.district).year)
    rules, rows = configuration.rules.checks, table.indicators
    metas = [check.META for check in CHECKS]
    served = {meta.id: [row.id for row in rows if any(b.check == meta.id for b in row.checks)] for meta in metas}
    left = [row for row in rows if not row.checks]
    if json:
        listed = [_check_document(meta, served[meta.id], rules.row(meta.id).weight) for meta in metas]
        print_json({"checks": listed, "left_to_people": [_left_document(row) for row in left]})
        return
    order = [row.id for row in rows]
    listed = sorted(metas, key=lambda meta: [order.index(row) for row in served[meta.id]] or [len(order)])
    print_table(
        "检查项目",
        ("编号", "检查", "对象", "服务的指标", "权重", "依据"),
        (
            (
                m.id,
                m.title,
                SCOPES[m.scope].partition("（")[0],
                "、".join(served[m.id]) or "—",
                f"{rules.row(m.id).weight:f}",
                m.basis,
            )
            for m in listed
        ),
    )
    print_table("留给人评的指标", ("编号", "指标", "为什么"), ((row.id, row.title, row.pending) for row in left))


def _left_document(row: Any) -> dict[str, Any]:
    return {"id": row.id, "title": row.title, "why": row.pending}


def _check_document(meta: Any, indicators: list[str], weight: Any) -> dict[str, Any]:
    return {
        "id": meta.id,
        "title": meta.title,
        "failure_title": meta.failure_title,
        "basis": meta.basis,
        "method": meta.method,
        "scope": meta.scope,
        "indicators": indicators,
        "weight": float(weight),
        "reasons": dict(meta.reasons),
    }


@config_app.command("check", help="检查全部配置文件，一次列出全部错误、所在位置和改法，以及各年的指标表。")
def check(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Validate the configuration."""
    from cli.output import console, print_json
    from config.loader import load
    from config.problem import ConfigurationError
    from inspection.settings import resolve

    folder = resolve(config).config
    try:
        configuration = load(folder)
    except ConfigurationError as error:
        if not json:
            raise
        print_json({"valid": False, "problems": [_problem_document(problem) for problem in error.problems]})
        raise typer.Exit(2) from error
    unconfirmed = sum(not c.confirmed for unit in configuration.inventory.units for c in unit.columns)
    if json:
        tables = [_table_document(name, table) for name, table in configuration.tables.items()]
        print_json({"valid": True, "problems": [], "unconfirmed_columns": unconfirmed, "tables": tables})
        return
    console.print(f"配置正确：{len(configuration.inventory.units)} 个单位，规则版本 {configuration.rules.version}。")
    _print_tables(configuration)
    if unconfirmed:
        console.print(
            f"还有 {unconfirmed} 个栏目的地址待确认；确认前这些栏目记为「未检测」，单位得分可能因覆盖率不足而不发布。"
        )


def _table_document(name: str, table: Any) -> dict[str, Any]:
    from config.schema import UnitKind

    return {
        "file": name,
        "year": table.year,
        "title": table.title,
        "document_number": table.document_number,
        "rows": len(table.indicators),
        "points": {kind: table.points_of(kind) for kind in UnitKind},
    }


def _print_tables(configuration: Any) -> None:
    from cli.output import console, print_table
    from cli.tables import KIND_TITLES
    from inspection.day import day_in

    rows = (
        (name, table.year, table.title, len(table.indicators), *(f"{table.points_of(kind):f}" for kind in KIND_TITLES))
        for name, table in configuration.tables.items()
    )
    heads = ("文件", "年度", "名称", "行数", *(f"{title}合计" for title in KIND_TITLES.values()))
    print_table("评分指标表", heads, rows)
    year = day_in(configuration.inventory.district).year
    console.print(f"{year} 年的巡查和汇总用 {configuration.table_for(year)}。", markup=False)


def _problem_document(problem: Any) -> dict[str, Any]:
    return {"file": problem.file, "path": problem.path, "message": problem.message, "fix": problem.fix}
