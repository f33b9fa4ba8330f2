"""A district served for the whole session, one full night over it, and one undisturbed run over some units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fixtures.district.server import ServedDistrict, serve
from tests.end_to_end.driving import DAY, Answer, Workplace

# Own sites (one refuses IPv6, one asks a browser's pass, one has no AAAA), and a unit of the shared portal, one of
# whose lists is filled by script.
SOME = ("区教育局", "区财政局", "区公安局", "区气象局", "区应急局")
# Articles are drawn by their addresses, which hold a port; only the newest are the same whatever the port. Links are
# tried in the full night: every other one would but repeat that.
BARE = {"screenshots_per_unit": 0, "sampling": {"newest": 2, "older": 0}, "links_per_site": 0}


@dataclass(frozen=True, slots=True)
class Inspected:
    """A workplace, what its run answered, and how many requests the district had by then."""

    workplace: Workplace
    answer: Answer
    requests: int


def arguments(names: tuple[str, ...] = SOME) -> list[str]:
    """Return the command line of a nightly run over some units."""
    return ["run", "--date", DAY.isoformat(), "--json", *(word for name in names for word in ("--unit", name))]


@pytest.fixture(scope="session")
def district() -> Iterator[ServedDistrict]:
    with serve(DAY) as served:
        yield served


@pytest.fixture(scope="session")
def night(district: ServedDistrict, tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    """A full night over all units, by the command line."""
    workplace = Workplace.make(district, tmp_path_factory.mktemp("night"), crawl={"screenshots_per_unit": 1})
    before = len(district.requests)
    answer = workplace.inspect("run", "--date", DAY.isoformat(), "--json")
    return Inspected(workplace, answer, len(district.requests) - before)


@pytest.fixture(scope="session")
def undisturbed(district: ServedDistrict, tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    """A night over some units that nothing happened to."""
    workplace = Workplace.make(district, tmp_path_factory.mktemp("undisturbed"), crawl=BARE)
    before = len(district.requests)
    answer = workplace.inspect(*arguments())
    return Inspected(workplace, answer, len(district.requests) - before)
