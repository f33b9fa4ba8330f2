"""`inspect probe`: one round of looks at the home pages of a served district, kept for the night."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from fixtures.district.server import ServedDistrict, serve
from inspection.place import opened
from inspection.settings import resolve
from tests.cli.conftest import Inspect

DAY = date(2026, 11, 23)
ANY_DAY = (date(2026, 1, 1), date(2200, 1, 1))


def _configured(served: ServedDistrict, config: Path) -> None:
    """Serve as the sites of the configuration, a few times as fast as people wait."""
    served.write_config(config)
    rules = config / "rules.toml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("seconds = 15 ", "seconds = 2 "), encoding="utf-8")


def test_a_round_is_shown_and_kept(config: Path, inspect: Inspect) -> None:
    with serve(DAY, behaviours={"jyj": "down", "czj": "forbidden"}) as served:
        _configured(served, config)
        answer = inspect("probe", "--json")
    assert answer.code == 0, answer.err
    results = {row["site"]: (row["result"], row["failure"]) for row in answer.document["sites"]}
    assert results["jyj"] == ("shut", "connection_lost")
    assert results["czj"] == ("unsure", None)
    others = {result for site, result in results.items() if site not in ("jyj", "czj")}
    assert others == {("open", None)}, "the browser's pass that one asks for is no failure"
    with opened(resolve()) as place:
        kept = place.repository.availability(list(results), *ANY_DAY)
    counts = {site: [(day.answered, day.failed, day.ours) for day in days] for site, days in kept.items()}
    assert counts["jyj"] == [(0, 1, 0)]
    assert counts["czj"] == [(0, 0, 0)]
    assert counts["luancheng"] == [(1, 0, 0)]


def test_when_everything_fails_it_is_our_line(config: Path, inspect: Inspect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.names.LIFETIME", 0.2)  # no name server listens either
    with serve(DAY) as served:
        _configured(served, config)
    answer = inspect("probe")
    assert answer.code == 4
    assert "本机网络故障" in answer.out
    with opened(resolve()) as place:
        (day,) = place.repository.availability(["jyj"], *ANY_DAY)["jyj"]
    assert (day.answered, day.failed, day.ours) == (0, 0, 1)
    assert abs(day.day - date.today()) <= timedelta(days=1)


@pytest.mark.parametrize("minutes", [4, 73])
def test_a_pace_that_is_no_pace_is_refused(config: Path, inspect: Inspect, minutes: int) -> None:
    sites = config / "sites.toml"
    text = sites.read_text(encoding="utf-8")
    sites.write_text(text.replace("probe_minutes = 60", f"probe_minutes = {minutes}"), encoding="utf-8")
    answer = inspect("probe")
    assert answer.code == 2
    assert "probe_minutes" in answer.err
