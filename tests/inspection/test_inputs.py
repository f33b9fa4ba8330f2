"""What a night is judged by: kept to the last detail, and enough to judge the night again, whatever came later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from checks.model import (
    AvailabilityDay,
    Capture,
    EvidenceRef,
    FailureKind,
    Finding,
    ListHistory,
    Mode,
    NewMediaAccount,
    Outcome,
    PageRole,
    Revisit,
    Visit,
)
from crawler.sink import Exchange
from inspection.errors import EvidenceUnavailable
from inspection.inputs import JudgingInputs, content_of, gathered, inputs_of, kept_inputs, path_of, settled_inputs
from inspection.judging import Records, judge_sites, strict
from inspection.place import Place, opened
from inspection.recording import recording
from inspection.settings import resolve
from scoring.review import Rulings
from storage.model import Run, RunKind, RunState
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
PAGE = "<html><head><title>标题</title></head><body><h1>标题</h1><p>正文一段，写得足够长，可以看作正文。</p></body>"

# ---------------------------------------------------------------- the value and its file

_texts = some.text(some.characters(exclude_categories=("Cs",)), max_size=12)
_days = some.dates()
_fractions = some.decimals(allow_nan=False, allow_infinity=False, places=4)


def _tuples(of: some.SearchStrategy[object]) -> some.SearchStrategy[tuple[object, ...]]:
    return some.lists(of, max_size=3).map(tuple)


def _by_text(of: some.SearchStrategy[object]) -> some.SearchStrategy[dict[str, object]]:
    return some.dictionaries(_texts, of, max_size=3)


_references = some.builds(EvidenceRef, _texts, some.integers(0), _texts, _texts)
_visits = some.builds(
    Visit,
    _texts,
    _texts,
    some.sampled_from(PageRole),
    order=some.integers(0),
    unit_id=some.none() | _texts,
    column_id=some.none() | _texts,
    parent=some.none() | _texts,
    reason=_texts,
    title=_texts,
    listed_date=some.none() | _days,
    rendering_wanted=some.booleans(),
    failure=some.none() | some.sampled_from(FailureKind),
    revisit=some.booleans(),
)
_findings = some.builds(
    Finding,
    _texts,
    _texts,
    some.sampled_from(Outcome),
    _texts,
    observed=_texts,
    weight=_fractions,
    unit_id=_texts,
    column_id=some.none() | _texts,
    evidence=_tuples(_references),
    screenshot=some.none() | _references,
)
_accounts = some.builds(
    NewMediaAccount, _texts, _texts, _texts, some.none() | _days, some.none() | some.booleans(), _days, _texts
)
_counts = some.integers(0)
_inputs = some.builds(
    JudgingInputs,
    run_id=some.integers(1),
    day=_days,
    seed=_texts,
    units=_tuples(_texts),
    visits=_by_text(_tuples(_visits)),
    revisits=_tuples(some.builds(Revisit, _texts, _texts, _texts, _texts, _texts, _counts)),
    availability=_by_text(
        _tuples(some.builds(AvailabilityDay, _texts, _days, _counts, _counts, _counts, _tuples(_texts)))
    ),
    histories=_tuples(
        some.builds(ListHistory, _texts, some.none() | _days, some.frozensets(_texts), some.frozensets(_texts))
    ),
    accounts=some.none() | _tuples(_accounts),
    known_dead=_tuples(_findings),
    seen_days=_by_text(some.frozensets(_days, max_size=3)),
    rulings=some.builds(Rulings, some.frozensets(_texts), _by_text(_texts), _by_text(_texts)),
    records=_by_text(some.frozensets(_texts, max_size=3)),
)


@settings(max_examples=60, deadline=None)
@given(_inputs)
def test_inputs_come_back_from_their_file_as_they_were(inputs: JudgingInputs) -> None:
    content = content_of(inputs)
    assert inputs_of(content) == inputs
    assert content_of(inputs_of(content)) == content, "the same inputs are the same bytes"


def test_order_in_a_set_does_not_show_in_the_file() -> None:
    known = [f"http://example.test/{number}" for number in range(50)]
    first = JudgingInputs(1, DAY, "s", histories=(ListHistory("a", None, frozenset(known)),))
    then = JudgingInputs(1, DAY, "s", histories=(ListHistory("a", None, frozenset(reversed(known))),))
    assert content_of(first) == content_of(then)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x1f\x8b\x08 no gzip", content_of(JudgingInputs(1, DAY, "s"))[:-9]])
def test_no_other_file_is_taken_for_inputs(content: bytes) -> None:
    with pytest.raises(ValueError, match="inputs"):
        inputs_of(content)


# ---------------------------------------------------------------- a night


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_made_config(DAY, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


@pytest.fixture
def run(place: Place) -> Run:
    run = place.repository.create_run(
        kind=RunKind.NIGHTLY,
        day=DAY,
        seed="s",
        rules_version="1",
        digests=place.digests_for(DAY.year),
        units=("jiaoyuju",),
        site_ids=["jyj"],
    )
    _see(place, run)
    return run


def _see(place: Place, run: Run) -> None:
    column = place.configuration.inventory.unit("jiaoyuju").columns[0]
    headers = (("content-type", "text/html; charset=utf-8"),)
    with recording(place.repository, place.evidence, run.id, "sites-jyj") as recorder:
        for url, role in ((f"{column.url}1.html", PageRole.ARTICLE), (str(column.url), PageRole.COLUMN)):
            capture = Capture("jyj", url, Mode.STATIC, NOON, url, status=200, headers=headers)
            recorder.store(capture, Exchange("GET", (), "200 OK", headers, PAGE.encode()))
            recorder.visit(Visit("jyj", url, role, unit_id="jiaoyuju", column_id=column.id))


def _judged(place: Place, run: Run, inputs: JudgingInputs) -> list[Finding]:
    return judge_sites(place.configuration, inputs, Records.of(place, run.id)).by_unit["jiaoyuju"]


def test_a_night_is_judged_by_what_was_kept_whatever_the_database_says_later(place: Place, run: Run) -> None:
    settled = settled_inputs(place, run)
    before = _judged(place, run, settled)
    place.repository.add_captured(run.id, visits=[replace(v, title="另一个") for v in settled.visits["jyj"]])
    place.repository.add_register(DAY, [NewMediaAccount("jiaoyuju", "微信", "甲", DAY - timedelta(90), None, DAY)])
    assert gathered(place, run) != settled, "the database moved on"
    assert kept_inputs(place.evidence.folder, run.id) == settled
    assert _judged(place, run, kept_inputs(place.evidence.folder, run.id)) == before


def test_inputs_are_kept_anew_until_the_run_is_sealed(place: Place, run: Run) -> None:
    first = settled_inputs(place, run)
    place.repository.add_register(DAY, [])
    then = settled_inputs(place, run)
    assert (first.accounts, then.accounts) == (None, ())
    (place.evidence.folder / str(run.id) / "manifest.json").write_text("{}")
    place.repository.add_register(DAY, [NewMediaAccount("jiaoyuju", "微信", "甲", None, None, DAY)])
    assert settled_inputs(place, run) == then


def test_records_that_count_are_named_where_a_capture_was_begun_twice(place: Place, run: Run) -> None:
    assert gathered(place, run).records == {}
    for state in (RunState.RUNNING, RunState.FAILED, RunState.RUNNING):
        place.repository.set_site_state(run.id, "jyj", state)
    kept = {capture.evidence.record_id for capture in place.repository.captures(run.id, "jyj") if capture.evidence}
    assert gathered(place, run).records == {"jyj": kept}


@pytest.mark.parametrize("content", [None, b"damaged", content_of(JudgingInputs(99, DAY, "s"))])
def test_inputs_that_cannot_be_read_are_named_with_their_remedy(place: Place, run: Run, content: bytes | None) -> None:
    if content is not None:
        path_of(place.evidence.folder, run.id).write_bytes(content)
    with pytest.raises(EvidenceUnavailable, match=r"inputs\.json\.gz.*备份") as raised:
        kept_inputs(place.evidence.folder, run.id)
    assert raised.value.exit_code == 5


# ---------------------------------------------------------------- bytes that can be read no more


def _spoil(place: Place, run: Run) -> str:
    """Damage the record of the article; return its address."""
    article = next(c for c in place.repository.captures(run.id, "jyj") if c.url.endswith("1.html"))
    assert article.evidence is not None
    path = place.evidence.folder / article.evidence.warc_file
    content = bytearray(path.read_bytes())
    for position in range(article.evidence.offset + 40, article.evidence.offset + 60):
        content[position] ^= 0xFF
    path.write_bytes(content)
    return article.url


def test_a_damaged_record_leaves_a_live_night_unable_to_tell_and_costs_no_other_page(place: Place, run: Run) -> None:
    inputs = settled_inputs(place, run)
    whole = _judged(place, run, inputs)
    url = _spoil(place, run)
    spoilt = _judged(place, run, inputs)
    of_page = [finding for finding in spoilt if finding.target == url]
    assert {finding.outcome for finding in of_page} - {Outcome.NOT_APPLICABLE} == {Outcome.INCONCLUSIVE}
    assert any("证据记录已损坏" in finding.observed for finding in of_page)
    assert not {(f.check, f.reason) for f in of_page if f.outcome is Outcome.FAIL}
    judged = (Outcome.PASS, Outcome.FAIL)
    elsewhere = {(f.check, f.target, f.outcome, f.reason) for f in whole if f.outcome in judged and f.target != url}
    assert elsewhere
    assert elsewhere <= {(f.check, f.target, f.outcome, f.reason) for f in spoilt}


@pytest.mark.parametrize("gone", [False, True])
def test_judging_again_stops_at_a_record_that_cannot_be_read_and_names_it(place: Place, run: Run, gone: bool) -> None:
    inputs = settled_inputs(place, run)
    _spoil(place, run)
    if gone:
        for path in (place.evidence.folder / str(run.id)).glob("*.warc.gz"):
            path.unlink()
    with pytest.raises(EvidenceUnavailable, match=r"不能重新判定.*备份.*\.warc\.gz（记录 <?urn:uuid") as raised:
        judge_sites(place.configuration, inputs, Records.of(place, run.id, strict(place.evidence)))
    assert raised.value.exit_code == 5


def test_weights_are_exact(place: Place, run: Run) -> None:
    third = replace(
        Finding("dead_links", "http://example.test/", Outcome.FAIL, "dead_page"), weight=Decimal(1) / Decimal(3)
    )
    inputs = replace(gathered(place, run), known_dead=(third,))
    assert inputs_of(content_of(inputs)).known_dead[0].weight == third.weight
