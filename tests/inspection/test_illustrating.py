"""Which pages are pictured: the first that findings blame, and never one that gives people away."""

from __future__ import annotations

from datetime import date

from checks.model import Finding, Outcome
from config.schema import Crawl, Site
from crawler.plan import SitePlan
from inspection.illustrating import pages_to_picture

HOME = "http://www.yueshan.test/"
PLAN = SitePlan(Site(id="site", name="跃山县", home=HOME), (), (), date(2026, 11, 23), "seed", Crawl())


def failing(check: str, page: str) -> Finding:
    return Finding(check, HOME + page, Outcome.FAIL, "reason")


def test_the_first_pages_that_are_blamed_are_pictured_once() -> None:
    found = {"jyj": [failing("a", "1.html"), failing("b", "1.html"), failing("a", "2.html"), failing("a", "3.html")]}
    assert pages_to_picture([PLAN], found, 2) == {"site": [HOME + "1.html", HOME + "2.html"]}


def test_a_page_that_gives_people_away_is_pictured_for_no_check() -> None:
    found = {
        "jyj": [failing("open_attribute", "1.html"), failing("personal_information", "1.html"), failing("a", "2.html")]
    }
    assert pages_to_picture([PLAN], found, 2) == {"site": [HOME + "2.html"]}
