"""The same night with PostgreSQL instead of SQLite gives the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.district.server import ServedDistrict
from tests.end_to_end.conftest import BARE, Inspected, arguments
from tests.end_to_end.driving import Workplace, difference

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1500)]


def test_postgresql_gives_the_same_findings_and_scores(
    district: ServedDistrict, undisturbed: Inspected, tmp_path: Path, postgresql_url: str
) -> None:
    workplace = Workplace.make(district, tmp_path, crawl=BARE, INSPECT_DATABASE_URL=postgresql_url)
    answer = workplace.inspect(*arguments())
    assert answer.code == undisturbed.answer.code, answer.err
    assert not list((tmp_path / "data").glob("*.sqlite3"))
    run, expected = answer.document["run"], undisturbed.answer.document["run"]
    said = undisturbed.workplace.fingerprints(expected)
    assert workplace.fingerprints(run) == said, difference(said, workplace.fingerprints(run))
    assert workplace.scores(run) == undisturbed.workplace.scores(expected)
    listed = workplace.ask("scores", "--json").document["units"]
    assert listed == undisturbed.workplace.ask("scores", "--json").document["units"]
