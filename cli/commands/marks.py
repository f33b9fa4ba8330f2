"""Commands about the annual assessment's marks: forms for the reviewers, taking them in, and what is given so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption, OutOption, UnitOption, YearOption

if TYPE_CHECKING:
    from inspection.marks import Imported

EXAMPLES = "示例：inspect marks template --reviewer 张三 --out 评分表 ｜ inspect marks import 评分表/*.xlsx --by 李四"
SHOWN = 20  # cells named one by one before the rest is only counted
marks_app = typer.Typer(help=f"考核组评分和通报扣分：发表、导入、查看。{EXAMPLES}", no_args_is_help=True)
ReviewerOption = Annotated[
    list[str] | None, typer.Option("--reviewer", help="评分人，一人一份表；可重复给出多个。", metavar="姓名")
]
IndicatorOption = Annotated[
    list[str] | None, typer.Option("--indicator", help="只评这些指标，如 5.1；可重复给出多个。", metavar="指标")
]
CircularsOption = Annotated[bool, typer.Option("--circulars", help="生成通报扣分表，而不是评分表。")]
FilesArgument = Annotated[
    list[Path], typer.Argument(help="填好的评分表、通报扣分表（.xlsx），可以多份一起。", metavar="文件…")
]
ByOption = Annotated[str, typer.Option("--by", help="由谁导入；和本机账号一起存档。", metavar="姓名")]
WithdrawOption = Annotated[bool, typer.Option("--withdraw", help="允许空白的表：收回以前交的评分或通报。")]
OneReviewerOption = Annotated[
    str | None, typer.Option("--reviewer", help="只看这一位评分人，并列出他的每个评分。", metavar="姓名")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(marks_app, name="marks")


@marks_app.command(
    "template",
    help=(
        "给每位评分人生成一份评分表（.xlsx）：每格可下拉选分，超出满分的填不进，职责不涉及的已写好；已经交过的分带在表里。"
        "加 --circulars 则生成全年的通报扣分表。示例："
        "inspect marks template --year 2026 --reviewer 张三 --reviewer 李四 --out 评分表 ｜ "
        "inspect marks template --reviewer 王五 --indicator 2.2 --unit 区教育局 ｜ inspect marks template --circulars"
    ),
)
def template(
    year: YearOption = None,
    reviewer: ReviewerOption = None,
    unit: UnitOption = None,
    indicator: IndicatorOption = None,
    circulars: CircularsOption = False,
    out: OutOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Write the forms."""
    from cli.output import print_files
    from cli.parsing import unit_ids
    from inspection.day import day_in
    from inspection.errors import InvalidInput
    from inspection.marks import write_circulars_form, write_forms
    from inspection.place import opened
    from inspection.settings import resolve

    if circulars == bool(reviewer) or (circulars and (unit or indicator)):
        raise InvalidInput("评分表用 --reviewer 写明评分人；通报扣分表用 --circulars，不分评分人、单位和指标。")
    with opened(resolve(config, data, database_url)) as place:
        year = year or day_in(place.configuration.inventory.district).year
        folder = out or place.settings.reports
        if circulars:
            paths = [write_circulars_form(place, year, folder)]
        else:
            paths = write_forms(place, year, reviewer or (), unit_ids(place, unit), indicator, folder)
    print_files(paths)


@marks_app.command(
    "import",
    help=(
        "导入填好的评分表和通报扣分表，可以多份一起；有一处错误就一格也不导入，并按文件、工作表、单元格列出全部错误。"
        "同一评分人新交的一份代替以前的（以前的仍存档）；没填的格列为还缺。示例："
        "inspect marks import 评分表-2026-张三.xlsx 评分表-2026-李四.xlsx 通报扣分表-2026.xlsx --by 王干事"
    ),
)
def import_marks(
    files: FilesArgument,
    by: ByOption,
    withdraw: WithdrawOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Import the forms."""
    from cli.output import print_json
    from inspection.documents import unit_names
    from inspection.marks import import_files, imported_document
    from inspection.place import opened
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        imported = import_files(place, files, by, withdraw=withdraw)
        documents, names = [imported_document(place, one) for one in imported], unit_names(place)
    if json:
        print_json({"imported": documents})
        return
    for one in imported:
        _print_imported(one, names)


def _print_imported(imported: Imported, names: Mapping[str, str]) -> None:
    from cli.output import console, printable
    from storage.model import CircularSheet

    sheet, former = imported.sheet, imported.former
    replaced = f"，代替第 {former.id} 份" if former else ""
    if isinstance(sheet, CircularSheet):
        before = f"（上一份 {len(former.circulars)} 条）" if isinstance(former, CircularSheet) else ""
        told = f"{sheet.year} 年通报 {len(sheet.circulars)} 条{before}"
        console.print(printable(f"已导入 {sheet.source}：{told}，第 {imported.number} 份{replaced}。"))
        return
    excused = sum(mark.points is None for mark in sheet.marks)
    told = f"{sheet.year} 年 {sheet.reviewer}的评分 {len(sheet.marks) - excused} 格，未涉及 {excused} 格"
    console.print(printable(f"已导入 {sheet.source}：{told}，第 {imported.number} 份{replaced}。"))
    if imported.missing:
        console.print(
            f"  还缺 {len(imported.missing)} 格：{_by_unit((names[u], row) for u, row in imported.missing)}",
            markup=False,
        )


@marks_app.command(
    "list",
    help=(
        "谁评了、还缺什么、评分人之间说法不一的、全年的通报。加 --reviewer 或 --unit 列出每个评分，"
        "加 --reviewer 还列出历次所交。示例："
        "inspect marks list --year 2026 ｜ inspect marks list --reviewer 张三 ｜ inspect marks list --unit 区教育局"
    ),
)
def list_marks(
    year: YearOption = None,
    reviewer: OneReviewerOption = None,
    unit: UnitOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List the marks in force."""
    from cli.output import print_json
    from cli.parsing import unit_ids
    from inspection.day import day_in
    from inspection.marks import marks_document
    from inspection.place import opened
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        year = year or day_in(place.configuration.inventory.district).year
        document = marks_document(place, year, reviewer, unit_ids(place, unit))
    if json:
        print_json(document)
        return
    _print_reviewers(document)
    if reviewer or unit:
        _print_marks(document)
    if reviewer:
        _print_versions(document["reviewers"][0])
    _print_wanting(document)
    _print_circulars(document)


def _print_reviewers(document: Mapping[str, Any]) -> None:
    from cli.output import print_table

    rows = [
        (
            one["reviewer"],
            sum(not mark["na"] for mark in one["marks"]),
            sum(mark["na"] for mark in one["marks"]),
            len(one["missing"]),
            _when(one),
            one["by"],
            one["source"],
            f"{one['version']}（共交 {len(one['versions'])} 次）"
            + ("" if one["current_table"] else "，指标表后来改过"),
        )
        for one in document["reviewers"]
    ]
    heads = ("评分人", "评分", "未涉及", "还缺", "导入时间", "导入人", "文件", "第几份")
    empty = f"{document['year']} 年还没有人交评分；用 inspect marks template 发表，填好后用 inspect marks import 导入。"
    print_table(f"{document['year']} 年考核组评分", heads, rows, empty=empty)


def _print_marks(document: Mapping[str, Any]) -> None:
    from cli.output import print_table

    units: dict[str, dict[str, list[tuple[object, ...]]]] = {}
    for one in document["reviewers"]:
        for mark in one["marks"]:
            given = "未涉及" if mark["na"] else mark["points"]
            cell = units.setdefault(mark["unit"], {}).setdefault(mark["indicator"], [])
            cell.append((mark["unit"], mark["indicator"], one["reviewer"], given, mark["note"]))
    rows = [row for unit in units.values() for cell in unit.values() for row in cell]
    print_table("评分", ("单位", "指标", "评分人", "评分", "扣分理由"), rows)


def _print_versions(one: Mapping[str, Any]) -> None:
    from cli.output import print_table

    rows = [
        (version["version"], version["marks"], _when(version), version["by"], version["account"], version["source"])
        for version in one["versions"]
    ]
    print_table(f"{one['reviewer']}历次所交", ("第几份", "格数", "导入时间", "导入人", "账号", "文件"), rows)


def _print_wanting(document: Mapping[str, Any]) -> None:
    from cli.output import console

    wanting = (
        ("评分人之间说法不一（有的评了分，有的填未涉及），须核对", document["disputed"]),
        ("还没有任何人评", document["missing"]),
    )
    for what, places in wanting:
        if places:
            told = _by_unit((place["unit"], place["indicator"]) for place in places)
            console.print(f"{what}：{len(places)} 格。{told}", markup=False)


def _print_circulars(document: Mapping[str, Any]) -> None:
    from cli.output import console, print_table

    sheet = document["circulars"]
    if sheet is None:
        console.print(
            "还没有导入全年的通报扣分表（没有通报也要交一份空的）；用 inspect marks template --circulars 生成。"
        )
        return
    rows = [
        (one["unit"], one["indicator"], one["points"], one["issuer"], one["title"], one["day"])
        for one in sheet["circulars"]
    ]
    title = f"通报扣分（第 {sheet['version']} 份，{_when(sheet)} 由{sheet['by']}导入）"
    heads = ("单位", "指标", "扣分", "通报机关", "标题、文号", "日期")
    print_table(title, heads, rows, empty=f"{title}：没有通报。")


def _when(origin: Mapping[str, Any]) -> str:
    return f"{origin['imported_at']:%Y-%m-%d %H:%M}"


def _by_unit(places: Iterable[tuple[str, str]]) -> str:
    """Return cells by their units (区教育局 1.1、1.2；…), the first of them named and the rest counted."""
    cells: Sequence[tuple[str, str]] = list(places)
    shown: dict[str, list[str]] = {}
    for unit, row in cells[:SHOWN]:
        shown.setdefault(unit, []).append(row)
    units = Counter(unit for unit, _ in cells)
    told = "；".join(f"{unit} {'、'.join(rows)}" for unit, rows in shown.items())
    return told + (f"……共 {len(units)} 个单位" if len(cells) > SHOWN else "")
