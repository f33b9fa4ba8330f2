"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="配置文件夹；默认取环境变量 INSPECT_CONFIG，再默认 ./config。", metavar="文件夹"),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="数据文件夹；默认取环境变量 INSPECT_DATA，再默认 ./data。", metavar="文件夹"),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="数据库地址；默认取环境变量 INSPECT_DATABASE_URL，再默认数据文件夹里的 SQLite。",
        metavar="地址",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="只向标准输出打印一个 JSON 文档。")]
UnitOption = Annotated[
    list[str] | None, typer.Option("--unit", help="单位名称、别名或编号；可重复给出多个。", metavar="单位")
]
YearOption = Annotated[int | None, typer.Option("--year", help="年度；默认今年。", metavar="年份", min=2008, max=9998)]
DateOption = Annotated[str | None, typer.Option("--date", help="巡查日期，形如 2026-11-23；默认今天。", metavar="日期")]
CheckOption = Annotated[
    str | None, typer.Option("--check", help="只看某项检查，如 open_attribute；全部见 inspect checks。", metavar="检查")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="写到哪个文件夹；默认数据文件夹里的 reports。", metavar="文件夹")
]
