"""The command of the year: what the daily checks and the marks come to, published, explained and tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption, YearOption

if TYPE_CHECKING:
    from config.schema import Indicators
    from inspection.place import Place
    from reports.annual import PublishedVersion
    from scoring.annual import Annual

UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until", help="日常检查算到哪天为止；默认到今天，公布默认 12 月 31 日，更正默认同上一版。", metavar="日期"
    ),
]
ExplainOption = Annotated[
    str | None, typer.Option("--explain", help="逐行说明一个单位的得分是怎么来的，直到问题编号。", metavar="单位")
]
PublishOption = Annotated[
    bool, typer.Option("--publish", help="公布：结果存为新的一版，从此不变；已公布过的，这就是更正。")
]
ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        help="由谁公布；默认取环境变量 INSPECT_REVIEWER。",
        envvar="INSPECT_REVIEWER",
        show_envvar=False,
        metavar="姓名",
    ),
]
WhyOption = Annotated[str, typer.Option("--why", help="为什么更正；更正时必须写。", metavar="原因")]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="查看已公布的第几版，原样，不重算。", metavar="版号", min=1)
]
VersionsOption = Annotated[bool, typer.Option("--versions", help="列出已公布的各版和每次更正了什么。")]
TrialTableOption = Annotated[
    Path | None, typer.Option("--indicators", help="试算：换用这份评分指标表，什么也不保存。", metavar="文件")
]
TrialRulesOption = Annotated[
    Path | None, typer.Option("--rules", help="试算：换用这份检查规则，什么也不保存。", metavar="文件")
]
EXAMPLES = (
    "inspect rollup --year 2026 --explain 区教育局",
    "inspect rollup --year 2026 --until 2026-11-15 --publish --by 张三",
    "inspect rollup --year 2026 --publish --by 张三 --why 补录区民政局评分",
    "inspect rollup --year 2026 --version 1",
    "inspect rollup --year 2026 --rules 新规则.toml",
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    help_text = f"年度汇总：计算、逐行说明、公布、更正、试算。示例：{' ｜ '.join(EXAMPLES)}"
    app.command("rollup", help=help_text)(rollup)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A result to be shown, live or as it was published, with the names and the table that it was reckoned by."""

    result: Annual
    names: Mapping[str, str]
    table: Indicators
    last_day: date
    version: PublishedVersion | None = None


def rollup(
    year: YearOption = None,
    until: UntilOption = None,
    explain: ExplainOption = None,
    publish: PublishOption = False,
    by: ByOption = "",
    why: WhyOption = "",
    version: VersionOption = None,
    versions: VersionsOption = False,
    indicators: TrialTableOption = None,
    rules: TrialRulesOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show the year's result of all units or of one, publish it, or try it with other tables."""
    from cli.parsing import parse_day
    from inspection.day import day_in
    from inspection.place import opened
    from inspection.settings import resolve

    trying = indicators is not None or rules is not None
    _refuse_mixtures(publish, trying, versions, version is not None, until is not None, explain is not None)
    with opened(resolve(config, data, database_url)) as place:
        year = year or day_in(place.configuration.inventory.district).year
        last_day = parse_day(until)
        if versions:
            _list_versions(place, year, json)
        elif trying:
            _try(place, year, last_day, indicators, rules, json)
        elif publish:
            _publish(place, year, last_day, by, why, json)
        else:
            _show(place, _frozen(place, year, version) if version else _live(place, year, last_day), explain, json)


def _refuse_mixtures(publish: bool, trying: bool, versions: bool, version: bool, until: bool, explain: bool) -> None:
    from inspection.errors import InvalidInput

    if publish + trying + versions + version > 1:
        raise InvalidInput("--publish、--versions、--version 和试算（--indicators、--rules）一次只能用一种。")
    if until and (version or versions):
        raise InvalidInput("已公布的各版截止日已定；--until 只用于计算、公布和试算。")
    if explain and (publish or trying or versions):
        raise InvalidInput("--explain 只用于查看结果；请单独运行。")


def _live(place: Place, year: int, last_day: date | None) -> _Shown:
    from inspection.documents import unit_names
    from inspection.rollup import gather, result_of

    inputs = gather(place, year, last_day)
    return _Shown(result_of(inputs), unit_names(place), inputs.indicators, inputs.last_day)


def _frozen(place: Place, year: int, number: int) -> _Shown:
    from inspection.publishing import frozen_year, told

    frozen = frozen_year(place, year, number)
    version = told(place, frozen.version)
    return _Shown(frozen.result, frozen.names, frozen.table, frozen.version.last_day, version)


def _show(place: Place, shown: _Shown, explain: str | None, json: bool) -> None:
    from cli.output import print_json
    from cli.rollup_tables import print_ranking
    from inspection.rollup_documents import rollup_document

    if explain:
        _explain(place, shown, explain, json)
    elif json:
        print_json(rollup_document(shown.result, shown.names, shown.last_day, shown.version))
    else:
        print_ranking(shown.result, shown.names, shown.last_day, shown.version)


def _explain(place: Place, shown: _Shown, named: str, json: bool) -> None:
    from cli.output import print_json
    from cli.parsing import unit_ids
    from cli.rollup_tables import print_explanation
    from inspection.explaining import explained
    from inspection.rollup_documents import explanation_document, rollup_document

    chosen = unit_ids(place, [named])
    assert chosen is not None
    explanation = explained(place, shown.result, shown.table, chosen[0], shown.last_day)
    if json:
        document = rollup_document(shown.result.of(chosen), shown.names, shown.last_day, shown.version)
        print_json(document | {"units": [explanation_document(explanation, shown.names)]})
    else:
        print_explanation(explanation, shown.result, shown.names, shown.version)


def _publish(place: Place, year: int, last_day: date | None, by: str, why: str, json: bool) -> None:
    from cli.output import print_json
    from cli.rollup_tables import print_published
    from inspection.publishing import publish, told
    from inspection.rollup_documents import version_document

    kept = publish(place, year, last_day, by=by, why=why)
    version = told(place, kept)
    if json:
        print_json({"year": year, "last_day": kept.last_day, **version_document(version)})
    else:
        print_published(year, kept.last_day, version)


def _list_versions(place: Place, year: int, json: bool) -> None:
    from cli.output import print_json
    from cli.rollup_tables import print_versions
    from inspection.publishing import published_versions
    from inspection.rollup_documents import versions_document

    versions = published_versions(place, year)
    if json:
        print_json(versions_document(year, versions))
    else:
        print_versions(year, versions)


def _try(
    place: Place, year: int, last_day: date | None, indicators: Path | None, rules: Path | None, json: bool
) -> None:
    from cli.output import print_json
    from cli.progress import shown
    from cli.rollup_tables import print_trial
    from inspection.documents import unit_names
    from inspection.trial import trial, trial_document

    with shown(quiet=json) as progress:
        tried = trial(place, year, last_day, indicators, rules, progress)
    if json:
        print_json(trial_document(tried, unit_names(place)))
    else:
        print_trial(tried, unit_names(place))
