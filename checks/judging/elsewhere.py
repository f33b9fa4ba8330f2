"""Where what a page's text lacks may stand all the same: in scripts, in files, in pictures.

A check that is about to say that something is missing on a page asks here, after the page and its files were searched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from checks.facts.model import Link
from checks.judging.listing import entries_of, unread_entries, unread_rest
from checks.judging.readability import Obstacle, is_undecided, page_obstacle, script_obstacle, unread_attachments
from checks.model import Bundle, ColumnVisit, Outcome, Page
from checks.reading.addresses import bare_address, comparable, file_name

ELSEWHERE_REASONS = {
    "attachment_unread": "附件未能读取，可能写在附件里",
    "in_picture": "页面上有图片，可能写在图片里",
}
FURNITURE = re.compile(
    r"conac|logo|icon|banner|jiucuo|qrcode|erweima|weixin|weibo|share|print|button|btn|beian|ghs\.png", re.I
)

MOVES = re.compile(
    r"首页|上一?[页篇]|下一?[页篇]|尾页|末页|更多|返回.{0,4}|打印.{0,4}|关闭.{0,4}|收藏.{0,4}|分享.{0,4}|\d{1,4}"
)  # links that lead to no content


def elsewhere(page: Page, attachments: tuple[Page, ...], frame: frozenset[str]) -> Obstacle | None:
    """Return why what is missing in the texts of the page and its files may be there for a visitor, or None.

    `frame` are the pictures that frame every page, see `frame_of`.
    """
    if is_undecided(page):
        return script_obstacle()
    unread = [told for _, told in unread_attachments(page, attachments)]
    if unread:
        observed = f"附件{'、'.join(unread[:3])}没能读取，网页上没有的内容可能写在附件里，不能断定缺少。"
        return Obstacle(Outcome.NOT_TESTED, "attachment_unread", observed)
    pictures = own_pictures(page, frame)
    if pictures:
        seen = f"页面上有 {len(pictures)} 张图片（如 {file_name(pictures[0])}）"
        observed = f"{seen}，文字里没有的内容可能写在图片里，不能断定缺少。"
        return Obstacle(Outcome.INCONCLUSIVE, "in_picture", observed)
    return None


def elsewhere_in_column(visit: ColumnVisit, frame: frozenset[str]) -> Obstacle | None:
    """Return why what is missing on the pages, articles and files of a column may be in it all the same, or None."""
    if (rest := unread_rest(visit)) is not None:
        return rest
    if (entry := next(unread_entries(visit), None)) is not None:
        observed = f"“{visit.column.name}”里的“{entry.title}”没有采集，可能写在里面，不能断定没有。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    link = next(own_links(visit, frame), None)
    return unread_page(link) if link else elsewhere_on_pages(visit, frame)


def elsewhere_on_pages(visit: ColumnVisit, frame: frozenset[str]) -> Obstacle | None:
    """Return why what is missing on the pages and articles that were read may be there all the same, or None."""
    for page in (*visit.pages, *visit.articles):
        what = f"文章“{page.visit.title}”" if page in visit.articles else "栏目页面"
        obstacle = page_obstacle(page, what) or elsewhere(page, visit.attachments_of(page), frame)
        if obstacle is not None:
            return obstacle
    return None


def unread_page(link: Link) -> Obstacle:
    """Return the obstacle of a link whose text names what is missing and whose page was not read."""
    observed = f"“{link.text}”另有页面（{link.url}）没有采集，可能写在那里，不能断定缺少。"
    return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)


def own_pictures(page: Page, frame: frozenset[str]) -> tuple[str, ...]:
    """Return the pictures that belong to the page's content and not to the frame around it."""
    images = page.facts.images if page.facts else ()
    return tuple(url for url in images if comparable(url) not in frame and not FURNITURE.search(url))


def own_links(visit: ColumnVisit, frame: frozenset[str]) -> Iterator[Link]:
    """Yield the links in the content of the column's pages, such as its own submenu, that lead to unread pages.

    What stands above a page in its address is the path to it and no content.
    """
    read = {bare_address(page.url) for page in visit.everything}
    read |= {bare_address(entry.url) for entry in entries_of(visit)}  # asked for by those who read lists
    for page, facts in ((page, page.facts) for page in visit.pages if page.facts):
        below = tuple({page.url, facts.url or page.url})
        for link in facts.links:
            text, address = link.text.strip(), bare_address(link.url)
            if comparable(link.url) in frame or address in read or link.attachment:
                continue
            if any(own.startswith(f"{address}/") for own in below):
                continue
            if len(text) >= 2 and text in facts.body_text and not MOVES.fullmatch(text):
                yield link


# ---------------------------------------------------------------- the frame around the content


def frame_of(bundle: Bundle) -> frozenset[str]:
    """Return what frames the pages of the site: the pictures and links that stand on several of them."""
    return shared_pictures(bundle) | (shared_links(bundle) or _links_of_homes(bundle))


def shared_pictures(bundle: Bundle) -> frozenset[str]:
    """Return the pictures that stand on two pages of the bundle or more."""
    pages = [*bundle.homes, *(page for visit in bundle.columns for page in (*visit.pages, *visit.articles))]
    seen = {page.url: page.facts.images for page in pages if page.facts}
    counts = Counter(url for images in seen.values() for url in {comparable(image) for image in images})
    return frozenset(url for url, count in counts.items() if count > 1)


def shared_links(bundle: Bundle) -> frozenset[str]:
    """Return the addresses that stand on the pages of two columns or more, and those of the columns themselves.

    Empty when fewer than two columns were read: then nothing tells the frame from the content.
    """
    counts: Counter[str] = Counter()
    for visit in bundle.columns:
        counts.update({comparable(link.url) for page in visit.pages if page.facts for link in page.facts.links})
    columns = {comparable(visit.column.url) for visit in bundle.columns if visit.column.url}
    shared = {url for url, count in counts.items() if count > 1}
    return frozenset(shared | columns) if shared else frozenset()


def _links_of_homes(bundle: Bundle) -> frozenset[str]:
    """Return the addresses that the home pages link to: the frame of a column that is judged alone."""
    return frozenset(comparable(link.url) for page in bundle.homes if page.facts for link in page.facts.links)
