"""每日巡查网页: the daily report as one HTML file that needs nothing else: no network, no script, no other file.

Text of inspected pages is hostile: everything is escaped, only http(s) addresses become links, and the page's own
policy has the browser refuse whatever it does not need.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from checks.model import Outcome
from reports.brief import SHOWN
from reports.daily import KIND_TITLES, OUTCOME_TITLES, DailyReport, web_link

_TEMPLATES = Path(__file__).parent / "templates"
_NAMED = 5  # targets told one by one before the rest is only counted


def daily_page(report: DailyReport) -> bytes:
    """Return the report as an HTML document in UTF-8; what UTF-8 cannot write becomes a question mark."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"web_link": web_link, "named": _named, "reason_title": report.reason_title}
    template = environment.get_template("daily.html")
    page = template.render(report=report, kinds=KIND_TITLES, outcomes=OUTCOME_TITLES, Outcome=Outcome, shown=SHOWN)
    return page.encode("utf-8", "replace")


def _named(targets: Sequence[str]) -> str:
    more = f" 等 {len(targets)} 个" if len(targets) > _NAMED else ""
    return "、".join(targets[:_NAMED]) + more
