"""每日巡查网页: the daily report as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence

from checks.model import Outcome
from reports.brief import SHOWN
from reports.daily import KIND_TITLES, OUTCOME_TITLES, DailyReport
from reports.pages import page

_NAMED = 5  # targets told one by one before the rest is only counted


def daily_page(report: DailyReport) -> bytes:
    """Return the report as an HTML document in UTF-8; what UTF-8 cannot write becomes a question mark."""
    values = {"report": report, "kinds": KIND_TITLES, "outcomes": OUTCOME_TITLES, "Outcome": Outcome, "shown": SHOWN}
    return page("daily.html", values, {"named": _named, "reason_title": report.reason_title})


def _named(targets: Sequence[str]) -> str:
    more = f" 等 {len(targets)} 个" if len(targets) > _NAMED else ""
    return "、".join(targets[:_NAMED]) + more
