"""What is kept beside the runs: availability, what lists held on earlier nights, the register of new-media accounts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from sqlalchemy import text

from checks.facts.model import ListEntry
from checks.model import AvailabilityDay, FailureKind, ListHistory, NewMediaAccount
from storage.database import Database
from storage.model import ANSWERED, OURS, UNSURE, HomeProbe, SeenList
from storage.repository import Repository
from tests.storage.conftest import NOW

DAY = date(2026, 11, 23)
YESTERDAY = DAY - timedelta(days=1)
TIMEOUT, SERVER = FailureKind.READ_TIMEOUT.code, FailureKind.SERVER_ERROR.code
LIST = "http://portal.test/tzgg/"
LONG = "http://portal.test/" + "词" * 5000


def probe(minute: str, result: str = ANSWERED, day: date = DAY, site: str = "portal") -> HomeProbe:
    return HomeProbe(site, day, minute, result)


# ---------------------------------------------------------------- availability


def test_probes_are_counted_by_what_they_came_to(repository: Repository) -> None:
    results = {"09:15": TIMEOUT, "08:15": ANSWERED, "10:15": OURS, "11:15": UNSURE, "12:15": SERVER, "13:15": ANSWERED}
    repository.add_home_probes([probe(minute, result) for minute, result in results.items()])
    day = AvailabilityDay("portal", DAY, 2, 2, 1, ("09:15 响应超时", "12:15 服务器错误"))
    assert repository.availability(["portal", "health"], DAY, DAY) == {"portal": [day], "health": []}


def test_a_probe_written_twice_counts_once_and_the_later_word_stands(repository: Repository) -> None:
    repository.add_home_probes([probe("08:15"), probe("09:15", TIMEOUT)])
    repository.add_home_probes([probe("09:15", OURS), probe("10:15")])
    repository.add_home_probes([])
    (day,) = repository.availability(["portal"], DAY, DAY)["portal"]
    assert (day.answered, day.failed, day.ours) == (2, 0, 1)


def test_days_are_in_order_and_within_both_ends(repository: Repository) -> None:
    days = [DAY - timedelta(days=age) for age in (0, 3, 1, 2)]
    repository.add_home_probes([probe("08:15", day=day) for day in days] + [probe("08:15", site="health")])
    found = repository.availability(["portal"], DAY - timedelta(days=2), YESTERDAY)
    assert [row.day for row in found["portal"]] == [DAY - timedelta(days=2), YESTERDAY]


def test_few_failures_of_a_bad_day_are_told(repository: Repository) -> None:
    repository.add_home_probes([probe(f"{hour:02d}:00", TIMEOUT) for hour in range(24)])
    (day,) = repository.availability(["portal"], DAY, DAY)["portal"]
    assert (day.failed, len(day.failures)) == (24, 10)


def test_a_year_of_probes_stays_small(database: Database, repository: Repository) -> None:
    days = [DAY - timedelta(days=age) for age in range(365)]
    repository.add_home_probes([probe(f"{hour:02d}:07", TIMEOUT, day) for day in days for hour in range(24)])
    with database.reading() as session:
        count, size = session.execute(text("SELECT count(*), sum(length(results)) FROM availability")).one()
    assert count == 365
    assert size < 365 * 24 * 25


def test_two_programs_may_probe_at_once(database: Database) -> None:
    def work(number: int) -> None:
        Repository(database, clock=lambda: NOW).add_home_probes([probe(f"{number:02d}:00")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(12)))
    (day,) = Repository(database).availability(["portal"], DAY, DAY)["portal"]
    assert day.answered == 12


# ---------------------------------------------------------------- lists


def entry(number: int, title: str = "", claimed: date | None = DAY) -> ListEntry:
    return ListEntry(title or f"通知{number}", f"{LIST}{number}.html", claimed)


def test_history_is_what_earlier_nights_saw(repository: Repository) -> None:
    repository.add_lists(YESTERDAY, [SeenList(LIST, True, (entry(1), entry(2), entry(1)))])
    repository.add_lists(DAY, [SeenList(LIST, False, (entry(3), entry(1, "换了题目")))])
    of_yesterday = frozenset({entry(1).url, entry(2).url})
    assert repository.list_histories([LIST], DAY)[LIST] == ListHistory(
        LIST, YESTERDAY, of_yesterday, frozenset({"通知1", "通知2"})
    )
    later = repository.list_histories([LIST], DAY + timedelta(days=1))[LIST]
    assert (later.whole_on, later.known) == (YESTERDAY, of_yesterday | {entry(3).url})


def test_a_night_sees_nothing_of_itself_however_often_it_is_judged(repository: Repository) -> None:
    for _ in range(2):
        repository.add_lists(DAY, [SeenList(LIST, True, (entry(1),))])
    assert repository.list_histories([LIST, "x/y"], DAY) == {
        LIST: ListHistory(LIST, None),
        "x/y": ListHistory("x/y", None),
    }


def test_a_night_resumed_late_makes_an_entry_older_never_younger(repository: Repository) -> None:
    for day in (DAY, YESTERDAY, DAY + timedelta(days=1)):
        repository.add_lists(day, [SeenList(LIST, day == YESTERDAY, (entry(1),))])
    assert repository.list_histories([LIST], DAY)[LIST].known == {entry(1).url}
    assert repository.list_histories([LIST], YESTERDAY)[LIST].known == frozenset()


def test_lists_of_two_columns_are_kept_apart(repository: Repository) -> None:
    lists = [SeenList(LIST, True, (entry(1),)), SeenList(LONG, False, (ListEntry("\x00长", LONG, None),))]
    repository.add_lists(YESTERDAY, [*lists, lists[0]])
    found = repository.list_histories([LIST, LONG], DAY)
    assert (found[LIST].whole_on, found[LONG].whole_on) == (YESTERDAY, None)
    assert found[LONG].known == {LONG}


def test_many_lists_are_one_batch(repository: Repository) -> None:
    targets = [f"unit/{number}" for number in range(1200)]
    repository.add_lists(YESTERDAY, [SeenList(target, True, (entry(1), entry(2))) for target in targets])
    found = repository.list_histories(targets, DAY)
    assert len(found) == 1200
    assert all(len(history.known) == 2 and history.whole_on == YESTERDAY for history in found.values())


# ---------------------------------------------------------------- new media


def account(name: str, recorded_on: date = DAY, **more: object) -> NewMediaAccount:
    made = {"unit_id": "jiaoyuju", "platform": "微信", "last_post": YESTERDAY, "interaction": True} | more
    return NewMediaAccount(name=name, recorded_on=recorded_on, **made)  # type: ignore[arg-type]


def test_no_register_is_not_an_empty_one(repository: Repository) -> None:
    assert repository.register(DAY) is None
    repository.add_register(DAY, [])
    register = repository.register(DAY)
    assert register is not None
    assert register.accounts == ()


def test_accounts_come_back_as_imported(repository: Repository) -> None:
    accounts = (account("栾城教育"), account("教育局", last_post=None, interaction=None, note="停更"), account("乙"))
    number = repository.add_register(DAY, accounts, source="台账.xlsx", digest="sha256:00")
    register = repository.register(DAY)
    assert register is not None
    assert (register.id, register.recorded_on, register.imported_at) == (number, DAY, NOW)
    assert (register.source, register.digest, register.accounts) == ("台账.xlsx", "sha256:00", accounts)


def test_the_newest_register_as_of_a_day_counts(repository: Repository) -> None:
    repository.add_register(DAY, [account("今天")])
    repository.add_register(YESTERDAY, [account("昨天", YESTERDAY)])
    repository.add_register(YESTERDAY, [account("昨天改过的", YESTERDAY)])
    names = {day: register.accounts[0].name for day in (YESTERDAY, DAY) if (register := repository.register(day))}
    assert names == {YESTERDAY: "昨天改过的", DAY: "今天"}
    assert repository.register(YESTERDAY - timedelta(days=1)) is None
