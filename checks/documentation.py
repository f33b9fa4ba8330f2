"""The reference of the checks, written from their own metadata: `python -m checks.documentation > docs/checks.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from checks.model import Check, CheckMeta, Scope
from checks.registry import CHECKS

SCOPES = {Scope.PAGE: "网页", Scope.COLUMN: "栏目", Scope.UNIT: "单位", Scope.SITE: "站点（计入站上每个单位）"}
INTRODUCTION = """# 检查项目

<!-- 由 checks/documentation.py 从各检查的 META 生成，请勿手改：python -m checks.documentation > docs/checks.md -->

每项检查对每个对象给出七种结果之一：PASS 符合，FAIL 不符合，NOTICE 提示（不计分），NOT_APPLICABLE 不适用，
NOT_TESTED 没有检查，INCONCLUSIVE 不能断定，ERROR 检查程序出错。只有 PASS 和 FAIL 计分；没有检查、不能断定和出错
只降低覆盖率。打不开、被拦截、超时的页面，从不因为“可能写了什么”而判为不符合。

期限、阈值和权重写在 `config/rules.toml`。
"""


def markdown() -> str:
    """Return docs/checks.md: a table of all checks, then a section for each."""
    table = ["| 检查 | 标题 | 对象 |", "|---|---|---|", *(_row(check.META) for check in CHECKS)]
    return "\n".join([INTRODUCTION, *table, *(line for check in CHECKS for line in _section(check))]) + "\n"


def _row(meta: CheckMeta) -> str:
    return f"| [`{meta.id}`](#{meta.id}) | {meta.title} | {SCOPES[meta.scope]} |"


def _section(check: Check) -> Iterator[str]:
    meta = check.META
    yield from ("", f"## {meta.id}", "", f"**{meta.title}**（不符合时：{meta.failure_title}）", "")
    yield from (f"- 依据：{meta.basis}。", f"- 方法：{meta.method}", f"- 对象：{SCOPES[meta.scope]}", "")
    yield from ("| 原因 | 含义 |", "|---|---|")
    yield from (f"| `{reason}` | {title} |" for reason, title in meta.reasons.items())


if __name__ == "__main__":
    sys.stdout.write(markdown())
