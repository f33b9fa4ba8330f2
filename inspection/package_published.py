"""审计包里公布的年度版本: whether it is what was published."""

from __future__ import annotations

from pydantic import ValidationError

from inspection.package import Contents
from inspection.package_container import Container, Unreadable, path_in
from inspection.publishing import digest_of
from inspection.verification import Step
from scoring.frozen import annual_of


def check_published(container: Container, contents: Contents, step: Step) -> None:
    """Tell `step` where the published version inside is not the one that its digest is of."""
    if contents.year is None:
        step.told = "包里没有年度版本"
        return
    name = path_in("published", f"{contents.year}-{contents.version}.json")
    try:
        document = container.document(name)
        digest = digest_of({"inputs": document["inputs"], "result": document["result"]})
        result = annual_of(document["result"])
        stated = document["digest"], document["year"], document["version"]
    except (Unreadable, ValidationError, LookupError, TypeError) as error:
        step.differs(name, str(error) if isinstance(error, Unreadable) else "内容不合规定")
        return
    if stated != (digest, contents.year, contents.version) or result.year != contents.year:
        step.differs(name, "内容与公布时的摘要不符")
    step.told = f"{contents.year}年度第 {contents.version} 版，{len(result.units)} 个单位"
    step.note(f"年度版本的摘要是 {digest}，请与公布时的核对；年度总分没有由每日得分重算")
