"""Nights whose findings are made by hand: the flow of an inspection without crawl, pages and pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from checks.model import Capture, Finding, Mode, Outcome
from inspection.judging import Judgement
from inspection.place import Place
from inspection.reviewing import Taken, take
from inspection.run import Request, inspect_units
from scoring.model import UnitScore
from scoring.review import FaultState, Step
from storage.model import Fault, Run, RunKind, StoredFinding

UNIT = "jiaoyuju"
PAGE = "http://jyj.luancheng.test:8000/zcwj/1.html"
FAULTY = Finding("open_attribute", PAGE, Outcome.FAIL, "missing", observed="没有标注公开属性。", unit_id=UNIT)
FINE = replace(FAULTY, outcome=Outcome.PASS, reason="labelled", observed="标注了“主动公开”。")
UNREAD = replace(FAULTY, outcome=Outcome.INCONCLUSIVE, reason="not_read", observed="没有读到。")
DEAD = Finding("dead_links", PAGE, Outcome.FAIL, "dead_page", observed="打不开：HTTP 404。", item="a", unit_id=UNIT)
ALIVE = replace(DEAD, outcome=Outcome.PASS, reason="alive", observed="")
# Beside what a test is about, enough that passes for a score to be published.
REST = tuple(replace(FINE, target=f"{PAGE}?{number}") for number in range(3))


@dataclass
class Nights:
    """Runs nights and people's days in a place; `today` is the district's day for people."""

    place: Place
    monkeypatch: pytest.MonkeyPatch

    def night(
        self, day: date, *findings: Finding, kind: RunKind = RunKind.NIGHTLY, of_site: tuple[Finding, ...] = ()
    ) -> UnitScore:
        """Inspect the unit as if its pages, and its site as a whole, had said this; return its score."""
        judgement = Judgement({UNIT: [*REST, *findings, *of_site]}, {"jyj": of_site}, ())
        self.monkeypatch.setattr("inspection.night.judge_in_pieces", lambda *_: [judgement])
        self.monkeypatch.setattr("inspection.run.illustrate", lambda *_: None)
        self.monkeypatch.setattr("inspection.run.Crawling", _Captured)
        return inspect_units(self.place, Request(kind, day, (UNIT,))).scores[0]

    def take(self, day: date, step: Step, *findings: Finding, by: str = "张三", **more: Any) -> tuple[Taken, ...]:
        """Take a person's step on that day."""
        self.monkeypatch.setattr("inspection.reviewing.day_in", lambda _: day)
        return take(self.place, [one.fingerprint for one in findings], step, by=by, **({"why": "核实"} | more))

    def fault(self, finding: Finding = FAULTY) -> Fault:
        """Return where a fault stands; it must be in the ledger."""
        fault = self.place.faults.fault(finding.fingerprint)
        assert fault is not None
        return fault

    def steps(self, finding: Finding = FAULTY) -> list[Step]:
        """Return what happened to a fault, in order."""
        return [event.step for event in self.place.faults.events(finding.fingerprint)]

    def state(self, finding: Finding = FAULTY) -> FaultState:
        """Return the state of a fault."""
        return self.fault(finding).state

    def kept(self, run: Run | int, finding: Finding = FAULTY) -> StoredFinding:
        """Return what a run kept of a fault."""
        number = run if isinstance(run, int) else run.id
        found = self.place.repository.findings(run_id=number, outcome=finding.outcome)
        return next(stored for stored in found if stored.finding.fingerprint == finding.fingerprint)

    def newest(self) -> Run:
        """Return the run made last."""
        return self.place.repository.runs()[0]


class _Captured:
    """A crawl that captures one page."""

    def __init__(self, place: Place, run_id: int, *_: object) -> None:
        self._place, self._run_id = place, run_id

    def capture(self, *_: object) -> None:
        moment = datetime(2026, 11, 23, 1, tzinfo=UTC)
        self._place.repository.add_captured(self._run_id, [Capture("jyj", PAGE, Mode.STATIC, moment, status=200)])
