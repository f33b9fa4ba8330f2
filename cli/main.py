"""The command `inspect`: thin commands over the flow. Messages and tables are Chinese, options English.

Modules that cost time to load are imported inside the commands that need them, so that help answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from cli.commands import (
    configuration,
    demonstration,
    evidence,
    inspecting,
    machine,
    marks,
    media,
    pages,
    pruning,
    report,
    rescore,
    results,
    review,
    rollup,
    sealing,
    verifying,
)
from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption, UnitOption
from cli.output import bear_any_character
from cli.stopping import EXIT_INTERRUPTED

EXIT_USAGE = 2

app = typer.Typer(
    name="inspect",
    help="政府网站政务公开每日巡查：采集、判定、留证、评分。",
    epilog="示例：inspect --unit 区教育局 ｜ inspect run ｜ inspect findings --unit 区教育局 ｜ inspect doctor",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for commands in (
    inspecting,
    results,
    review,
    rollup,
    rescore,
    report,
    marks,
    media,
    pages,
    configuration,
    evidence,
    sealing,
    pruning,
    verifying,
    machine,
    demonstration,
):
    commands.register(app)


@app.callback()
def spot_check(
    context: typer.Context,
    unit: UnitOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """不带命令而给出 --unit，就是对这些单位立即抽查一次：采集、判定、打印问题和得分（不计入当日正式得分）。"""
    given = [name for name, value in context.params.items() if value]
    if context.invoked_subcommand is not None and given:
        option, command = f"--{given[0].replace('_', '-')}", context.invoked_subcommand
        raise TyperException(f"{option} 要写在命令的后面：inspect {command} {option} …")
    if context.invoked_subcommand is not None:
        return
    if not unit:
        typer.echo(context.get_help())
        raise typer.Exit
    raise typer.Exit(inspecting.spot_check(unit, config, data, database_url, json))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; errors are one Chinese sentence, with --debug a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _speak_chinese()
    bear_any_character()
    debug = "--debug" in given
    try:
        code = app(args=[argument for argument in given if argument != "--debug"], standalone_mode=False)
    except TyperException as error:
        typer.echo(f"命令用法不对：{error.format_message()}（用 --help 查看用法）", err=True)
        return EXIT_USAGE
    except Exception as error:
        if debug:
            raise
        from cli.failures import explain

        return explain(error)
    if code == EXIT_INTERRUPTED:
        typer.echo("已中断；已采集的内容都已保存，用 inspect run --resume 继续。", err=True)
    return code if isinstance(code, int) else 0


def _speak_chinese() -> None:
    """Give the help's frames their Chinese titles; Typer keeps them as constants of the module that draws them."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = "参数"
    rich_utils.OPTIONS_PANEL_TITLE = "选项"
    rich_utils.COMMANDS_PANEL_TITLE = "命令"
    rich_utils.REQUIRED_LONG_STRING = "[必填]"
    rich_utils.DEFAULT_STRING = "[默认：{}]"


if __name__ == "__main__":
    sys.exit(main())
