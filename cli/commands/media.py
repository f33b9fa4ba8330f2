"""Commands about 政务新媒体: importing the office's register of accounts, and showing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption, UnitOption

if TYPE_CHECKING:
    from checks.model import NewMediaAccount

COLUMNS = "单位、平台、账号名称、最近发布日期（从未发布的写“无”）、互动功能（是/否，不清楚的留空）、备注"
EXAMPLES = "示例：inspect media import 台账.xlsx --recorded-on 2026-11-20 ｜ inspect media list --unit 区教育局"
media_app = typer.Typer(help=f"政务新媒体账号台账：导入、查看。{EXAMPLES}", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(help="台账：.xlsx 或 CSV（UTF-8、GBK 均可）。", metavar="文件")]
RecordedOption = Annotated[
    str | None, typer.Option("--recorded-on", help="台账登记日，形如 2026-11-20；默认今天。", metavar="日期")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(media_app, name="media")


@media_app.command(
    "import",
    help=f"导入政务新媒体账号台账，作为新的一版；有一处错误就一条也不导入，并列出全部错误的位置。表头各列：{COLUMNS}。{EXAMPLES}",
)
def import_file(
    file: FileArgument,
    recorded_on: RecordedOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Import the register."""
    from cli.output import console, print_json
    from cli.parsing import parse_day
    from inspection.new_media import import_register
    from inspection.place import opened
    from inspection.run import today
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        day = parse_day(recorded_on) or today(place)
        count = import_register(place, file, day)
    if json:
        print_json({"imported": count, "recorded_on": day})
    else:
        console.print(f"已导入 {count} 个账号，台账登记日 {day}。用 inspect media list 查看。", markup=False)


@media_app.command("list", help="列出现行台账里的账号。示例：inspect media list ｜ inspect media list --unit 区教育局")
def list_accounts(
    unit: UnitOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List the accounts of the register in force."""
    from cli.output import console, print_json, print_table
    from cli.parsing import unit_ids
    from inspection.documents import unit_names
    from inspection.place import opened
    from inspection.run import today
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        register, names, wanted = place.repository.register(today(place)), unit_names(place), unit_ids(place, unit)
    accounts = [a for a in (register.accounts if register else ()) if wanted is None or a.unit_id in wanted]
    rows = [_fields(account, names.get(account.unit_id, account.unit_id)) for account in accounts]
    if json:
        print_json({"recorded_on": register.recorded_on if register else None, "accounts": rows})
    elif register is None:
        console.print("还没有导入账号台账；用 inspect media import 文件 导入。")
    else:
        title = f"政务新媒体账号台账（{register.recorded_on} 登记，导入自 {register.source}）"
        print_table(title, ("单位", "平台", "账号名称", "最近发布", "互动功能", "备注"), map(_shown, rows))


def _fields(account: NewMediaAccount, unit: str) -> dict[str, Any]:
    return {
        "unit": unit,
        "platform": account.platform,
        "name": account.name,
        "last_post": account.last_post,
        "interaction": account.interaction,
        "note": account.note,
    }


def _shown(row: dict[str, Any]) -> tuple[object, ...]:
    interaction = {True: "有", False: "没有", None: "没有登记"}[row["interaction"]]
    return row["unit"], row["platform"], row["name"], row["last_post"] or "从未发布", interaction, row["note"]
