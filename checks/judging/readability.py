"""What could be read: the reasons, shared by all checks, for which a page or column cannot be judged.

A check asks here before it says that something is missing. Nothing that we merely failed to read becomes a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.facts.model import AttachmentState, PageFacts
from checks.model import Bundle, ColumnVisit, FailureKind, Outcome, Page
from checks.reading.addresses import comparable, file_name

SHARED_REASONS = {
    "unread": "页面未能读取",
    "needs_rendering": "内容由脚本生成，未能取得渲染后的页面",
    "unconfirmed": "栏目地址待确认",
    "robots": "robots.txt 不允许采集",
}
ABSENT = {"absent": "经确认没有该栏目"}

FOOTER_ONLY = frozenset({"script_footer"})
CUT_OFF = "cut_off"  # the rendering need of a page that was not read to its end, were it rendered or not

ATTACHMENT_STATES = {
    AttachmentState.UNSUPPORTED: "格式无法解析",
    AttachmentState.ENCRYPTED: "已加密",
    AttachmentState.SCANNED: "是扫描图片，没有文字",
    AttachmentState.BROKEN: "文件损坏",
    AttachmentState.TOO_LARGE: "超过大小上限",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why something cannot be judged: an outcome other than PASS and FAIL, a shared reason, and a Chinese sentence."""

    outcome: Outcome
    reason: str
    observed: str


# ---------------------------------------------------------------- obstacles


def obstacle_of_failure(failure: FailureKind, what: str = "页面") -> Obstacle:
    """Return the obstacle that a failed capture is; `what` names the thing in Chinese."""
    if failure is FailureKind.ROBOTS_DISALLOWED:
        return Obstacle(Outcome.NOT_TESTED, "robots", f"站点的 robots.txt 不允许采集该{what}，没有检查。")
    if failure is FailureKind.UNCONFIRMED_ADDRESS:
        return Obstacle(Outcome.NOT_TESTED, "unconfirmed", f"该{what}的地址还没有人确认，没有检查。")
    if failure in (FailureKind.RENDER_FAILED, FailureKind.RENDER_UNAVAILABLE):
        return script_obstacle(what, failure.title)
    return Obstacle(
        Outcome.INCONCLUSIVE, "unread", f"{what}未能读取：{failure.title}。这不说明内容有问题，只是没有看到。"
    )


def script_obstacle(what: str = "页面", why: str = "") -> Obstacle:
    """Return the obstacle of a page whose scripts decide and whose rendered state was not captured."""
    because = f"（{why}）" if why else ""
    observed = f"{what}的内容由脚本生成，没有取得浏览器渲染后的页面{because}，不能断定缺少什么。"
    return Obstacle(Outcome.INCONCLUSIVE, "needs_rendering", observed)


def page_obstacle(page: Page, what: str = "页面") -> Obstacle | None:
    """Return why nothing on the page can be judged, or None when it was read.

    A "not found" page under status 200 is no content, and neither is a page that only sends the visitor elsewhere.
    """
    if page.facts is None:
        return obstacle_of_failure(page.failure or FailureKind.BUDGET_EXHAUSTED, what)
    if CUT_OFF in page.facts.rendering_needs:
        observed = f"{what}的标签嵌套太深或内容太长，程序没能读完，不能断定缺少什么。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    if page.facts.soft_not_found:
        return Obstacle(Outcome.INCONCLUSIVE, "unread", f"{what}返回的是“页面不存在”之类的提示，没有可以检查的内容。")
    if page.facts.redirect:
        observed = f"{what}只有跳转指令，跳转后的页面（{page.facts.redirect}）没有取得。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    return None


def is_gone(page: Page) -> bool:
    """Whether the server itself says that there is no such page or file."""
    return page.failure is FailureKind.NOT_FOUND or bool(page.facts and page.facts.soft_not_found)


def readable_home(bundle: Bundle) -> tuple[Page, PageFacts] | Obstacle:
    """Return the site's home page with what it says, or why it cannot be judged."""
    home = bundle.home
    if home is None:
        return obstacle_of_failure(FailureKind.BUDGET_EXHAUSTED, "首页")
    if (obstacle := page_obstacle(home, "首页")) is not None or home.facts is None:
        return obstacle or script_obstacle("首页")
    return home, home.facts


def column_obstacle(visit: ColumnVisit) -> Obstacle | None:
    """Return why the column as a whole cannot be judged, or None when its first page was read."""
    if visit.column.url is None:
        return obstacle_of_failure(FailureKind.UNCONFIRMED_ADDRESS, "栏目")
    if not visit.pages:
        return obstacle_of_failure(visit.failure or FailureKind.BUDGET_EXHAUSTED, "栏目")
    return page_obstacle(visit.pages[0], "栏目页面")


def unread_part(visit: ColumnVisit) -> Obstacle | None:
    """Return why a further page of the column, or a frame in it, could not be read; None when all of them were."""
    return next((obstacle for page in visit.pages[1:] if (obstacle := page_obstacle(page, "栏目的列表页"))), None)


def is_absent(visit: ColumnVisit) -> bool:
    """Whether a person has confirmed that the unit has no such column."""
    return visit.column.absent


def absence_of(visit: ColumnVisit) -> str:
    """Return in Chinese that there is no such column."""
    return f"经确认，该单位没有“{visit.column.name}”栏目。"


def is_undecided(page: Page, ignoring: frozenset[str] = FOOTER_ONLY) -> bool:
    """Whether scripts may still write what is missing on the page.

    Needs in `ignoring` do not matter to the asker: a footer written by script leaves the article above it certain.
    """
    needs = page.facts.rendering_needs if page.facts else frozenset()
    return not page.complete and not (needs and needs <= ignoring)


# ---------------------------------------------------------------- attachments


def attachment_failure(page: Page) -> str:
    """Return in Chinese why the attachment's text could not be read, or an empty string when it was."""
    if page.attachment is None:
        return (page.failure or FailureKind.BUDGET_EXHAUSTED).title
    return ATTACHMENT_STATES.get(page.attachment.state, "")


def attachment_obstacle(page: Page, what: str, unknown: str) -> Obstacle | None:
    """Return why nothing in the attachment can be judged, or None; `unknown` says in Chinese what cannot be told."""
    why = attachment_failure(page)
    observed = f"{what}没能读取（{why}），不能断定{unknown}。"
    return Obstacle(Outcome.NOT_TESTED, "attachment_unread", observed) if why else None


def uncaptured_attachments(page: Page, attachments: tuple[Page, ...]) -> Iterator[tuple[str, str]]:
    """Yield (URL, link text) of the attachments that the page links to and that were not fetched."""
    fetched = {comparable(attachment.url) for attachment in attachments}
    for link in page.facts.links if page.facts else ():
        if link.attachment and comparable(link.url) not in fetched:
            fetched.add(comparable(link.url))
            yield link.url, link.text


def unread_attachments(page: Page, attachments: tuple[Page, ...]) -> Iterator[tuple[str, str]]:
    """Yield (URL, name with the reason in Chinese) of the page's attachments that were not read, fetched or not."""
    for attachment in attachments:
        if why := attachment_failure(attachment):
            yield attachment.url, f"“{attachment_name(attachment)}”（{why}）"
    for url, text in uncaptured_attachments(page, attachments):
        yield url, f"“{text or file_name(url)}”（没有采集）"


def attachment_name(page: Page) -> str:
    """Return what people call an attachment: its link text, else its file name."""
    return page.visit.title or (page.attachment.name if page.attachment else "") or file_name(page.url)


def name_and_address(page: Page) -> str:
    """Return what people call an attachment, and where it should be."""
    return f"“{attachment_name(page)}”（{page.url}）"
