"""The command that judges a stored run again: does it come out as it did, and what would other rules make of it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inspection.judging_again import JudgedAgain
    from inspection.publishing_again import PublishedAgain

RunOption = Annotated[int, typer.Option("--run", help="第几次巡查。", metavar="编号", min=1)]
RulesOption = Annotated[Path | None, typer.Option("--rules", help="试判：换用这份检查规则。", metavar="文件")]
IndicatorsOption = Annotated[
    Path | None, typer.Option("--indicators", help="试判：换用这份评分指标表。", metavar="文件")
]
WordsOption = Annotated[Path | None, typer.Option("--words", help="试判：换用这份词表。", metavar="文件")]
EXAMPLES = "示例：inspect rescore --run 12 ｜ inspect rescore --run 12 --rules 新规则.toml"
EXIT_STORAGE = 5
SHOWN = 50  # differences of findings; all of them stand in --json


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(
        "rescore", help=f"用已存的证据把一次巡查重新判定一遍，核对结果；不加 --publish 什么也不保存。{EXAMPLES}"
    )(rescore)


def rescore(
    run: RunOption,
    rules: RulesOption = None,
    indicators: IndicatorsOption = None,
    words: WordsOption = None,
    publish: Annotated[bool, typer.Option("--publish", help="把这样判定的得分公布为当日的得分。")] = False,
    by: Annotated[str, typer.Option("--by", help="由谁公布。", metavar="姓名")] = "",
    why: Annotated[str, typer.Option("--why", help="为什么替换已公布的得分。", metavar="理由")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Judge a stored run again, by its own rules or by others; with --publish its scores become those of the day."""
    from cli.output import print_json
    from cli.progress import shown
    from config.loader import INDICATORS, RULES, WORDS
    from inspection.documents import unit_names
    from inspection.judging_again import judge_again, judged_again_document
    from inspection.place import opened
    from inspection.publishing_again import publish_again, published_again_document, require_words
    from inspection.settings import resolve

    if publish:
        require_words(by, why)
    published = None
    with opened(resolve(config, data, database_url)) as place:
        names, other = unit_names(place), {RULES: rules, INDICATORS: indicators, WORDS: words}
        with shown(quiet=json) as progress:
            again = judge_again(place, run, other, progress, publishing=publish)
            if publish:
                published = publish_again(place, again, progress, by=by, why=why)
    if json:
        added = {"published": published_again_document(published, names)} if published else {}
        print_json(judged_again_document(again, names) | added)
    else:
        _print(again, names, published)
    raise typer.Exit(EXIT_STORAGE if published and published.unsealed else again.exit_code)


# ---------------------------------------------------------------- for people


def _print(again: JudgedAgain, names: Mapping[str, str], published: PublishedAgain | None) -> None:
    from cli.output import console, printable
    from inspection.publishing_again import sentences

    run, count = again.run, sum(map(len, again.night.findings.values()))
    how = "试判（什么也没有保存）" if again.trying and not published else "重新判定"
    if again.same:
        console.print(f"第 {run.id} 次巡查（{run.day}）{how}：{count} 条检查结果和全部得分都与当时一致。")
        return
    console.print(
        f"第 {run.id} 次巡查（{run.day}）{how}：{count} 条检查结果中有 {len(again.findings)} 处不同，"
        f"{len(again.scores)} 个单位的得分不同，{len(again.verdicts)} 个站点的结论不同。"
    )
    _print_scores(again, names)
    _print_findings(again, names)
    for sentence in sentences(published, names) if published else ():
        console.print(printable(sentence))


def _print_scores(again: JudgedAgain, names: Mapping[str, str]) -> None:
    from cli.output import percent, print_table, score_text

    rows = [
        (
            names.get(change.after.unit_id, change.after.unit_id),
            score_text(change.before.score if change.before else None),
            score_text(change.after.score),
            percent(change.before.coverage if change.before else None),
            percent(change.after.coverage),
            change.after.verdict or "—",
        )
        for change in again.scores
    ]
    if rows:
        print_table("得分", ("单位", "之前", "之后", "覆盖率之前", "之后", "单项否决"), rows)


def _print_findings(again: JudgedAgain, names: Mapping[str, str]) -> None:
    from cli.output import console, print_table
    from cli.tables import check_title

    rows = [
        (
            names.get(change.finding.unit_id, change.finding.unit_id),
            check_title(change.finding.check),
            change.finding.target + (f"　{change.finding.item}" if change.finding.item else ""),
            f"{change.before.outcome}　{change.before.observed}" if change.before else "（没有）",
            f"{change.after.outcome}　{change.after.observed}" if change.after else "（没有）",
            change.finding.fingerprint,
        )
        for change in again.findings[:SHOWN]
    ]
    if rows:
        print_table("检查结果", ("单位", "检查", "位置", "之前", "之后", "指纹"), rows)
    if len(again.findings) > SHOWN:
        console.print(f"只列出前 {SHOWN} 处不同，共 {len(again.findings)} 处；用 --json 可看到全部。")
