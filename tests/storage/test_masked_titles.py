"""Titles that give somebody away are kept masked."""

from __future__ import annotations

from checks.model import PageRole, Visit
from storage.rows import visit_values


def test_a_title_is_kept_without_the_number_in_it() -> None:
    visit = Visit("site", "http://www.yueshan.test/1.html", PageRole.ARTICLE, title="张某11010519491231002X的答复")
    assert visit_values(1, visit)["title"] == "张某110*************2X的答复"
