"""Nights that follow each other: what one saw of a list is what the next one's is held against."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from checks.model import Capture, Finding, Mode, Outcome, PageRole, Visit
from crawler.sink import Exchange
from inspection.histories import remember
from inspection.inputs import gathered
from inspection.judging import Records, judge_sites
from inspection.place import Place, opened
from inspection.recording import recording
from inspection.settings import resolve
from storage.model import RunKind
from tests.made_district import write_made_config

TODAY = date(2026, 11, 23)
YESTERDAY = TODAY - timedelta(days=1)
OLD = tuple((f"{n}.html", f"县教育局工作动态第{n}条", f"2026-10-{n + 10}") for n in range(5, 0, -1))
LATE = ("9.html", "县教育局补记的工作动态", "2026-11-01")
HEADERS = (("content-type", "text/html; charset=utf-8"),)
Entries = tuple[tuple[str, str, str], ...]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_made_config(TODAY, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


def _list_page(entries: Entries, next_page: str = "") -> str:
    rows = "".join(f'<li><a href="{url}">{title}</a><span>{day}</span></li>' for url, title, day in entries)
    return f"<html><head><title>工作动态</title></head><body><h2>工作动态</h2><ul>{rows}</ul>{next_page}</body></html>"


def _article(title: str, day: str) -> str:
    text = "近日，县教育局组织有关股室到各学校走访，逐项核对安全、餐饮、校车等事项，要求限期整改到位。" * 3
    head = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>"
    return f"{head}<div>发布时间：{day}</div><p>{text}</p></body></html>"


class _Night:
    """A night over one unit that saw one list, and of it one article."""

    def __init__(self, place: Place, day: date, kind: RunKind = RunKind.NIGHTLY) -> None:
        self.place = place
        self.unit = place.configuration.inventory.unit("jiaoyuju")
        self.column = next(column for column in self.unit.columns if column.id == "news")
        self.run = place.repository.create_run(
            kind=kind,
            day=day,
            seed="s",
            rules_version="1",
            digests=place.digests_for(day.year),
            units=("jiaoyuju",),
            site_ids=["jyj"],
        )

    def sees(self, *entries: tuple[str, str, str], next_page: str = "") -> _Night:
        """Keep the list, and the article of its first entry."""
        url = str(self.column.url)
        address, title, day = entries[0]
        with recording(self.place.repository, self.place.evidence, self.run.id, "sites-jyj") as recorder:
            pages = (
                (url, _list_page(entries, next_page), PageRole.COLUMN),
                (url + address, _article(title, day), PageRole.ARTICLE),
            )
            for page, body, role in pages:
                now = datetime(2026, 11, 23, 4, tzinfo=UTC)
                capture = Capture("jyj", page, Mode.STATIC, now, page, status=200, headers=HEADERS)
                recorder.store(capture, Exchange("GET", (), "200 OK", HEADERS, body.encode()))
                recorder.visit(Visit("jyj", page, role, unit_id="jiaoyuju", column_id=self.column.id))
        return self

    def judged(self) -> list[Finding]:
        """Return what is said of the article's date."""
        inputs, records = gathered(self.place, self.run), Records.of(self.place, self.run.id)
        judgement = judge_sites(self.place.configuration, inputs, records)
        remember(self.place, self.run, judgement.lists)
        own = (
            f
            for f in judgement.by_unit["jiaoyuju"]
            if f.check == "backdated_publication" and f.column_id == self.column.id
        )
        return [finding for finding in own if finding.outcome is not Outcome.NOT_APPLICABLE]


def test_an_article_dated_before_a_night_without_it_is_found_however_often_it_is_judged(place: Place) -> None:
    assert _Night(place, YESTERDAY).sees(*OLD).judged() == []
    tonight = _Night(place, TODAY).sees(LATE, *OLD)
    for _ in range(2):
        (finding,) = tonight.judged()
        assert (finding.outcome, finding.reason) == (Outcome.FAIL, "backdated")
        assert finding.target.endswith("/9.html")
        assert finding.evidence
    assert _Night(place, TODAY + timedelta(days=1)).sees(LATE, *OLD).judged() == []


def test_a_spot_check_is_held_against_nights_and_leaves_no_past(place: Place) -> None:
    _Night(place, YESTERDAY).sees(*OLD).judged()
    for _ in range(2):
        (finding,) = _Night(place, TODAY, RunKind.SPOT).sees(LATE, *OLD).judged()
        assert finding.reason == "backdated"
    (finding,) = _Night(place, TODAY + timedelta(days=1)).sees(LATE, *OLD).judged()
    assert finding.reason == "backdated"


def test_a_list_that_was_not_read_to_its_end_proves_nothing(place: Place) -> None:
    _Night(place, YESTERDAY).sees(*OLD, next_page='<a href="index_1.html">下一页</a>').judged()
    assert _Night(place, TODAY).sees(LATE, *OLD).judged() == []
