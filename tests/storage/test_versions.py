"""Published versions of a year: kept as they were, each number once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from storage.database import Database
from storage.errors import VersionTaken
from storage.model import AnnualVersion
from storage.versions import VersionStore
from tests.storage.conftest import NOW

FIRST = AnnualVersion(
    year=2026,
    number=1,
    actor="张三",
    why="",
    last_day=date(2026, 11, 15),
    inputs={"sources": [{"title": "评分表（甲）", "digest": "sha256:00"}]},
    result={"year": 2026, "units": [{"exact": "1/3"}]},
    changes=[],
    digest="sha256:11",
    account="zhangsan",
)


@pytest.fixture
def store(database: Database) -> VersionStore:
    return VersionStore(database, clock=lambda: NOW)


def test_a_version_is_kept_as_it_was(store: VersionStore) -> None:
    kept = store.add(FIRST)
    assert kept == replace(FIRST, published_at=NOW)
    second = store.add(replace(FIRST, number=2, why="补录评分", changes=[{"unit": "区教育局"}]))
    store.add(replace(FIRST, year=2027))
    assert store.versions(2026) == [kept, second]
    assert store.versions(2025) == []


def test_a_number_is_given_once(store: VersionStore) -> None:
    kept = store.add(FIRST)
    with pytest.raises(VersionTaken, match="第 1 版刚由别人公布"):
        store.add(replace(FIRST, actor="李四"))
    assert store.versions(2026) == [kept]


def test_of_several_at_once_one_becomes_the_version(store: VersionStore) -> None:
    def publish(actor: str) -> bool:
        try:
            store.add(replace(FIRST, actor=actor))
        except VersionTaken:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(publish, "甲乙丙丁"))
    assert outcomes.count(True) == 1
    assert [version.actor for version in store.versions(2026)] == ["甲乙丙丁"[outcomes.index(True)]]
