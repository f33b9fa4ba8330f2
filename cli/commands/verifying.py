"""Evidence held against itself, on an auditor's machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.evidence import evidence_app
from cli.options import JsonOption

if TYPE_CHECKING:
    from inspection.verification import Verification

SHOWN = 20  # differences of one step


def register(app: typer.Typer) -> None:
    """Add this module's command to those about evidence."""
    evidence_app.command(
        "verify",
        help="核验导出的审计包：文件、签名、链、每条原始记录，再按包里的规则重新判定、算分；只要程序和这个文件，"
        "不用配置和数据库。有任何不符，退出码 6。"
        "示例：inspect evidence verify 教育局.wacz ｜ inspect evidence verify 教育局.wacz --public-key 公钥.txt",
    )(verify)


def verify(
    file: Annotated[Path, typer.Argument(help="inspect evidence export 导出的 WACZ 文件。", metavar="文件")],
    public_key: Annotated[
        list[str] | None,
        typer.Option(
            "--public-key",
            help="只信任这把公钥（Base64，或写着它的文件）的签名；换过密钥的可以给几次。",
            metavar="公钥",
        ),
    ] = None,
    timestamp_certificates: Annotated[
        Path | None,
        typer.Option("--timestamp-certificates", help="受信任的时间戳机构的证书（PEM 文件）。", metavar="文件"),
    ] = None,
    manifest_sha256: Annotated[
        list[str] | None,
        typer.Option(
            "--manifest-sha256",
            help="当时另行记下的封存清单的 SHA-256（通常记最近一夜的）；它连同它所接上的各夜都须相符。可以给几次。",
            metavar="摘要",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify an exported package by what is inside it alone."""
    from cli.output import print_json
    from cli.progress import shown
    from inspection.verifying import trust_of
    from inspection.verifying import verify as verify_package

    trust = trust_of(public_key or [], timestamp_certificates, manifest_sha256 or [])
    with shown(quiet=json) as progress:
        verification = verify_package(file, trust, progress)
    print_json(verification.document()) if json else _print(verification)
    raise typer.Exit(verification.exit_code)


def _print(verification: Verification) -> None:
    from cli.output import console, printable

    for step in verification.steps:
        told = step.heading + (f"（{step.told or step.untold}）" if step.told or step.untold else "")
        console.print(printable(f"{step.title}：{told}"))
        for broken in step.broken[:SHOWN]:
            console.print(printable(f"  {broken}"))
        if step.count > SHOWN:
            console.print(f"  另有 {step.count - SHOWN} 处不符，用 --json 查看。")
        for note in step.notes:
            console.print(printable(f"  注意：{note}"))
    if verification.first is not None:
        console.print(printable(f"不符 {verification.count} 处，最先的是：{verification.first}"))
    else:
        lacking = "、".join(step.nothing for step in verification.steps if step.nothing)
        whole = f"全部相符（{lacking}）。" if lacking else "全部相符。"
        console.print(whole if verification.exit_code == 0 else "有的步骤无法核对。")
