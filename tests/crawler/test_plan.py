"""The plan and the sample are the same for the same inventory, day and seed."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from checks.facts.model import ListEntry
from checks.model import Revisit
from config.schema import Column, ColumnType, Crawl, District, Inventory, Sampling, Site, Unit, UnitKind
from crawler.plan import batches, choose_revisits, draw_articles, plan_run

DAY = date(2026, 11, 20)


def entries(count: int) -> list[ListEntry]:
    return [ListEntry(f"通知{i}", f"http://a.test/{i}.html", DAY - timedelta(days=i)) for i in range(count)]


def column(name: str, site: str, url: str | None) -> Column:
    return Column(id=name, type=ColumnType.NOTICE, name=name, site=site, url=url)


def inventory() -> Inventory:
    units = (
        Unit(
            id="a",
            name="甲局",
            kind=UnitKind.DEPARTMENT,
            column=(column("x", "big", "http://a.test/x/"), column("y", "big", None)),
        ),
        Unit(id="b", name="乙镇", kind=UnitKind.TOWNSHIP, column=(column("x", "small", "http://b.test/x/"),)),
    )
    sites = (
        Site(id="small", name="小站", home="http://b.test/", requests_per_second=0.2),
        Site(id="big", name="门户", home="http://a.test/"),
        Site(id="spare", name="备用", home="http://c.test/"),
    )
    return Inventory(
        district=District(name="某区", division_code="130111"), crawl=Crawl(concurrency=3), site=sites, unit=units
    )


def test_newest_are_always_drawn_and_older_ones_by_lot() -> None:
    drawn = draw_articles(entries(20), Sampling(newest=3, older=2), "s1")
    assert [d.order for d in drawn[:3]] == [0, 1, 2]
    assert [d.reason for d in drawn[:3]] == ["最新 1/3", "最新 2/3", "最新 3/3"]
    assert sorted(d.reason for d in drawn[3:]) == ["抽样 1/17，种子 s1", "抽样 2/17，种子 s1"]
    assert all(d.order >= 3 for d in drawn[3:])


def test_an_item_pinned_without_a_date_is_read_before_the_dated_ones_below_it() -> None:
    pinned = ListEntry("置顶通知", "http://a.test/pinned.html")
    drawn = draw_articles([pinned, *entries(20)], Sampling(newest=2, older=0), "s1")
    assert [d.entry.url for d in drawn] == ["http://a.test/pinned.html", "http://a.test/0.html"]


def test_another_seed_draws_others() -> None:
    lots = {tuple(d.order for d in draw_articles(entries(60), Sampling(newest=0, older=3), f"s{i}")) for i in range(20)}
    assert len(lots) > 10


@given(st.permutations(entries(12)), st.integers(0, 15), st.integers(0, 15))
def test_the_draw_does_not_hang_on_the_order_of_a_dated_list(
    shuffled: list[ListEntry], newest: int, older: int
) -> None:
    sampling = Sampling(newest=newest, older=older)
    drawn = draw_articles(shuffled, sampling, "s")
    assert drawn == draw_articles(entries(12), sampling, "s")
    assert len(drawn) == min(12, newest) + min(max(12 - newest, 0), older)


def test_undated_lists_keep_their_order_and_repeated_entries_count_once() -> None:
    listed = [ListEntry(str(i), f"http://a.test/{i}") for i in (5, 3, 5, 9)]
    drawn = draw_articles(listed, Sampling(newest=5), "s")
    assert [(d.entry.title, d.order) for d in drawn] == [("5", 0), ("3", 1), ("9", 2)]


def test_a_plan_holds_each_sites_units_columns_and_manners() -> None:
    small, big, spare = plan_run(inventory(), DAY, "s1")
    assert [unit.id for unit in big.units] == ["a"]
    assert [c.id for _, c in big.asked] == ["x"]
    assert [c.id for _, c in big.unconfirmed] == ["y"]
    assert (small.settings.requests_per_second, small.settings.concurrency) == (0.2, 3)
    assert spare.columns == ()


def test_a_spot_check_plans_only_the_sites_of_its_units() -> None:
    assert [plan.site.id for plan in plan_run(inventory(), DAY, "s1", ["b"])] == ["small"]


def test_batches_hold_every_site_once() -> None:
    plans = plan_run(inventory(), DAY, "s1")
    for size in (1, 2, 8):
        split = list(batches(plans, size))
        assert all(len(batch) <= size for batch in split)
        assert sorted(plan.site.id for batch in split for plan in batch) == ["big", "small", "spare"]


def test_sites_of_one_host_are_crawled_by_one_process() -> None:
    homes = ("http://a.test/", "http://a.test/sub/", "https://A.test:8443/", "http://b.test/")
    sites = tuple(Site(id=f"s{i}", name="站", home=home) for i, home in enumerate(homes))
    unit = Unit(id="a", name="甲局", kind=UnitKind.DEPARTMENT)
    shared = Inventory(district=District(name="某区", division_code="130111"), site=sites, unit=(unit,))
    plans = plan_run(shared, DAY, "s1")
    for size in (1, 2, 8):
        together = [{plan.site.id for plan in batch} for batch in batches(plans, size)]
        assert sorted(sorted(batch) for batch in together if "s0" in batch)[0][:3] == ["s0", "s1", "s2"]
        assert sum(len(batch) for batch in together) == len(plans)


# ---------------------------------------------------------------- pages looked at again


def again(url: str, unit: str = "a", column: str = "x", number: int = 1) -> Revisit:
    return Revisit(url, unit, column, "open_attribute", "", number)


def test_a_page_is_looked_at_again_by_the_plan_of_its_columns_site() -> None:
    revisits = (again("http://a.test/1.html"), again("http://b.test/2.html", "b"))
    small, big, spare = plan_run(inventory(), DAY, "s1", revisits=revisits)
    assert (small.revisits, big.revisits, spare.revisits) == (revisits[1:], revisits[:1], ())
    (alone,) = plan_run(inventory(), DAY, "s1", ["b"], revisits)
    assert alone.revisits == revisits[1:]


def test_what_a_plan_holds_anyway_or_others_publish_is_not_looked_at_again() -> None:
    good = again("http://old.a.test/1.html")
    refused = (
        again("http://a.test/"),
        again("http://a.test/x/"),
        again("http://b.test/1.html"),
        again("http://A.test/1.html#top"),
        again("ftp://a.test/1.html"),
        again("a/x"),
        again("http://a.test:x/1.html"),
        again("http://a.test/1.html", column="y"),
        again("http://a.test/1.html", column="gone"),
        again("http://a.test/1.html", unit="gone"),
    )
    assert choose_revisits(inventory(), [*refused, good]) == (good,)


def test_no_more_pages_a_unit_are_looked_at_again_than_allowed_however_many_faults_share_one() -> None:
    few = inventory().model_copy(update={"crawl": Crawl(revisits_per_unit=2)})
    wanted = [again(f"http://a.test/{page}.html", number=number) for number, page in enumerate((1, 2, 3, 1, 4))]
    of_other = again("http://b.test/9.html", "b")
    assert choose_revisits(few, [*wanted, of_other]) == (wanted[0], wanted[1], wanted[3], of_other)
    none = few.model_copy(update={"crawl": Crawl(revisits_per_unit=0)})
    assert choose_revisits(none, wanted) == ()
